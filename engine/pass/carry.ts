import type { Counters } from "../domain/counters.ts";
import { FencedError, FolderError, harmless, TransientError } from "../domain/errors.ts";
import {
  exactFingerprinter,
  type Fingerprinter,
  type Identity,
  type Item,
} from "../domain/item.ts";
import type { FailedItem, LedgerFolder, Settled } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { OpenSource, OpenTarget, Receipt } from "../domain/provider.ts";
import type { Ends, Full } from "./ends.ts";
import type { Listing, Todo } from "./listing.ts";
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
  for (const batch of batches(listing.todo, ends.batch)) {
    if (signal.aborted) return;
    const { migrated } = counters;
    if (full.refusals >= fullAfter)
      await refuseAll(job, ends, row, from, batch, full.reason, counters);
    else from = await carryBatch(job, ends, row, to, from, batch, counters, full);
    // What is refused each time is no sign that a next try would bring more.
    if (counters.migrated > migrated) yield counters;
  }
}

/** Runs of items up to so many and so large together; one that is larger alone is a batch of its own. */
function* batches(
  todo: readonly Todo[],
  limit: { items: number; bytes: number },
): Generator<Todo[]> {
  let batch: Todo[] = [];
  let bytes = 0;
  for (const item of todo) {
    if (batch.length > 0 && (batch.length >= limit.items || bytes + item.size > limit.bytes)) {
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
  counters: Counters,
  full: Full,
): Promise<OpenSource> {
  const { ledger, fence } = ends;
  const { uidValidity } = open.state;
  const uids = batch.map((item) => item.uid);
  const into = await ends.target.open(to);
  const intent = await ledger.intend(
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
  );
  const sent = await send(open, into, uids, counters, full, ends.lost);
  const missing = uids.filter((uid) => !sent.given.has(uid));
  const alone = sent.refused !== null && uids.length > 1 ? missing : [];
  const looked = await vanished(ends, row, open, alone.length > 0 ? [] : missing);
  const { from, withheld, refused } = looked;
  for (const one of withheld) one.reason = sent.refused ?? one.reason;
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
      counters,
    },
    fence,
  );
  if (refused !== null) throw refused;
  // The server refused to hand over the batch: one by one, so that only the bad one fails.
  let next = from;
  for (const item of batch) {
    if (!alone.includes(item.uid)) continue;
    next = await carryBatch(job, ends, row, to, next, [item], counters, full);
  }
  return next;
}

/** What became of a batch that was sent. */
interface Sent {
  items: Settled[];
  failed: FailedItem[];
  /** Items the source handed over. */
  given: ReadonlyMap<number, Tapped>;
  /** The source's words where it refused to hand over the rest; null where it did not. */
  refused: string | null;
}

async function send(
  open: OpenSource,
  into: OpenTarget,
  uids: number[],
  counters: Counters,
  full: Full,
  lost: AbortSignal,
): Promise<Sent> {
  const given = new Map<number, Tapped>();
  const sent: Sent = { items: [], failed: [], given, refused: null };
  const answered = () => sent.items.length + sent.failed.length;
  try {
    for await (const receipt of into.add(tapAll(open.read(uids), given, lost))) {
      const tapped = given.get(receipt.uid);
      if (tapped === undefined) throw new Error("The target answered for an item nobody gave it.");
      note(receipt, tapped, into, sent, counters, full);
    }
  } catch (error) {
    // What did not come to its end was not stored.
    for (const [uid, { isWhole }] of given) if (!isWhole) given.delete(uid);
    // Only the source can refuse here. With every item answered for, nothing is in doubt.
    if (!(error instanceof FolderError) || answered() < given.size) throw error;
    sent.refused = harmless(error.message);
  }
  if (answered() < given.size) {
    throw new TransientError("the new system did not answer for every item", "connection");
  }
  return sent;
}

function note(
  receipt: Receipt,
  tapped: Tapped,
  into: OpenTarget,
  sent: Sent,
  counters: Counters,
  full: Full,
): void {
  if (receipt.outcome === "added") {
    sent.items.push(settled(receipt, tapped, into.state.uidValidity));
    counters.migrated += 1;
    counters.bytes += tapped.bytes;
    if (receipt.notes.includes("date clamped")) counters.datesClamped += 1;
    full.refusals = 0;
  } else {
    sent.failed.push({ uid: receipt.uid, reason: receipt.reason });
    counters.failed += 1;
    full.refusals = receipt.full ? full.refusals + 1 : 0;
    full.reason = receipt.reason;
  }
}

function settled(
  receipt: Receipt & { outcome: "added" },
  tapped: Tapped,
  targetUidValidity: number,
): Settled {
  return {
    uid: receipt.uid,
    fingerprint: tapped.hash.end(),
    modseq: tapped.modseq,
    size: tapped.bytes,
    targetUidValidity,
    targetUid: receipt.targetUid,
    identity: tapped.identity,
    flags: tapped.flags,
  };
}

/** An item on its way: hashed and measured as its bytes flow by. */
interface Tapped {
  hash: Fingerprinter;
  bytes: number;
  /** It was handed over to its last byte. */
  isWhole: boolean;
  modseq: number | null;
  identity: Identity | null;
  flags: string[];
}

async function* tapAll(
  source: AsyncIterable<Item>,
  given: Map<number, Tapped>,
  lost: AbortSignal,
): AsyncGenerator<Item> {
  for await (const item of source) {
    if (given.has(item.uid)) continue;
    stillOurs(lost);
    const { modseq, identity, flags } = item;
    const hash = exactFingerprinter();
    const tapped: Tapped = { hash, bytes: 0, isWhole: false, modseq, identity, flags };
    given.set(item.uid, tapped);
    yield { ...item, body: tap(item.body, tapped, lost), mayLeave: () => stillOurs(lost) };
  }
}

/** Fences stop records, not bytes: another engine may be sending the same by now. */
function stillOurs(lost: AbortSignal): void {
  if (lost.aborted) throw new FencedError("The lock on the entry is lost.");
}

async function* tap(
  body: AsyncIterable<Uint8Array>,
  tapped: Tapped,
  lost: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of body) {
    stillOurs(lost);
    tapped.hash.update(bytes);
    tapped.bytes += bytes.length;
    yield bytes;
  }
  tapped.isWhole = true;
  // Targets that gather a message send it after its last byte was read.
  stillOurs(lost);
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
