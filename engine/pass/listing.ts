import { type Counters, noCounters } from "../domain/counters.ts";
import { decide, tally, trialItems } from "../domain/decide.ts";
import type { FolderState } from "../domain/item.ts";
import type { FailedItem, Ledger, LedgerFolder } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { OpenSource, Target } from "../domain/provider.ts";
import type { Ends } from "./ends.ts";
import type { Held } from "./held.ts";

/** An item decided to be carried, with its size as listed. */
export interface Todo {
  uid: number;
  size: number;
  /** The batch in doubt it is of. */
  held?: Held;
}

/** A folder as listed and decided: what is to be carried, and the counters so far. */
export interface Listing {
  counters: Counters;
  todo: Todo[];
  tooLarge: { uid: number; size: number }[];
  /** Failed before and no longer there. */
  missing: number[];
  /** The batches in doubt that something of it is bound to. */
  held: readonly Held[];
}

/** What a listing is read with. */
export interface Desired {
  ledger: Pick<Ledger, "known" | "carried" | "failures" | "counters">;
  target: Pick<Target, "maxItemSize">;
}

/**
 * Lists an open folder and decides every item; writes nothing. A retry lists only what failed; a folder that is
 * owed, whole.
 */
export async function decideAll(
  job: Job,
  { ledger, target }: Desired,
  row: LedgerFolder,
  open: OpenSource,
): Promise<Listing> {
  const { uidValidity } = open.state;
  const listing: Listing = {
    counters: noCounters(),
    todo: [],
    tooLarge: [],
    missing: [],
    held: [],
  };
  const { counters } = listing;
  const owed = job.kind === "retry" ? row.owed : null;
  const only =
    job.kind === "retry" && owed === null ? await ledger.failures(row.id, uidValidity) : undefined;
  // The pass that left it may have had a limit.
  const asked: Job = owed === null ? job : { ...job, kind: "prestage", limit: owed };
  const seen = new Set<number>();
  let known = 0;
  for await (const page of open.list(only)) {
    const [first, last] = [page[0], page.at(-1)];
    if (first === undefined || last === undefined) continue;
    const carried = await ledger.known(row.id, uidValidity, first.uid, last.uid);
    for (const item of page) {
      if (only !== undefined) seen.add(item.uid);
      const before = carried.get(item.uid);
      let fate = decide(item, before, asked, target.maxItemSize);
      if (
        fate === "carry" &&
        job.kind === "trial" &&
        listing.todo.length + counters.migrated >= trialItems
      ) {
        fate = "filtered";
      }
      tally(fate, item, counters);
      if (fate === "carry") listing.todo.push({ uid: item.uid, size: item.size });
      if (fate === "too large") listing.tooLarge.push({ uid: item.uid, size: item.size });
      if (before !== undefined) {
        known += 1;
        countChange(before.modseq, item.modseq, counters);
      }
    }
  }
  if (only === undefined) {
    counters.gone = Math.max(0, (await ledger.carried(row.id)) - known);
  } else {
    listing.missing = only.filter((uid) => !seen.has(uid));
    counters.listed += listing.missing.length;
    counters.vanished += listing.missing.length;
    // What an earlier try of this run has brought is no failure any more, and is not listed again.
    const brought = await ledger.counters(job.run, row.id);
    counters.listed += brought?.migrated ?? 0;
    counters.migrated += brought?.migrated ?? 0;
    counters.bytes += brought?.bytes ?? 0;
  }
  return listing;
}

function countChange(then: number | null, now: number | null, counters: Counters): void {
  if (then === null || now === null) counters.changed = null;
  else if (now > then && counters.changed !== null) counters.changed += 1;
}

/** Items the target would refuse for their size: they fail before a byte is read. */
export function tooLarge({ tooLarge }: Listing, { maxItemSize }: Pick<Target, "maxItemSize">) {
  return tooLarge.map(({ uid, size }) => ({
    uid,
    reason: `too large: ${size} bytes, the new system takes ${maxItemSize ?? 0}`,
  }));
}

/** Notes what failed before anything of it was sent. */
export async function noteFailed(
  job: Job,
  ends: Ends,
  row: LedgerFolder,
  { uidValidity }: FolderState,
  failed: FailedItem[],
  counters: Counters,
): Promise<void> {
  if (failed.length === 0) return;
  await ends.ledger.settle(
    {
      run: job.run,
      intent: null,
      folder: row.id,
      uidValidity,
      items: [],
      failed,
      counters,
    },
    ends.fence,
  );
}
