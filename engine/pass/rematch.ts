import { exactFingerprinter } from "../domain/item.ts";
import { everything, type Ledger, type LedgerFolder } from "../domain/ledger.ts";
import type { Fence } from "../domain/owner.ts";
import type { OpenSource } from "../domain/provider.ts";
import { readAll } from "./readable.ts";

/** How many messages are read at a time to be compared. */
const chunk = 200;

/**
 * The source has renumbered a folder (its UIDVALIDITY changed, or it was deleted and made again): finds what
 * was carried by its content and moves the ledger to the new numbers, so that nothing is carried again.
 * Identical twins match as often as the ledger has them. Every body is read: sizes as listed are not exact
 * on all servers, and a miss would be a duplicate.
 */
export async function rematch(
  row: LedgerFolder,
  open: OpenSource,
  ledger: Ledger,
  fence: Fence,
): Promise<{ found: number; carried: number }> {
  const from = row.uidValidity;
  const to = open.state.uidValidity;
  if (from === null) return { found: 0, carried: 0 };
  const rows = new Map<string, number[]>();
  let carried = 0;
  for await (const page of ledger.carriedRows(row.id, from)) {
    for (const { uid, fingerprint } of page) {
      const key = fingerprint.toString("base64");
      const same = rows.get(key);
      if (same === undefined) rows.set(key, [uid]);
      else same.push(uid);
      carried += 1;
    }
  }
  const pairs: { old: number; uid: number }[] = [];
  if (carried > 0) {
    for (const uids of chunks(await allUids(open), chunk)) {
      // What nobody can read matches nothing.
      await readAll(open, uids, async (item) => {
        const hash = exactFingerprinter();
        for await (const bytes of item.body) hash.update(bytes);
        const old = rows.get(hash.end().toString("base64"))?.shift();
        if (old !== undefined) pairs.push({ old, uid: item.uid });
      });
    }
  }
  if (await ledger.hasFailures(row.id)) row.owed = everything;
  await ledger.rematch(row.id, { from, to, pairs }, fence);
  row.uidValidity = to;
  row.mark = null;
  return { found: pairs.length, carried };
}

async function allUids(open: OpenSource): Promise<number[]> {
  const uids: number[] = [];
  for await (const page of open.list()) for (const item of page) uids.push(item.uid);
  return uids;
}

export function* chunks<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}
