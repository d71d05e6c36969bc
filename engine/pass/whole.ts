import type { Instant } from "../domain/clock.ts";
import { gap } from "../domain/counters.ts";
import { included } from "../domain/decide.ts";
import type { Folder, FolderState } from "../domain/item.ts";
import { everything, type LedgerFolder } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { Ends } from "./ends.ts";
import type { Listing } from "./listing.ts";
import type { Places } from "./place.ts";
import type { PassResult } from "./result.ts";

/** Up to which create date a pass sees a folder whole; null for those that look at parts of it only. */
export function reach(job: Pick<Job, "kind" | "limit">): Instant | null {
  switch (job.kind) {
    case "prestage":
      return job.limit ?? everything;
    case "full":
    case "delta":
      return everything;
    case "trial":
    case "retry":
    case "repair":
    case "verify":
      return null;
  }
}

/** Whether it leaves nothing to later passes. */
export function carriesAll(job: Job): boolean {
  return reach(job) === everything;
}

/** Notes that the folder is owed what this pass would have carried of it. */
export async function owe(job: Job, ends: Ends, row: LedgerFolder): Promise<void> {
  const before = reach(job);
  if (before === null || (row.owed ?? 0) >= before) return;
  await ends.ledger.owe(row.id, before, ends.fence);
  row.owed = before;
}

/** The folder was seen whole and every item of it was answered for: nothing is owed that has no failure. */
export async function paid(job: Job, ends: Ends, row: LedgerFolder): Promise<void> {
  if (row.owed === null) return;
  const covers = job.kind === "retry" || (reach(job) ?? 0) >= row.owed;
  if (!covers) return;
  await ends.ledger.owe(row.id, null, ends.fence);
  row.owed = null;
}

/** How many items the server counts in the folder and does not list. A listing of parts is never short. */
export function shortBy(
  job: Job,
  row: LedgerFolder,
  state: FolderState,
  { counters }: Listing,
): number {
  if (job.kind === "retry" && row.owed === null) return 0;
  return Math.max(0, state.count - counters.listed);
}

/** Puts what is counted and not listed into the sums, and answers what to say of it. */
export function countShort(short: number, folder: Folder, { counters }: Listing) {
  counters.listed += short;
  counters.failed += short;
  const reason = `the old system counts ${short} more than it lists; type \`delta\` to look again`;
  return { folder: folder.path, reason };
}

/**
 * Folders an earlier try of this run counted and that are no longer listed: what it had not carried of them
 * has vanished.
 */
export async function settleGone(
  job: Job,
  ends: Ends,
  folders: Folder[],
  places: Places,
  result: PassResult,
): Promise<void> {
  const listed = new Set(folders.map((folder) => folder.path));
  for (const row of places.kept.values()) {
    if (listed.has(row.source)) continue;
    const counters = await ends.ledger.counters(job.run, row.id);
    if (counters === null) continue;
    counters.vanished += Math.max(0, gap(counters));
    if (gap(counters) !== 0) result.gaps.push(row.source);
    await ends.ledger.count(job.run, row.id, counters, ends.fence);
  }
}

/** A retry says of a folder no pass has reached that it is not whole: nothing of it failed, nothing was carried. */
export function leftOver(folder: Folder, job: Job, result: PassResult): void {
  if ((folder.state?.count ?? 0) === 0 || !included(folder.segments, job.filters)) return;
  result.folders.push({
    folder: folder.path,
    reason: "no pass has carried it yet; type `delta`, a retry brings only what failed",
  });
}
