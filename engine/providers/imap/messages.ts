import { FolderError, TransientError } from "../../domain/errors.ts";
import { bodyOf, type Fetched, fetchAll, fetchEach, numberOf, uidOf, uidSets } from "./fetch.ts";
import { sized } from "./limits.ts";
import type { Session } from "./session.ts";
import { type Argument, atom } from "./wire.ts";

/** A message with its bytes, which can be read once. */
export interface Message {
  uid: number;
  fetched: Fetched;
  /** Bytes in `body`, as far as the server tells. */
  size: number;
  body: AsyncIterable<Uint8Array>;
}

/** What is fetched of a body at once. A message that has more comes piece by piece, as its reader asks. */
const pieceBytes = 4 * 1024 * 1024;

/**
 * Fetches messages with their bodies by BODY.PEEK, each once; the large ones come last. `items` are told of
 * each beside that. Throws `FolderError` when the server refuses, and for a message that is too large.
 */
export async function* fetchMessages(
  session: Session,
  set: string,
  items: readonly string[],
  wanted: (uid: number) => boolean,
): AsyncGenerator<Message> {
  const seen = new Set<number>();
  const large: Message[] = [];
  const empty: number[] = [];
  const take = (fetched: Fetched): Message | null => {
    const uid = uidOf(fetched);
    // Servers tell unasked of other messages, and some tell twice.
    if (uid === null || !fetched.has("BODY[]") || seen.has(uid) || !wanted(uid)) return null;
    seen.add(uid);
    const bytes = bodyOf(fetched);
    const size = sized(numberOf(fetched, "RFC822.SIZE")) ?? bytes.length;
    fetched.delete("BODY[]");
    if (bytes.length === 0 && size !== 0) {
      empty.push(uid);
      return null;
    }
    // More than was asked for: this server knows no pieces, and that is all of it.
    if (bytes.length !== pieceBytes) return { uid, fetched, size: bytes.length, body: once(bytes) };
    large.push({ uid, fetched, size, body: pieces(session, uid, size) });
    return null;
  };
  const all = new Set(["UID", "RFC822.SIZE", ...items]);
  yield* fetchEach(session, set, [...[...all].map(atom), piece(0)], take);
  // Not while the others come: their connection is needed for every piece.
  for (const message of large) {
    if (message.size > session.limits.message) throw tooLarge(session);
    yield message;
  }
  for (const again of uidSets(empty)) {
    yield* fetchEach(session, again, [...[...all].map(atom), wholeBody], whole);
  }
}

/**
 * A message that came empty in pieces, asked for whole: some servers cannot give pieces. What was expunged
 * meanwhile, Dovecot answers for with no bytes and the size it had: that one has vanished.
 */
function whole(fetched: Fetched): Message | null {
  const uid = uidOf(fetched);
  if (uid === null || !fetched.has("BODY[]")) return null;
  const bytes = bodyOf(fetched);
  return bytes.length === 0 ? null : { uid, fetched, size: bytes.length, body: once(bytes) };
}

async function* pieces(session: Session, uid: number, size: number): AsyncGenerator<Uint8Array> {
  const firsts: Buffer[] = [];
  for (let from = 0; ; ) {
    let bytes: Buffer = Buffer.alloc(0);
    await fetchAll(session, String(uid), [atom("UID"), piece(from)], (fetched) => {
      if (uidOf(fetched) === uid && fetched.has("BODY[]")) bytes = bodyOf(fetched);
    });
    if (bytes.length === 0 && from < size) {
      throw new TransientError(
        `A message of ${session.who.mailbox} vanished while it was read.`,
        "connection",
      );
    }
    // A server that knows no pieces gives a message of just this length again and again.
    if (from >= size && firsts[0]?.equals(bytes) === true) return;
    if (bytes.length > pieceBytes) {
      throw new FolderError(
        `the old system gave ${bytes.length} bytes of a message where ${pieceBytes} were asked for`,
      );
    }
    // The size is not exact everywhere; a message that goes on and on has none.
    if (from + bytes.length > Math.min(2 * size + pieceBytes, session.limits.message)) {
      throw tooLarge(session);
    }
    if (from === 0) firsts.push(bytes);
    if (bytes.length > 0) yield bytes;
    from += bytes.length;
    if (bytes.length < pieceBytes) return;
  }
}

function tooLarge({ limits }: Session): FolderError {
  return new FolderError(
    `a message has more bytes than the server said, or more than ${limits.message}: it was not carried`,
  );
}

/** `BODY.PEEK[]`: all of it, without marking it as seen. */
const wholeBody: Argument = { type: "ATOM", value: "BODY.PEEK", section: [] };

function piece(from: number): Argument {
  return { type: "ATOM", value: "BODY.PEEK", section: [], partial: [from, pieceBytes] };
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
