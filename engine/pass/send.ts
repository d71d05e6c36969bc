import type { Counters } from "../domain/counters.ts";
import { FencedError, FolderError, harmless, TransientError } from "../domain/errors.ts";
import {
  exactFingerprinter,
  type Fingerprinter,
  type Identity,
  type Item,
} from "../domain/item.ts";
import type { FailedItem, Settled } from "../domain/ledger.ts";
import type { OpenSource, OpenTarget, Receipt } from "../domain/provider.ts";
import type { Full } from "./ends.ts";

export type Refusal = Receipt & { outcome: "refused" };

/** What is known of the items of a batch. */
export interface Doubts {
  /** Whether the target is to be asked before this refusal is believed. */
  doubts(refusal: Refusal): boolean;
  wasAskedFor(uid: number): boolean;
}

/** What became of a batch that was sent. */
export interface Sent {
  items: Settled[];
  failed: FailedItem[];
  /** Of the failed: the target broke down over them, and may have them. */
  mayStand: number[];
  /** Items the source handed over. */
  given: ReadonlyMap<number, unknown>;
  /** The source's words where it refused to hand over the rest; null where it did not. */
  refused: string | null;
  /** A refusal is doubted: it and what comes after it was not sent any more. */
  isDoubted: boolean;
}

/**
 * Sends a batch and counts what came of it, up to a refusal that is doubted. Throws where anything of it may stand at the
 * target without an answer, and where the entry is no longer ours.
 */
export async function send(
  open: OpenSource,
  into: OpenTarget,
  uids: number[],
  counters: Counters,
  full: Full,
  doubts: Doubts,
  lost: AbortSignal,
): Promise<Sent> {
  const given = new Map<number, Tapped>();
  const sent: Sent = {
    items: [],
    failed: [],
    mayStand: [],
    given,
    refused: null,
    isDoubted: false,
  };
  const answered = () => sent.items.length + sent.failed.length;
  try {
    for await (const receipt of into.add(tapAll(open.read(uids), given, doubts, lost))) {
      const tapped = given.get(receipt.uid);
      if (tapped === undefined) throw new Error("The target answered for an item nobody gave it.");
      if (receipt.outcome === "refused" && doubts.doubts(receipt)) {
        return { ...sent, isDoubted: true };
      }
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
    if (receipt.mayStand === true) sent.mayStand.push(receipt.uid);
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
  { wasAskedFor }: Doubts,
  lost: AbortSignal,
): AsyncGenerator<Item> {
  for await (const item of source) {
    if (given.has(item.uid)) continue;
    stillOurs(lost);
    const { modseq, identity, flags } = item;
    const hash = exactFingerprinter();
    const tapped: Tapped = { hash, bytes: 0, isWhole: false, modseq, identity, flags };
    given.set(item.uid, tapped);
    yield {
      ...item,
      body: tap(item.body, tapped, lost),
      mayLeave: () => stillOurs(lost),
      wasAskedFor: wasAskedFor(item.uid),
    };
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
