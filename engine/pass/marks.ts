import { type Counters, gap, noCounters } from "../domain/counters.ts";
import type { Folder, FolderState } from "../domain/item.ts";
import type { LedgerFolder, Mark } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { Ends } from "./ends.ts";
import type { Listing } from "./listing.ts";

/** Marks a folder a full pass left clean, so that the next one need not open it while it stands still. */
export async function setMark(
  job: Job,
  ends: Ends,
  row: LedgerFolder,
  state: FolderState,
  { counters }: Listing,
): Promise<void> {
  if (job.kind !== "full" && job.kind !== "delta") return;
  const leftOut = counters.filtered - counters.deleted;
  // Without mod-sequences a flag can change unseen: what was left out for \Deleted might be back.
  const hidden = counters.deleted > 0 && state.highestModseq === null;
  // Vanished is what the server said once: the next pass lists the folder again before it is trusted.
  const whole = counters.failed === 0 && counters.vanished === 0 && gap(counters) === 0;
  const clean = whole && leftOut === 0 && !hidden;
  const mark: Mark | null = clean
    ? {
        state,
        listed: counters.listed,
        filtered: counters.deleted,
        changed: counters.changed,
      }
    : null;
  await ends.ledger.mark(row.id, mark, ends.fence);
}

/** True when the folder stands where its mark says: it is counted and need not be opened. */
export async function standsStill(
  job: Job,
  ends: Ends,
  folder: Folder,
  row: LedgerFolder,
): Promise<boolean> {
  const { mark } = row;
  if (mark === null || job.kind === "retry" || !isStill(folder, row)) return false;
  // Marked by this very run before it was interrupted: its counters stand.
  if ((await ends.ledger.counters(job.run, row.id)) !== null) return true;
  const duplicates = mark.listed - mark.filtered;
  const counters: Counters = {
    ...noCounters(),
    listed: mark.listed,
    duplicates,
    filtered: mark.filtered,
    deleted: mark.filtered,
    changed: mark.changed,
    gone: Math.max(0, (await ends.ledger.carried(row.id)) - duplicates),
  };
  await ends.ledger.count(job.run, row.id, counters, ends.fence);
  return true;
}

/** True when nothing moved in the folder since it was marked. */
export function isStill({ state }: Folder, { mark }: LedgerFolder): boolean {
  return mark !== null && state !== null && same(mark.state, state);
}

function same(a: FolderState, b: FolderState): boolean {
  return (
    a.uidValidity === b.uidValidity &&
    a.uidNext === b.uidNext &&
    a.count === b.count &&
    a.highestModseq === b.highestModseq
  );
}
