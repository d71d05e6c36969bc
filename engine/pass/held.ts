import type { Counters } from "../domain/counters.ts";
import type { FailedItem } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { Ends } from "./ends.ts";
import type { Listing, Todo } from "./listing.ts";
import { carriesAll } from "./whole.ts";

/**
 * A batch in doubt of which the target was asked and did not show the rest. It is sent again under the intent it has, and
 * so stays in doubt until the target has answered for it: what was stored out of sight may be shown yet.
 */
export interface Held {
  intent: number;
  folder: number;
  uidValidity: number;
  target: string;
  /** What the target has not answered for. */
  uids: Set<number>;
  /** What is not sent now: it could not be judged, was given up, or is for a later pass. */
  unsent: readonly number[];
}

/** What of it stays in doubt. */
export function staysOf({ uids, unsent }: Held): number[] {
  return [...uids, ...unsent];
}

/**
 * Binds what is to be sent to the batches in doubt it is of, where it goes to the same folder; `to` is null where
 * nothing is sent. What a pass that carries all there is neither sends nor lists among the `unsure` is in doubt no longer.
 */
export async function bind(
  job: Job,
  ends: Ends,
  held: readonly Held[],
  to: string | null,
  listing: Listing,
  unsure: readonly FailedItem[],
  isShort: boolean,
): Promise<void> {
  const { todo, counters } = listing;
  listing.held = held;
  for (const one of held) {
    const isWanted = (item: Todo) => item.held === undefined && one.uids.has(item.uid);
    const wanted = one.target === to ? todo.filter(isWanted) : [];
    for (const item of wanted) item.held = one;
    const rest = one.uids.difference(new Set(wanted.map(({ uid }) => uid)));
    // What the source left out of its listing is to be sent as well.
    const left =
      carriesAll(job) && !isShort ? rest.intersection(new Set(unsure.map(({ uid }) => uid))) : rest;
    one.uids = one.uids.difference(rest);
    one.unsent = [...one.unsent, ...left];
    if (left.size < rest.size) await narrow(job, ends, one, counters);
  }
}

/** What was to be sent under intents of before is sent under new ones. */
export async function free(job: Job, ends: Ends, { held, counters }: Listing): Promise<void> {
  for (const one of held) {
    if (one.uids.size === 0) continue;
    one.uids = new Set();
    await narrow(job, ends, one, counters);
  }
}

async function narrow(job: Job, ends: Ends, held: Held, counters: Counters): Promise<void> {
  const { run } = job;
  const { intent, folder, uidValidity } = held;
  const stays = staysOf(held);
  await ends.ledger.settle(
    { run, intent, folder, uidValidity, items: [], failed: [], stays, counters },
    ends.fence,
  );
}
