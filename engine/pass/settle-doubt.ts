import { gap, noCounters } from "../domain/counters.ts";
import { FolderError } from "../domain/errors.ts";
import {
  exactFingerprinter,
  type Fingerprint,
  type Item,
  tolerantFingerprinter,
} from "../domain/item.ts";
import type { FailedItem, Intent, LedgerFolder, Settled } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { OpenSource, OpenTarget } from "../domain/provider.ts";
import { carriedOf } from "./carried.ts";
import type { Ends } from "./ends.ts";
import type { Held } from "./held.ts";
import type { Resent } from "./late.ts";
import { notHandedOver, readAll } from "./readable.ts";
import { chunks, mustBeWhole, rematch } from "./rematch.ts";
import { there } from "./there.ts";
import { unclaimed } from "./unclaimed.ts";
import { carriesAll } from "./whole.ts";

/** Of a folder numbered anew so many may be the batch's and stay in doubt: after each loss they are read again. */
const mostHeldAnew = 500;

/** What came of a batch in doubt. */
export interface Settlings {
  /** How many of it stood there. */
  found: number;
  resent: Resent;
  /** UIDs that nobody can judge now: they stay in doubt, and are not sent. */
  stays: number[];
  /** What was not there and stays in doubt until it is sent. */
  held: Held | null;
  uidValidity: number;
  /** How many of it failed, and count. */
  failed: number;
}

/**
 * Asks the target what became of a batch whose result was never seen. What is found there is settled as
 * carried; what is not found is free to be sent again; what vanished at the source meanwhile cannot be sent
 * twice and is dropped; what the source does not hand over fails. What cannot be judged, because one of the two does
 * not hand over what may be the other's, fails and stays in doubt. `listed`: source and target folder
 * stand in their listings; one that does not is asked for by name before it is taken for deleted. `sends`: the folder
 * is carried afterwards.
 */
export async function settleDoubt(
  intent: Intent,
  row: LedgerFolder | null,
  listed: { source: boolean; target: boolean },
  sends: boolean,
  job: Job,
  ends: Ends,
): Promise<Settlings> {
  const { ledger, fence } = ends;
  let found = nothing;
  let { uidValidity } = intent;
  // Where no UIDs are told, a twin sent now would be taken for it.
  let mayHold = (sends || !carriesAll(job)) && !intent.repairs && ends.target.tellsUids;
  const open = row === null ? null : await there(listed.source, () => ends.source.open(row.source));
  const into = await there(listed.target, () => ends.target.open(intent.target));
  if (row !== null && open !== null && into !== null) {
    const renumbered = open.state.uidValidity !== intent.uidValidity;
    if (row.uidValidity !== null && row.uidValidity !== open.state.uidValidity) {
      await rematch(row, open, job.run, ends);
    }
    // Under new numbers any message the ledger does not know may be one of the batch.
    const uids = renumbered ? await unknown(row, open, ends) : await uncarried(intent, ends);
    uidValidity = open.state.uidValidity;
    // Of all that may be it under new numbers no pass that leaves some of it to others is to be held up.
    mayHold &&= !renumbered || (carriesAll(job) && uids.length <= mostHeldAnew);
    found = await find(intent, uids, open, into, job, ends);
  }
  const counters = (await ledger.counters(job.run, intent.folder)) ?? noCounters();
  // What is put back is counted already.
  const failed = intent.repairs ? 0 : found.failed.length;
  // Where the folder is listed afterwards, that replaces these.
  for (const { size } of intent.repairs ? [] : found.items) {
    counters.migrated += 1;
    counters.bytes += size;
  }
  counters.failed += failed;
  // An earlier try of this run may have listed them.
  counters.listed += Math.max(0, -gap(counters));
  // What was not handed over stands nowhere in sight either, where it does not stay.
  const unseen = found.stays.length > 0 ? [] : found.failed.map(({ uid }) => uid);
  const held = new Set(mayHold ? [...found.missing.keys(), ...unseen] : []);
  await ledger.settle(
    {
      run: job.run,
      intent: intent.id,
      folder: intent.folder,
      uidValidity,
      items: found.items,
      failed: found.failed,
      stays: [...found.stays, ...held],
      ...(into !== null && found.stays.length === 0 && { asked: askedOf(into) }),
      counters,
    },
    fence,
  );
  const { id, folder, target } = intent;
  const { stays } = found;
  return {
    found: found.items.length,
    resent: { folder, uidValidity, target, ...askedOf(into), keys: found.missing },
    stays,
    held:
      held.size === 0
        ? null
        : { intent: id, folder, uidValidity, target, uids: held, unsent: stays },
    uidValidity,
    failed,
  };
}

