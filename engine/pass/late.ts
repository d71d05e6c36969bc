import { FolderError, TransientError } from "../domain/errors.ts";
import type { Intent } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { Ends } from "./ends.ts";
import { unclaimed } from "./unclaimed.ts";

/** A batch that was not all found: its target folder from a floor up, and what was free to be sent again. */
export interface Resent {
  target: string;
  targetUidValidity: number;
  floor: number;
  /** By the source's UIDs, with tolerant fingerprints. */
  keys: Map<number, string>;
  /** By fingerprint, how many copies belong to what was carried before the target was numbered anew. */
  others: Map<string, number>;
}

/** Batches that were sent again, by their intents. */
export type AllResent = Map<number, Resent>;

/** Notes what of a batch is sent again; it may have been before. */
export function noteResent(all: AllResent, intent: number, one: Resent): void {
  if (one.keys.size === 0) return;
  const before = all.get(intent);
  if (before === undefined) all.set(intent, one);
  else {
    for (const [uid, key] of one.keys) before.keys.set(uid, key);
    for (const [key, count] of one.others) before.others.set(key, count);
  }
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
      const doubted = keysOf(
        intents.filter(({ target }) => target === one.target),
        resent,
      );
      late.copies += await lateOf(one, doubted, job, ends);
    } catch (error) {
      if (!(error instanceof FolderError || error instanceof TransientError)) throw error;
      late.unasked.add(one.target);
    }
  }
  return late;
}

/** The fingerprints of what is in doubt: it was not sent again, and would count as a copy. */
function keysOf(intents: Intent[], resent: AllResent): Set<string> {
  const keys = new Set<string>();
  for (const { id, uids } of intents) {
    for (const uid of uids) {
      const key = resent.get(id)?.keys.get(uid);
      if (key === undefined) throw new FolderError("what is in doubt would count as a copy");
      keys.add(key);
    }
  }
  return keys;
}

async function lateOf(
  { target, targetUidValidity, floor, keys, others }: Resent,
  doubted: ReadonlySet<string>,
  job: Job,
  ends: Ends,
): Promise<number> {
  const into = await ends.target.open(target);
  if (into.state.uidValidity !== targetUidValidity) {
    throw new FolderError("the folder was renumbered during the pass");
  }
  const { pool, unread } = await unclaimed(target, floor, into, job, ends);
  if (unread > 0) throw new FolderError("it does not hand over all that stands there");
  let late = 0;
  for (const [key, { length: sent }] of Map.groupBy(keys.values(), (key) => key)) {
    if (doubted.has(key)) continue;
    const there = Math.max(0, (pool.get(key)?.length ?? 0) - (others.get(key) ?? 0));
    // Where no UIDs are told, what was sent again is unclaimed too.
    late += ends.target.tellsUids ? Math.min(there, sent) : Math.max(0, there - sent);
  }
  return late;
}
