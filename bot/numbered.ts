import { UserError } from "../engine/domain/errors.ts";

/** The number a command takes and nothing else; throws `UserError` that shows how it is typed. */
export function numberTyped(command: string, ofWhat: string, args: string[]): number {
  const [typed = ""] = args;
  if (/^\d{1,9}$/.test(typed) && args.length === 1) return Number(typed);
  throw new UserError(
    `\`${command}\` takes the number of ${ofWhat}; nothing was done. Type it like \`${command} 3\`.`,
  );
}
