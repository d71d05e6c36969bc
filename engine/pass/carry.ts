import type { Counters } from "../domain/counters.ts";
import { TransientError } from "../domain/errors.ts";
import type { LedgerFolder } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { OpenSource } from "../domain/provider.ts";
import type { Ends, Full } from "./ends.ts";
import { free, type Held, staysOf } from "./held.ts";
import type { Listing, Todo } from "./listing.ts";
import { type Refusal, type Sent, send } from "./send.ts";
import { vanished } from "./vanished.ts";

/** After so many refusals in a row for want of space, nothing more is sent to a mailbox. */
const fullAfter = 3;

/**
 * Carries a folder's items batch by batch: the intent before the first byte, the result in one
 * transaction after. Yields the folder's counters after each that brought something. Whatever throws leaves the
 * batch's intent in place: the next try asks the target before it repeats anything.
 */
export async function* carry(
  job: Job,
  ends: Ends,
  row: LedgerFolder,
  to: string,
  open: OpenSource,
  listing: Listing,
  full: Full,
  signal: AbortSignal,
): AsyncGenerator<Counters> {
  const { counters } = listing;
  let from = open;
  const { isAlone } = ends.care.of(row.id, open.state.uidValidity);
  for (const batch of batches(listing.todo, ends.batch, isAlone)) {
    if (signal.aborted) return;
    const { migrated } = counters;
    if (full.refusals >= fullAfter)
      await refuseAll(job, ends, row, from, batch, full.reason, counters);
    else from = await carryBatch(job, ends, row, to, from, batch, listing, full);
    // What is refused each time is no sign that a next try would bring more.
    if (counters.migrated > migrated) yield counters;
  }
}

/**
 * Runs of items up to so many and so large together, never of two batches in doubt; one that is larger, or to go alone,
 * is a batch of its own.
 */
function* batches(
  todo: readonly Todo[],
  limit: { items: number; bytes: number },
  isAlone: (uid: number) => boolean,
): Generator<Todo[]> {
  let batch: Todo[] = [];
  let bytes = 0;
  for (const item of todo) {
    if (isAlone(item.uid)) {
      yield [item];
      continue;
    }
    const isFull = batch.length >= limit.items || bytes + item.size > limit.bytes;
    if (batch.length > 0 && (isFull || batch[0]?.held !== item.held)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += item.size;
  }
  if (batch.length > 0) yield batch;
}

/** Carries one batch. Answers the source folder to go on with: it is opened again to make sure of what vanished. */
async function carryBatch(
  job: Job,
  ends: Ends,
  row: LedgerFolder,
  to: string,
  open: OpenSource,
  batch: Todo[],
  listing: Listing,
  full: Full,
): Promise<OpenSource> {
  const { ledger, fence } = ends;
  const { counters } = listing;
  const { uidValidity } = open.state;
  const uids = batch.map((item) => item.uid);
  const into = await ends.target.open(to);
  const of = batch[0]?.held;
  const held = of !== undefined && of.uids.size > 0 ? of : null;
  const intent =
    held?.intent ??
    (await ledger.intend(
      {
        folder: row.id,
        uidValidity,
        uids,
        target: to,
        targetUidValidity: into.state.uidValidity,
        floor: into.state.uidNext,
        run: job.run,
        repairs: job.kind === "repair",
      },
      fence,
    ));
  const care = ends.care.of(row.id, uidValidity);
  const doubts = {
    doubts: ({ uid, mayStand, full: isFull }: Refusal) =>
      mayStand === true
        ? care.breaksDown(uid)
        : held !== null && !isFull && ends.care.doubtsRefusal(intent),
    wasAskedFor: care.hasBrokenDown,
  };
  const sent = await care.during(uids, () =>
    send(open, into, uids, counters, full, doubts, ends.lost),
  );
  if (sent.isDoubted) {
    await settleAnswered(job, ends, row, uidValidity, intent, held, uids, sent, counters);
    throw new TransientError("the new system refused a message that it may have", "doubt");
  }
  const missing = uids.filter((uid) => !sent.given.has(uid));
  const alone = sent.refused !== null && uids.length > 1 ? missing : [];
  const looked = await vanished(ends, row, open, alone.length > 0 ? [] : missing);
  const { from, withheld, refused } = looked;
  for (const one of withheld) one.reason = sent.refused ?? one.reason;
  // What the source withheld, or hands over alone, the target has not answered for.
  const unsent = [...alone, ...withheld.map(({ uid }) => uid)];
  const isUntold = hasUntold(sent, ends);
  const stays = stillInDoubt(held, uids, unsent, sent, isUntold);
  counters.vanished += missing.length - alone.length - withheld.length;
  counters.failed += withheld.length;
  await ledger.settle(
    {
      run: job.run,
      intent,
      folder: row.id,
      uidValidity,
      items: sent.items,
      failed: [...sent.failed, ...withheld],
      stays,
      counters,
    },
    fence,
  );
  if (isUntold) await free(job, ends, listing);
  if (refused !== null) throw refused;
  // The server refused to hand over the batch: one by one, so that only the bad one fails.
  let next = from;
  for (const item of batch) {
    if (!alone.includes(item.uid)) continue;
    next = await carryBatch(job, ends, row, to, next, [item], listing, full);
  }
  return next;
}

/** Some of it has a copy that nobody claims: it would be taken for a twin in doubt. */
function hasUntold({ items }: Sent, { target }: Ends): boolean {
  return !target.tellsUids || items.some(({ targetUid }) => targetUid === null);
}

/** What the target answered for before it was doubted is known, whatever becomes of the rest. */
async function settleAnswered(
  job: Job,
  ends: Ends,
  row: LedgerFolder,
  uidValidity: number,
  intent: number,
  held: Held | null,
  uids: number[],
  sent: Sent,
  counters: Counters,
): Promise<void> {
  if (hasUntold(sent, ends)) return;
  const { items, failed, mayStand } = sent;
  const answered = new Set([...items, ...failed].map(({ uid }) => uid));
  const before = held === null ? uids : staysOf(held);
  const stays = [...before.filter((uid) => !answered.has(uid)), ...mayStand];
  const { run } = job;
  await ends.ledger.settle(
    { run, intent, folder: row.id, uidValidity, items, failed, stays, counters },
    ends.fence,
  );
}

/** What of a batch's intent the target has not answered for, in words that can be believed. */
function stillInDoubt(
  held: Held | null,
  uids: number[],
  unsent: number[],
  { mayStand }: Sent,
  isUntold: boolean,
): number[] {
  if (held === null) return isUntold ? [] : mayStand;
  held.uids = isUntold ? new Set() : held.uids.difference(new Set(uids)).union(new Set(unsent));
  if (!isUntold) held.unsent = [...held.unsent, ...mayStand];
  return staysOf(held);
}

async function refuseAll(
  job: Job,
  ends: Ends,
  row: LedgerFolder,
  open: OpenSource,
  batch: Todo[],
  reason: string,
  counters: Counters,
): Promise<void> {
  counters.failed += batch.length;
  await ends.ledger.settle(
    {
      run: job.run,
      intent: null,
      folder: row.id,
      uidValidity: open.state.uidValidity,
      items: [],
      failed: batch.map(({ uid }) => ({ uid, reason: `not sent, the mailbox is full: ${reason}` })),
      counters,
    },
    ends.fence,
  );
}
