import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import { everything, type Renumbering } from "../engine/domain/ledger.ts";
import { forget, noteFailures } from "./settle.ts";

/** Pairs in one statement: each takes four of its variables. */
const chunk = 200;

/** Moves carried rows to a folder's new UIDVALIDITY, and drops what stands under the old numbers only. */
export async function rematch(
  trx: Knex.Transaction,
  folder: number,
  { to, pairs, unread, run }: Renumbering,
  now: Instant,
): Promise<void> {
  for (const [from, all] of Map.groupBy(pairs, ({ old }) => old.uidValidity)) {
    for (let start = 0; start < all.length; start += chunk) {
      const some = all.slice(start, start + chunk);
      const moved = some.map(({ old, uid }) => ({ old: old.uid, uid }));
      await move(trx, folder, from, to, moved);
      await forget(
        trx,
        folder,
        to,
        some.map(({ uid }) => uid),
      );
    }
  }
  const dropped = await trx("failures")
    .where({ folder_id: folder })
    .whereNot({ uid_validity: to })
    .delete();
  // Nobody knows which of the new numbers failed under the old ones.
  const owed = dropped > 0 ? { owed_before: everything } : {};
  await trx("folders")
    .where({ id: folder })
    .update({ uid_validity: to, mark: null, ...owed });
  await noteFailures(trx, { run, folder, uidValidity: to, failed: unread }, now);
}

async function move(
  trx: Knex.Transaction,
  folder: number,
  from: number,
  to: number,
  pairs: { old: number; uid: number }[],
): Promise<void> {
  const taken = await trx("items")
    .where({ folder_id: folder, uid_validity: to })
    .whereIn(
      "uid",
      pairs.map(({ uid }) => uid),
    )
    .pluck<number[]>("uid");
  // A server that goes back to numbers it had before: what is known under them stays as it is.
  const free = pairs.filter(({ uid }) => !taken.includes(uid));
  if (free.length === 0) return;
  const cases = free.map(() => "when ? then cast(? as bigint)").join(" ");
  await trx("items")
    .where({ folder_id: folder, uid_validity: from })
    .whereIn(
      "uid",
      free.map(({ old }) => old),
    )
    .update({
      uid_validity: to,
      uid: trx.raw(
        `case uid ${cases} end`,
        free.flatMap(({ old, uid }) => [old, uid]),
      ),
    });
}
