import type { ImapAttribute, ImapResponse } from "imapflow";
import { FolderError } from "../../domain/errors.ts";
import { words } from "./errors.ts";
import { natural } from "./limits.ts";
import type { Reply, Session } from "./session.ts";
import { type Argument, sequence } from "./wire.ts";

/** What a FETCH told of one message, by item name: `UID`, `FLAGS`, `BODY[]`. */
export type Fetched = Map<string, ImapAttribute>;

/** Bytes of messages kept here for a reader who is slower than the server. */
const heldBytes = 8_000_000;

/** What an answer is worth beside the body it brings: about its length. */
const answerBytes = 100;

/** Lines longer than this are too long for some servers. */
const lineLength = 4_000;

/**
 * Fetches and gives every answer to `take` before the next is read; `most` is how many there can be of what is asked
 * for. Answers whether all of it was told: not where an answer could not be read, nor where the server refused the
 * rest because some were expunged meanwhile. Throws `FolderError` with the server's words when it refuses.
 */
export async function fetchAll(
  session: Session,
  set: string,
  items: Argument[],
  take: (fetched: Fetched) => void,
  most = countOf(set, session),
): Promise<boolean> {
  const { leastRate, leastListed } = session.limits;
  const before = session.unreadable();
  let left = most;
  const FETCH = (answer: ImapResponse) => {
    take(fieldsOf(answer));
    left -= 1;
    // Worth the time it may take. One who tells more often than there are messages gains none by it.
    return left < 0 ? 0 : leastRate / leastListed;
  };
  const fetch = [sequence(set), items];
  const reply = await session.send("UID FETCH", fetch, { FETCH }, undefined, most);
  accept(reply, session);
  return reply.status === "OK" && session.unreadable() === before;
}

/** How many messages a set can name. */
function countOf(set: string, { limits }: Session): number {
  if (set.endsWith("*")) return limits.items;
  const runs = set.split(",").map((run) => run.split(":").map(Number));
  return runs.reduce((sum, [first = 0, last = first]) => sum + Math.abs(last - first) + 1, 0);
}

/**
 * Fetches and yields what `take` makes of the answers (null leaves one out). The server is read ahead by some
 * megabytes only, so that a slow reader costs no memory. One who stops early waits for the rest to pass.
 */
export async function* fetchEach<One extends { size: number }>(
  session: Session,
  set: string,
  items: Argument[],
  take: (fetched: Fetched) => One | null,
): AsyncGenerator<One> {
  const queue: One[] = [];
  let held = 0;
  let over = false;
  let abandoned = false;
  let arrived = Promise.withResolvers<void>();
  let room = Promise.withResolvers<void>();
  const receive = (answer: ImapResponse) => {
    const one = abandoned ? null : take(fieldsOf(answer));
    if (one === null) return;
    const { size } = one;
    queue.push(one);
    held += size;
    arrived.resolve();
    if (held <= heldBytes) return size + answerBytes;
    room = Promise.withResolvers();
    return room.promise.then(() => size + answerBytes);
  };
  const finished = session
    .send("UID FETCH", [sequence(set), items], { FETCH: receive }, undefined, countOf(set, session))
    .then(
      (reply) => () => accept(reply, session),
      (error: unknown) => () => {
        throw error;
      },
    )
    .finally(() => {
      over = true;
      arrived.resolve();
    });

  try {
    for (;;) {
      const one = queue.shift();
      if (one !== undefined) {
        held -= one.size;
        if (held <= heldBytes) room.resolve();
        yield one;
      } else if (over) break;
      else {
        arrived = Promise.withResolvers();
        await arrived.promise;
      }
    }
  } finally {
    abandoned = true;
    room.resolve();
    await finished;
  }
  (await finished)();
}

/** Sets of these UIDs, rising, each short enough for a line: `1:40,57`. */
export function uidSets(uids: readonly number[]): string[] {
  const sorted = [...new Set(uids)].sort((a, b) => a - b);
  const runs: string[] = [];
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end += 1;
    runs.push(start === end ? `${sorted[start]}` : `${sorted[start]}:${sorted[end]}`);
    start = end + 1;
  }
  const sets: string[] = [];
  for (const run of runs) {
    const last = sets.at(-1);
    if (last === undefined || last.length + run.length > lineLength) sets.push(run);
    else sets[sets.length - 1] = `${last},${run}`;
  }
  return sets;
}

/** The items of a listing; MODSEQ only where the folder has it. */
export function listingItems(modseq: boolean): string[] {
  return ["UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", ...(modseq ? ["MODSEQ"] : [])];
}

/** A number among the fetched; null where it is missing. */
export function numberOf(fetched: Fetched, item: string): number | null {
  const field = fetched.get(item);
  const value = Array.isArray(field) ? field[0]?.value : field?.value;
  const number = Number(value ?? Number.NaN);
  return Number.isSafeInteger(number) ? number : null;
}

/** The UID among the fetched; null for what is none. */
export function uidOf(fetched: Fetched): number | null {
  return natural(numberOf(fetched, "UID"), 1);
}

/** The flags among the fetched, without \Recent; no more and no longer ones than are kept. */
export function flagsOf(fetched: Fetched, { limits }: Pick<Session, "limits">): string[] {
  const field = fetched.get("FLAGS");
  const flags = Array.isArray(field) ? field.map((flag) => String(flag?.value ?? "")) : [];
  return flags
    .filter((flag) => flag.length <= limits.flag && /^[^\0-\x20\x7f]+$/.test(flag))
    .filter((flag) => flag.toLowerCase() !== "\\recent")
    .slice(0, limits.flags);
}

/** Whether \Deleted is among the flags fetched, however many there are. */
export function isDeleted(fetched: Fetched): boolean {
  const field = fetched.get("FLAGS");
  return Array.isArray(field) && field.some((one) => /^\\deleted$/i.test(String(one?.value ?? "")));
}

/** The bytes of a message or a piece of it; a server that answers NIL has none. */
export function bodyOf(fetched: Fetched): Buffer {
  const value = fetched.get("BODY[]")?.value;
  return Buffer.isBuffer(value) ? value : Buffer.from(String(value ?? ""));
}

function accept(reply: Reply, session: Session): void {
  // Some were expunged meanwhile (RFC 5530): what there is was told, the rest has vanished.
  if (reply.status === "NO" && reply.code[0] === "EXPUNGEISSUED") return;
  if (reply.status !== "OK") throw new FolderError(words(reply.text, session.who));
}

function fieldsOf(answer: ImapResponse): Fetched {
  const fetched: Fetched = new Map();
  const pairs = answer.attributes?.[1];
  if (!Array.isArray(pairs)) return fetched;
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const name = pairs[at];
    const key = String(name?.value ?? "").toUpperCase();
    fetched.set(name?.section === undefined ? key : `${key}[]`, pairs[at + 1] ?? null);
  }
  return fetched;
}
