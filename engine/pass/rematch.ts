import { FolderError } from "../domain/errors.ts";
import { exactFingerprinter, type Fingerprint, type Item } from "../domain/item.ts";
import { everything, type FailedItem, type LedgerFolder, type Numbered } from "../domain/ledger.ts";
import type { RunId } from "../domain/pass.ts";
import type { OpenSource } from "../domain/provider.ts";
import type { FolderCare } from "./care.ts";
import type { Ends } from "./ends.ts";
import { notHandedOver, readAll } from "./readable.ts";

/** How many messages are read at a time to be compared. */
const chunk = 200;

/**
 * The source has renumbered a folder (its UIDVALIDITY changed, or it was deleted and made again): finds what
 * was carried by its content and moves the ledger to the new numbers, so that nothing is carried again.
 * Identical twins match as often as the ledger has them. Every body is read: sizes as listed are not exact
 * on all servers, and a miss would be a duplicate. What cannot be read, while something was not found again, fails:
 * `leaveUnsure` looks at it before it is carried. Throws `FolderError` where the source counts more than it lists and
 * something was not found again.
 */
export async function rematch(
  row: LedgerFolder,
  open: OpenSource,
  run: RunId,
  { ledger, fence, care }: Ends,
): Promise<{ found: number; carried: number }> {
  const from = row.uidValidity;
  const to = open.state.uidValidity;
  const rows = await ledger.unmatched(row.id, to);
  // Of twins the one that stood here a moment ago is meant.
  rows.sort((a, b) => Number(b.uidValidity === from) - Number(a.uidValidity === from));
  const uids = rows.length === 0 ? [] : await allUids(open);
  const { pairs, unread } = await match(open, uids, rows, care.of(row.id, to));
  if (pairs.length < rows.length) mustBeWhole(uids.length, open);
  if (await ledger.hasFailures(row.id)) row.owed = everything;
  const unsure = pairs.length < rows.length ? unread : [];
  await ledger.rematch(row.id, { to, pairs, unread: unsure, run }, fence);
  row.uidValidity = to;
  row.mark = null;
  return { found: pairs.length, carried: rows.length };
}

/** Whether the ledger stands under other numbers: what was carried or, where nothing was, what failed. */
export async function isRenumbered(
  row: LedgerFolder,
  now: number,
  { ledger }: Pick<Ends, "ledger">,
): Promise<boolean> {
  if (row.uidValidity !== null) return row.uidValidity !== now;
  return (await ledger.failed(row.id)) > (await ledger.failures(row.id, now)).length;
}

/** What a listing leaves out may be what was carried: later it would be carried again. */
export function mustBeWhole(listed: number, { state }: OpenSource): void {
  const short = state.count - listed;
  if (short <= 0) return;
  throw new FolderError(
    `the old system has numbered the folder anew and counts ${short} more than it lists: nothing of it is carried until it lists them`,
  );
}

/** What of these is found again by its content among `uids`, each once, and what of those could not be read. */
export async function match(
  open: OpenSource,
  uids: readonly number[],
  rows: readonly (Numbered & { fingerprint: Fingerprint })[],
  care: FolderCare,
): Promise<{ pairs: { old: Numbered; uid: number }[]; unread: FailedItem[] }> {
  const left = Map.groupBy(rows, ({ fingerprint }) => fingerprint.toString("base64"));
  const pairs: { old: Numbered; uid: number }[] = [];
  const unread = new Map(uids.map((uid) => [uid, notHandedOver]));
  for (const some of chunks(uids, chunk)) {
    const refused = await readAll(open, some, care, async (item) => {
      const old = left.get(await keyOf(item))?.shift();
      if (old !== undefined) pairs.push({ old, uid: item.uid });
      unread.delete(item.uid);
    });
    for (const { uid, reason } of refused) unread.set(uid, reason);
  }
  return { pairs, unread: [...unread].map(([uid, reason]) => ({ uid, reason })) };
}

async function keyOf(item: Item): Promise<string> {
  const hash = exactFingerprinter();
  for await (const bytes of item.body) hash.update(bytes);
  return hash.end().toString("base64");
}

async function allUids(open: OpenSource): Promise<number[]> {
  const uids: number[] = [];
  for await (const page of open.list()) for (const item of page) uids.push(item.uid);
  return uids;
}

export function* chunks<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}
