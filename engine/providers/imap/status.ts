import type { ImapAttribute, ImapResponse } from "imapflow";
import type { FolderState } from "../../domain/item.ts";
import { natural, sized } from "./limits.ts";
import type { Session } from "./session.ts";
import { atom, quoted } from "./wire.ts";

/** What a server tells of a folder unopened, by item name. */
export type Status = ReadonlyMap<string, string>;

/** What to ask for. */
export function statusItems(session: Session): string[] {
  return [
    "MESSAGES",
    "UIDNEXT",
    "UIDVALIDITY",
    ...(session.has("CONDSTORE") ? ["HIGHESTMODSEQ"] : []),
    ...(session.has("STATUS=SIZE") ? ["SIZE"] : []),
  ];
}

/** Asks for one folder. */
export async function statusOf(session: Session, wire: string, items: string[]): Promise<Status> {
  let status: Status = new Map();
  await session.send("STATUS", [quoted(wire), items.map(atom)], {
    STATUS: (answer) => {
      status = statusFields(answer);
    },
  });
  return status;
}

/** The fields of one answer. */
export function statusFields({ attributes }: ImapResponse): Status {
  const fields = attributes?.[1];
  const status = new Map<string, string>();
  if (!Array.isArray(fields)) return status;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    status.set(textOf(fields[at]).toUpperCase(), textOf(fields[at + 1]));
  }
  return status;
}

/** Where one folder stands, without opening it; null where the server does not tell. */
export async function folderState(session: Session, wire: string): Promise<FolderState | null> {
  return stateOf(await statusOf(session, wire, statusItems(session)), session).state;
}

/** A state and the sum of the sizes; null for what the server does not tell, or what cannot be. */
export function stateOf(
  status: Status,
  { limits }: Pick<Session, "limits">,
): { state: FolderState | null; size: number | null } {
  const [uidValidity, uidNext] = [
    natural(status.get("UIDVALIDITY"), 1),
    natural(status.get("UIDNEXT"), 1),
  ];
  const count = natural(status.get("MESSAGES"));
  const known = uidValidity !== null && uidNext !== null && count !== null && count <= limits.items;
  const highestModseq = modseqOf(status.get("HIGHESTMODSEQ"));
  return {
    state: known ? { uidValidity, uidNext, count, highestModseq } : null,
    size: sized(status.get("SIZE")),
  };
}

/** A mod-sequence as a number; null for none and for what is past 2^53. */
export function modseqOf(value: unknown): number | null {
  const number = Number(value ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}

/** The text of an atom, a string or a literal. */
export function textOf(attribute: ImapAttribute | undefined): string {
  return String(attribute?.value ?? "");
}
