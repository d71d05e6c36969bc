import { FolderError, TransientError } from "../domain/errors.ts";
import type { Job } from "../domain/pass.ts";
import type { Ends } from "./ends.ts";
import { unclaimed } from "./unclaimed.ts";

/** A batch that was not all found: its target folder from a floor up, and what was free to be sent again. */
export interface Resent {
  target: string;
  targetUidValidity: number;
  floor: number;
  /** Tolerant fingerprints, one for each copy sent again. */
  keys: string[];
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
export async function countLate(resent: Resent[], job: Job, ends: Ends): Promise<Late> {
  const late: Late = { copies: 0, unasked: new Set() };
  if (resent.length === 0) return late;
  const inDoubt = new Set((await ends.ledger.intents(job.entry)).map(({ target }) => target));
  for (const one of resent) {
    try {
      if (inDoubt.has(one.target)) throw new FolderError("what is in doubt would count as a copy");
      late.copies += await lateOf(one, job, ends);
    } catch (error) {
      if (!(error instanceof FolderError || error instanceof TransientError)) throw error;
      late.unasked.add(one.target);
    }
  }
  return late;
}

async function lateOf(
  { target, targetUidValidity, floor, keys }: Resent,
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
  for (const [key, { length: sent }] of Map.groupBy(keys, (key) => key)) {
    const there = pool.get(key)?.length ?? 0;
    // Where no UIDs are told, what was sent again is unclaimed too.
    late += ends.target.tellsUids ? Math.min(there, sent) : Math.max(0, there - sent);
  }
  return late;
}
