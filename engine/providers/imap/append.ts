import { TransientError } from "../../domain/errors.ts";
import type { Item } from "../../domain/item.ts";
import type { Receipt } from "../../domain/provider.ts";
import { formatDate, possibleDate } from "./dates.ts";
import { words } from "./errors.ts";
import { natural } from "./limits.ts";
import type { Selected } from "./selected.ts";
import type { Reply, Session } from "./session.ts";
import { atom, quoted } from "./wire.ts";

/** The highest UID a server has told of in a folder: it gives none twice, and each is higher than all before. */
export interface Told {
  highest: number;
}

/** Adds one item to the selected folder. Throws when it cannot be known whether it was stored. */
export async function append(
  session: Session,
  into: Selected & { wire: string; told: Told },
  item: Item,
  now: number,
): Promise<Receipt> {
  const { uid } = item;
  const body = await withCrlf(item.body);
  // Servers refuse these, some after closing the connection.
  if (lengthOf(body) === 0) {
    return { outcome: "refused", uid, reason: "an empty message (0 bytes)", full: false };
  }
  const date = possibleDate(item.createdAt, now);
  const notes = date === item.createdAt ? [] : ["date clamped"];
  const { system, keywords, dropped } = keepable(item.flags, into.permanentFlags);
  if (dropped) notes.push("flags dropped");

  const { mayLeave } = item;
  let reply = await send(session, into.wire, [...system, ...keywords], date, { body, mayLeave });
  // What a breakdown has left behind would be met by the second.
  const isAboutKeywords = !aboutSpace(reply) && (item.wasAskedFor === true || !isBreakdown(reply));
  if (reply.status !== "OK" && keywords.length > 0 && isAboutKeywords) {
    reply = await send(session, into.wire, system, date, { body, mayLeave });
    notes.push("keywords dropped");
  }
  if (reply.status !== "OK") {
    const reason = words(reply.text, session.who);
    return { outcome: "refused", uid, reason, full: isFull(reply), mayStand: isBreakdown(reply) };
  }
  return { outcome: "added", uid, targetUid: appendedUid(reply, into), notes };
}

/**
 * The bytes with every line end as CRLF, as IMAP wants them; a CR alone is left where it is. A piece that needs no
 * change is not copied, another once: what a server says of the size is not needed.
 */
async function withCrlf(body: AsyncIterable<Uint8Array>): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  let previous = 0;
  for await (const bytes of body) {
    const part = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (part.length > 0) parts.push(mended(part, previous));
    previous = part.at(-1) ?? previous;
  }
  return parts;
}

/** A piece with every LF after a CR; `previous` is the byte before it. */
function mended(part: Buffer, previous: number): Buffer {
  let bare = 0;
  for (const _ of bareLineEnds(part, previous)) bare += 1;
  if (bare === 0) return part;
  const whole = Buffer.allocUnsafe(part.length + bare);
  let [kept, length] = [0, 0];
  for (const at of bareLineEnds(part, previous)) {
    length += part.copy(whole, length, kept, at);
    length = whole.writeUInt8(0x0d, length);
    kept = at;
  }
  part.copy(whole, length, kept);
  return whole;
}

function* bareLineEnds(part: Buffer, previous: number): Generator<number> {
  for (let at = part.indexOf(0x0a); at !== -1; at = part.indexOf(0x0a, at + 1)) {
    if ((at === 0 ? previous : part[at - 1]) !== 0x0d) yield at;
  }
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

async function send(
  session: Session,
  wire: string,
  flags: string[],
  date: number,
  { body, mayLeave }: { body: readonly Buffer[]; mayLeave: Item["mayLeave"] },
): Promise<Reply> {
  // NUL may not stand in a plain literal (RFC 3516).
  const isLiteral8 = session.has("BINARY") && body.some((part) => part.includes(0));
  const length = lengthOf(body);
  const start = [quoted(wire), flags.map(atom), quoted(formatDate(date))];
  // Small ones go along at once where the server allows it (LITERAL-), saving a round trip. Behind another command
  // they would leave when that ends, and nobody would be asked then.
  const allowed = session.has("LITERAL-") || session.has("LITERAL+");
  const atOnce = length <= 4096 && allowed && !session.busy();
  mayLeave?.();
  const reply = atOnce
    ? await session.send("APPEND", [
        ...start,
        { type: "LITERAL", value: Buffer.concat(body), isLiteral8 },
      ])
    : await session.send(
        "APPEND",
        [...start, { type: "TEXT", value: `${isLiteral8 ? "~" : ""}{${length}}` }],
        {},
        { bytes: body, mayLeave },
      );
  if (reply.status === "BAD" && /server (is )?(busy|unavailable)/i.test(reply.text)) {
    const server = session.who.endpointId;
    throw new TransientError(words(reply.text, session.who), "server unavailable", { server });
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

/**
 * A breakdown (RFC 5530), or words of one. Dovecot's sdbox says so of a message in whose place stands what it had stored
 * when it was killed, and shows that from then on.
 */
function isBreakdown({ code, text }: Reply): boolean {
  const codes = ["SERVERBUG", "CORRUPTION"];
  return codes.includes(code[0] ?? "") || /\b(internal|system|i\/o) error\b/i.test(text);
}

function aboutSpace(reply: Reply): boolean {
  return isFull(reply) || ["LIMIT", "TOOBIG", "TRYCREATE", "NOPERM"].includes(reply.code[0] ?? "");
}

/** The UID it got; some servers turn the two numbers round, or tell of another folder or message: then nothing is believed. */
function appendedUid({ code }: Reply, { state, told }: Selected & { told: Told }): number | null {
  const [name, validity, text] = code;
  if (name !== "APPENDUID" || Number(validity) !== state.uidValidity) return null;
  const uid = natural(text, Math.max(state.uidNext, told.highest + 1));
  if (uid !== null) told.highest = uid;
  return uid;
}
