import { tolerantFingerprinter } from "../domain/item.ts";
import type { Job } from "../domain/pass.ts";
import type { OpenTarget } from "../domain/provider.ts";
import type { Ends } from "./ends.ts";

/**
 * What stands in the target folder from the floor up and no carried row claims, by content, and how many more the
 * target does not hand over.
 */
export async function unclaimed(
  target: string,
  floor: number,
  into: OpenTarget,
  job: Job,
  ends: Ends,
): Promise<{ pool: Map<string, number[]>; unread: number }> {
  const { uidValidity } = into.state;
  const claimed = await ends.ledger.claimed(job.entry, target, uidValidity, floor);
  const free = async () =>
    new Set([...(await into.uids(floor))].filter((uid) => !claimed.has(uid)));
  const pool = new Map<string, number[]>();
  const unread = await free();
  for await (const { uid, body } of into.look(floor, new Set(unread))) {
    const hash = tolerantFingerprinter();
    for await (const bytes of body) hash.update(bytes);
    if (!unread.delete(uid)) continue;
    const key = hash.end().toString("base64");
    const same = pool.get(key);
    if (same === undefined) pool.set(key, [uid]);
    else same.push(uid);
  }
  // Some may have been removed there meanwhile.
  const still = unread.size === 0 ? unread : (await free()).intersection(unread);
  return { pool, unread: still.size };
}
