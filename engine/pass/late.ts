import { FolderError, TransientError } from "../domain/errors.ts";
import type { Intent } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import { carriedOf } from "./carried.ts";
import type { Ends } from "./ends.ts";
import { unclaimed } from "./unclaimed.ts";

/** A batch that was not all found: its target folder from a floor up, and what was free to be sent again. */
export interface Resent {
  folder: number;
  uidValidity: number;
  target: string;
  targetUidValidity: number;
  floor: number;
  /** By the source's UIDs, with tolerant fingerprints. */
  keys: Map<number, string>;
}

/** Batches that were sent again, by their intents. */
export type AllResent = Map<number, Resent>;

/** Notes what of a batch is sent again; it may have been before. */
export function noteResent(all: AllResent, intent: number, one: Resent): void {
  if (one.keys.size === 0) return;
  const before = all.get(intent);
  if (before?.uidValidity !== one.uidValidity) all.set(intent, one);
  else for (const [uid, key] of one.keys) before.keys.set(uid, key);
}

/** What was stored late, and the target folders that could not be asked for it. */
export interface Late {
  copies: number;
  unasked: Set<string>;
}

/**
 * Counts copies that turned up unclaimed after the same message had been sent again: a target that was
 * frozen longer than the quiet time can store late. Nothing can prevent it over IMAP; it is said, and so is
 * where it cannot be seen: all is carried by now, and no second try would know what to look for.
 */
export async function countLate(resent: AllResent, job: Job, ends: Ends): Promise<Late> {
  const late: Late = { copies: 0, unasked: new Set() };
  if (resent.size === 0) return late;
  const intents = await ends.ledger.intents(job.entry);
  for (const one of resent.values()) {
    try {
      const open = intents.filter(({ target }) => target === one.target);
      late.copies += await lateOf(one, keysOf(open, resent), job, ends);
    } catch (error) {
      if (!(error instanceof FolderError || error instanceof TransientError)) throw error;
      late.unasked.add(one.target);
    }
  }
  return late;
}

/** The fingerprints of what is in doubt: it would count as a copy. Null among them stands for one that is not known. */
function keysOf(intents: Intent[], resent: AllResent): Set<string | null> {
  const keyOf = (intent: number, uid: number) => resent.get(intent)?.keys.get(uid) ?? null;
  return new Set(intents.flatMap(({ id, uids }) => uids.map((uid) => keyOf(id, uid))));
}

async function lateOf(
  { folder, uidValidity, target, targetUidValidity, floor, keys }: Resent,
  doubted: ReadonlySet<string | null>,
  job: Job,
  ends: Ends,
): Promise<number> {
  const into = await ends.target.open(target);
  if (into.state.uidValidity !== targetUidValidity) {
    throw new FolderError("the folder was renumbered during the pass");
  }
  const { pool, unread } = await unclaimed(target, floor, into, job, ends);
  if (unread > 0) throw new FolderError("it does not hand over all that stands there");
  // What was not carried in the end stands there once at most.
  const carried = await carriedOf(folder, uidValidity, [...keys.keys()], ends);
  const sentAgain = [...keys].filter(([uid]) => carried.has(uid)).map(([, key]) => key);
  let late = 0;
  for (const [key, { length: sent }] of Map.groupBy(sentAgain, (key) => key)) {
    if (doubted.has(key)) continue;
    const there = pool.get(key)?.length ?? 0;
    // Where no UIDs are told, what was sent again is unclaimed too.
    late += ends.target.tellsUids ? Math.min(there, sent) : Math.max(0, there - sent);
  }
  if (late > 0 && doubted.has(null)) {
    throw new FolderError("what is in doubt would count as a copy");
  }
  return late;
}
