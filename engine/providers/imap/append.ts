import { TransientError } from "../../domain/errors.ts";
import type { Item } from "../../domain/item.ts";
import type { Receipt } from "../../domain/provider.ts";
import { formatDate, possibleDate } from "./dates.ts";
import { words } from "./errors.ts";
import type { Selected } from "./selected.ts";
import type { Reply, Session } from "./session.ts";
import { atom, quoted } from "./wire.ts";

/** Adds one item to the selected folder. Throws when it cannot be known whether it was stored. */
export async function append(
  session: Session,
  into: Selected & { wire: string },
  item: Item,
  now: number,
): Promise<Receipt> {
  const { uid } = item;
  const body = await withCrlf(item.body, item.size);
  // Servers refuse these, some after closing the connection.
  if (body.length === 0) {
    return { outcome: "refused", uid, reason: "an empty message (0 bytes)", full: false };
  }
  const date = possibleDate(item.createdAt, now);
  const notes = date === item.createdAt ? [] : ["date clamped"];
  const { system, keywords, dropped } = keepable(item.flags, into.permanentFlags);
  if (dropped) notes.push("flags dropped");

  let reply = await send(session, into.wire, [...system, ...keywords], date, body);
  if (reply.status !== "OK" && keywords.length > 0 && !aboutSpace(reply)) {
    reply = await send(session, into.wire, system, date, body);
    notes.push("keywords dropped");
  }
  if (reply.status !== "OK") {
    const reason = words(reply.text, session.who);
    return { outcome: "refused", uid, reason, full: isFull(reply) };
  }
  return { outcome: "added", uid, targetUid: appendedUid(reply, into), notes };
}

/**
 * The bytes with every line end as CRLF, as IMAP wants them; a CR alone is left where it is. A message that
 * comes in one piece and needs no change is not copied, another once: `expected` is its size.
 */
async function withCrlf(body: AsyncIterable<Uint8Array>, expected: number): Promise<Buffer> {
  const gathered = gather(expected);
  let previous = 0;
  for await (const bytes of body) {
    const part = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let kept = 0;
    for (let at = part.indexOf(0x0a); at !== -1; at = part.indexOf(0x0a, at + 1)) {
      if ((at === 0 ? previous : part[at - 1]) === 0x0d) continue;
      gathered.put(part.subarray(kept, at));
      gathered.put(crlf);
      kept = at + 1;
    }
    gathered.put(part.subarray(kept));
    previous = part.at(-1) ?? previous;
  }
  return gathered.end();
}

function gather(expected: number): { put(piece: Buffer): void; end(): Buffer } {
  let whole: Buffer = Buffer.alloc(0);
  let length = 0;
  return {
    put(piece) {
      if (piece.length === 0) return;
      if (length === 0) {
        whole = piece;
      } else {
        if (length + piece.length > whole.length || whole.length === length) {
          const grown = Buffer.allocUnsafe(
            Math.max(expected, 1.5 * length, length + piece.length) | 0,
          );
          whole.copy(grown, 0, 0, length);
          whole = grown;
        }
        piece.copy(whole, length);
      }
      length += piece.length;
    },
    end: () => whole.subarray(0, length),
  };
}

const crlf = Buffer.from("\r\n");

async function send(
  session: Session,
  wire: string,
  flags: string[],
  date: number,
  body: Buffer,
): Promise<Reply> {
  // NUL may not stand in a plain literal (RFC 3516).
  const isLiteral8 = session.has("BINARY") && body.includes(0);
  const start = [quoted(wire), flags.map(atom), quoted(formatDate(date))];
  // Small ones go along at once where the server allows it (LITERAL-), saving a round trip.
  const reply =
    body.length <= 4096
      ? await session.send("APPEND", [...start, { type: "LITERAL", value: body, isLiteral8 }])
      : await session.send(
          "APPEND",
          [...start, { type: "TEXT", value: `${isLiteral8 ? "~" : ""}{${body.length}}` }],
          {},
          body,
        );
  if (reply.status === "BAD" && /server (is )?(busy|unavailable)/i.test(reply.text)) {
    throw new TransientError(words(reply.text, session.who), "server unavailable");
  }
  return reply;
}

const systemFlags = ["\\seen", "\\answered", "\\flagged", "\\draft"];

/** What the folder keeps. \Deleted is never set: the next EXPUNGE of anyone would take the message away. */
function keepable(
  flags: readonly string[],
  permanent: ReadonlySet<string> | null,
): { system: string[]; keywords: string[]; dropped: boolean } {
  const wanted = flags.filter((flag) => !/^\\(recent|deleted)$/i.test(flag));
  const kept = wanted.filter((flag) => {
    const lower = flag.toLowerCase();
    if (lower.startsWith("\\") && !systemFlags.includes(lower)) return false;
    if (permanent === null || permanent.has(lower)) return true;
    return !lower.startsWith("\\") && permanent.has("\\*");
  });
  return {
    system: kept.filter((flag) => flag.startsWith("\\")),
    keywords: kept.filter((flag) => !flag.startsWith("\\")),
    dropped: kept.length < wanted.length,
  };
}

function isFull({ code, text }: Reply): boolean {
  return (
    code[0] === "OVERQUOTA" || /over ?quota|quota (is )?exceeded|mailbox (is )?full/i.test(text)
  );
}

function aboutSpace(reply: Reply): boolean {
  return isFull(reply) || ["LIMIT", "TOOBIG", "TRYCREATE", "NOPERM"].includes(reply.code[0] ?? "");
}

/** The UID it got; some servers turn the two numbers round or tell of another folder: then nothing is believed. */
function appendedUid({ code }: Reply, { state }: Selected): number | null {
  const [name, validity, uid] = code;
  if (name !== "APPENDUID" || Number(validity) !== state.uidValidity) return null;
  const number = Number(uid);
  return Number.isSafeInteger(number) && number >= state.uidNext ? number : null;
}
