import type { ImapAttribute } from "imapflow";
import { delimiterOf } from "./beyond.ts";
import { decodeName } from "./names.ts";
import type { Session } from "./session.ts";
import { textOf } from "./status.ts";

/** Where a user's own folders are, and others'. */
export interface Spaces {
  prefix: string;
  delimiter: string | null;
  /** Prefixes of the user's own folders. */
  own: string[];
  /** Prefixes of other users' and shared folders. */
  others: string[];
}

/** Each folder is compared with each prefix. */
const mostSpaces = 100;

/** Asks for them. */
export async function namespaces(session: Session): Promise<Spaces> {
  const found: ImapAttribute[] = [];
  if (session.has("NAMESPACE")) {
    await session.send("NAMESPACE", [], {
      NAMESPACE: ({ attributes }) => void found.push(...(attributes ?? []).slice(0, 3)),
    });
  }
  const [own, ...others] = [found[0], found[1], found[2]].map(pairs);
  const [first] = own ?? [];
  return {
    prefix: first?.prefix ?? "",
    delimiter: first?.delimiter ?? null,
    own: (own ?? []).map(({ prefix }) => prefix),
    others: others.flat().map(({ prefix }) => prefix),
  };
}

function pairs(space: ImapAttribute | undefined): { prefix: string; delimiter: string | null }[] {
  if (!Array.isArray(space)) return [];
  return space
    .slice(0, mostSpaces)
    .filter(Array.isArray)
    .map(([prefix, delimiter]) => ({
      prefix: decodeName(textOf(prefix)),
      delimiter: delimiterOf(delimiter == null ? null : textOf(delimiter)),
    }));
}

/** Whether a folder is the user's own. */
export function isOwn(path: string, { own, others }: Spaces): boolean {
  if (path === "INBOX") return true;
  const under = (prefix: string) =>
    prefix !== "" && (path.startsWith(prefix) || `${path}/` === prefix);
  if (others.some((prefix) => under(prefix) || (prefix !== "" && path === prefix.slice(0, -1)))) {
    return false;
  }
  return own.length === 0 || own.includes("") || own.some(under);
}
