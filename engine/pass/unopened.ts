import { noCounters } from "../domain/counters.ts";
import { included } from "../domain/decide.ts";
import { FolderError } from "../domain/errors.ts";
import type { Folder } from "../domain/item.ts";
import type { LedgerFolder } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { Ends } from "./ends.ts";
import { standsStill } from "./marks.ts";

/** True when a folder's share of the pass is known without opening it. */
export async function settledUnopened(
  job: Job,
  ends: Ends,
  folder: Folder,
  row: LedgerFolder,
): Promise<boolean> {
  if (!included(folder.segments, job.filters)) {
    await leaveOut(job, ends, folder, row);
    return true;
  }
  if (job.kind === "retry") {
    return row.owed === null && !(await ends.ledger.hasFailures(row.id));
  }
  return standsStill(job, ends, folder, row);
}

/** A folder the project leaves out: its items are listed and filtered, unopened where the server counts. */
async function leaveOut(job: Job, ends: Ends, folder: Folder, row: LedgerFolder): Promise<void> {
  if (job.kind === "retry") return;
  const count = folder.state?.count ?? (await countOf(folder, ends));
  const counters = { ...noCounters(), listed: count, filtered: count };
  await ends.ledger.count(job.run, row.id, counters, ends.fence);
}

/** What cannot be opened is left out uncounted. */
async function countOf({ path }: Folder, { source }: Ends): Promise<number> {
  try {
    return (await source.open(path)).state.count;
  } catch (error) {
    if (error instanceof FolderError) return 0;
    throw error;
  }
}
