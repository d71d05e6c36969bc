import type { FailedItem, LedgerFolder } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { OpenSource } from "../domain/provider.ts";
import { givenUp } from "./care.ts";
import type { Ends } from "./ends.ts";
import type { Listing } from "./listing.ts";
import { match } from "./rematch.ts";

const notCompared =
  "it may stand at the new system, and could not be compared with what stands there";

/**
 * Takes out of a listing what was given up, and what may stand at the target already and cannot be compared now: it
 * fails, and is looked at again by the next pass. `inDoubt` are UIDs of batches that nobody could judge. What could not be read when the
 * folder was numbered anew is read here, and is carried no more where it is found again.
 */
export async function leaveUnsure(
  job: Job,
  { ledger, fence, care }: Ends,
  row: LedgerFolder,
  open: OpenSource,
  listing: Listing,
  inDoubt: ReadonlySet<number>,
): Promise<FailedItem[]> {
  const { counters } = listing;
  const leave = (uids: ReadonlySet<number>): number => {
    const before = listing.todo.length;
    listing.todo = listing.todo.filter(({ uid }) => !uids.has(uid));
    return before - listing.todo.length;
  };
  const { uidValidity } = open.state;
  const own = care.of(row.id, uidValidity);
  const failed: FailedItem[] = [];
  for (const { uid } of listing.todo) {
    if (own.isGivenUp(uid)) failed.push({ uid, reason: givenUp });
    else if (inDoubt.has(uid)) failed.push({ uid, reason: notCompared });
  }
  counters.failed += leave(new Set(failed.map(({ uid }) => uid)));

  if (listing.todo.length === 0) return failed;
  const before = new Set(await ledger.failures(row.id, uidValidity));
  const suspects = listing.todo.filter(({ uid }) => before.has(uid)).map(({ uid }) => uid);
  const old = suspects.length === 0 ? [] : await ledger.unmatched(row.id, uidValidity);
  if (old.length === 0) return failed;
  const { pairs, unread } = await match(open, suspects, old, own);
  await ledger.rematch(row.id, { to: uidValidity, pairs, unread: [], run: job.run }, fence);
  counters.duplicates += leave(new Set(pairs.map(({ uid }) => uid)));
  counters.failed += leave(new Set(unread.map(({ uid }) => uid)));
  return [...failed, ...unread];
}