/** What comes into sight later has a UID from there up. */
function askedOf(into: OpenTarget | null): { targetUidValidity: number; floor: number } {
  const { uidValidity = 0, uidNext = 1 } = into?.state ?? {};
  return { targetUidValidity: uidValidity, floor: uidNext };
}

/** What is put back is carried, and in doubt all the same. */
async function uncarried({ folder, uidValidity, uids, repairs }: Intent, ends: Ends) {
  if (repairs) return uids;
  const carried = await carriedOf(folder, uidValidity, uids, ends);
  return uids.filter((uid) => !carried.has(uid));
}

async function unknown(row: LedgerFolder, open: OpenSource, ends: Ends): Promise<number[]> {
  const uids: number[] = [];
  let listed = 0;
  for await (const page of open.list()) {
    listed += page.length;
    const [first, last] = [page[0], page.at(-1)];
    if (first === undefined || last === undefined) continue;
    const known = await ends.ledger.known(row.id, open.state.uidValidity, first.uid, last.uid);
    for (const item of page) if (!known.has(item.uid)) uids.push(item.uid);
  }
  mustBeWhole(listed, open);
  return uids;
}

interface Found {
  items: Settled[];
  /** What was not there, with its tolerant fingerprint. */
  missing: Map<number, string>;
  failed: FailedItem[];
  stays: number[];
}

const nothing: Found = { items: [], missing: new Map(), failed: [], stays: [] };

async function find(
  intent: Intent,
  uids: number[],
  open: OpenSource,
  into: OpenTarget,
  job: Job,
  ends: Ends,
): Promise<Found> {
  const { uidValidity } = into.state;
  const renumbered = uidValidity !== intent.targetUidValidity;
  const floor = renumbered ? 1 : intent.floor;
  const { pool, unread } = await unclaimed(intent.target, floor, into, job, ends);
  const items: Settled[] = [];
  const missing = new Map<number, string>();
  const notRead = new Map(uids.map((uid) => [uid, notHandedOver]));
  const care = ends.care.of(intent.folder, open.state.uidValidity);
  const spoken = new Set<string>();
  for (const some of chunks(uids, 200)) {
    const refused = await readAll(open, some, care, async (item) => {
      const { key, fingerprint, size } = await fingerprints(item);
      notRead.delete(item.uid);
      const candidates = pool.get(key) ?? [];
      if (renumbered && !spoken.has(key)) {
        // The claims of carried twins went with the old numbers: as many copies as they are belong to them.
        spoken.add(key);
        const { target } = intent;
        candidates.splice(0, await ends.ledger.twins(job.entry, target, fingerprint, uidValidity));
      }
      const targetUid = candidates.shift();
      if (targetUid === undefined) {
        // Marked \Deleted it is sent no more.
        if (!item.flags.some((flag) => /^\\deleted$/i.test(flag))) missing.set(item.uid, key);
        return;
      }
      const { uid, modseq, identity, flags } = item;
      items.push({
        uid,
        fingerprint,
        modseq,
        size,
        targetUidValidity: uidValidity,
        targetUid,
        identity,
        flags,
      });
    });
    for (const { uid, reason } of refused) notRead.set(uid, reason);
  }
  // Of what the source left out, what it lists no more has vanished.
  const failed = await stillListed(open, notRead);
  const left = [...pool.values()].some((candidates) => candidates.length > 0);
  const stays = left || unread > 0 ? failed.map(({ uid }) => uid) : [];
  if (unread > 0) {
    const reason = "it may be what the new system has and does not hand over";
    failed.push(...[...missing.keys()].map((uid) => ({ uid, reason })));
    stays.push(...missing.keys());
    missing.clear();
  }
  // Where no UIDs are told, a twin sent now would be taken for it.
  if (stays.length > 0 && !ends.target.tellsUids) {
    throw new FolderError(`a batch in doubt cannot be looked for: ${failed[0]?.reason}`);
  }
  return { items, missing, failed, stays };
}

async function stillListed(
  open: OpenSource,
  reasons: ReadonlyMap<number, string>,
): Promise<FailedItem[]> {
  const listed: FailedItem[] = [];
  if (reasons.size === 0) return listed;
  for await (const page of open.list([...reasons.keys()])) {
    for (const { uid } of page) {
      const reason = reasons.get(uid);
      if (reason !== undefined) listed.push({ uid, reason });
    }
  }
  return listed;
}

async function fingerprints(
  item: Item,
): Promise<{ key: string; fingerprint: Fingerprint; size: number }> {
  const [tolerant, exact] = [tolerantFingerprinter(), exactFingerprinter()];
  let size = 0;
  for await (const bytes of item.body) {
    tolerant.update(bytes);
    exact.update(bytes);
    size += bytes.length;
  }
  return { key: tolerant.end().toString("base64"), fingerprint: exact.end(), size };
}
