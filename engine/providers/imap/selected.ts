import type { ImapResponse } from "imapflow";
import { FolderError } from "../../domain/errors.ts";
import type { FolderState } from "../../domain/item.ts";
import { words } from "./errors.ts";
import { natural } from "./limits.ts";
import type { Session } from "./session.ts";
import { folderState, modseqOf } from "./status.ts";
import { atom, quoted } from "./wire.ts";

/** What a server says of a folder it has opened. */
export interface Selected {
  state: FolderState;
  /** Flags that can be kept, in lower case; null where the server does not limit them. */
  permanentFlags: Set<string> | null;
}

/**
 * Opens a folder. EXAMINE leaves no trace; opening another folder ends this one and expunges nothing. Throws
 * `FolderError` with the server's words, and for a folder whose UIDs mean nothing. `counted`: with mod-sequences,
 * where the server has them.
 */
export async function select(
  session: Session,
  how: "EXAMINE" | "SELECT",
  path: string,
  wire: string,
  counted = how === "EXAMINE",
): Promise<Selected> {
  const codes = new Map<string, string>();
  let permanentFlags: Set<string> | null = null;
  let count: number | null = 0;
  // Some servers keep mod-sequences only once somebody has asked for them (RFC 7162 §3.1.8).
  const condstore = counted && session.has("CONDSTORE") ? [[atom("CONDSTORE")]] : [];
  const reply = await session.send(how, [quoted(wire), ...condstore], {
    OK: (answer) => {
      const [code, value] = codeOf(answer);
      if (code === "PERMANENTFLAGS") permanentFlags = flagSet(answer);
      else if (code !== undefined) codes.set(code, value ?? "");
    },
    EXISTS: ({ command }) => {
      count = natural(command);
    },
  });
  if (reply.status !== "OK") {
    throw new FolderError(`${path} cannot be opened: ${words(reply.text, session.who)}`);
  }
  const uidValidity = natural(codes.get("UIDVALIDITY"), 1);
  if (uidValidity === null) {
    throw new FolderError(`${path} has no UIDVALIDITY: its messages cannot be told apart safely`);
  }
  const told = natural(codes.get("UIDNEXT"), 1);
  const uidNext = told ?? (await folderState(session, wire))?.uidNext ?? null;
  if (uidNext === null) throw new FolderError(`${path} does not tell its UIDNEXT`);
  const { items } = session.limits;
  // At a target nothing is listed.
  if (count === null) {
    throw new FolderError(`${path} does not tell how many messages it has: none of it was carried`);
  }
  if (count > items && how === "EXAMINE") {
    throw new FolderError(
      `${path} is said to hold ${count} messages, more than the ${items} that are taken of one folder. None of it was carried`,
    );
  }
  const highestModseq = modseqOf(codes.get("HIGHESTMODSEQ"));
  return { state: { uidValidity, uidNext, count, highestModseq }, permanentFlags };
}

function codeOf({ attributes }: ImapResponse): string[] {
  const section = attributes?.[0]?.section ?? [];
  return section.map((part) => String(part?.value ?? "").toUpperCase());
}

function flagSet({ attributes }: ImapResponse): Set<string> {
  const flags = attributes?.[0]?.section?.[1];
  return new Set(
    Array.isArray(flags) ? flags.map((flag) => String(flag?.value ?? "").toLowerCase()) : [],
  );
}
