import type { Cutover } from "../engine/domain/cutover.ts";
import { domainName } from "../engine/domain/dns.ts";
import { harmless, UserError } from "../engine/domain/errors.ts";
import type { Project } from "../engine/domain/project.ts";

const watchExample = "`cutover watch example.com`";

/** The cutover that is meant: by its domain, or the only one. */
export function cutoverMeant(args: string[], open: Cutover[], { name }: Project): Cutover {
  const known = open.map(({ domain }) => domain).join(", ");
  if (args.length === 0) {
    const [only] = open;
    if (only === undefined) {
      throw new UserError(
        `No cutover of ${name} is watched; nothing was done. Type ${watchExample}.`,
      );
    }
    if (open.length === 1) return only;
    throw new UserError(`Of which domain? Nothing was done. Name one of ${known}.`);
  }
  const typed = args.length === 1 ? domainName(args[0] ?? "") : null;
  const found = open.find(({ domain }) => domain === typed);
  if (found !== undefined) return found;
  throw new UserError(
    open.length === 0
      ? `No cutover of ${name} is watched; nothing was done. Type ${watchExample}.`
      : `${harmless(args.join(" "), 80)} is not watched in ${name}; nothing was done. Name one of ${known}.`,
  );
}

/** The domain that was typed and nothing else; throws `UserError` that shows how it is typed. */
export function domainTyped(command: string, args: string[]): string {
  const domain = args.length === 1 ? domainName(args[0] ?? "") : null;
  if (domain !== null) return domain;
  throw new UserError(
    `${args.length === 0 ? "Which domain?" : `“${harmless(args.join(" "), 60)}” is no domain.`} Nothing was done. Type it like \`${command} example.com\`, without @ and without a host.`,
  );
}
