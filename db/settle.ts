import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import { harmless } from "../engine/domain/errors.ts";
import type { Settlement } from "../engine/domain/ledger.ts";
import { columnsOf } from "./counters.ts";
import { tell } from "./news.ts";
import { firstItem, runOfPass } from "./runs.ts";
import type { CounterColumns } from "./tables.ts";

/** Rows in one statement: below what either database takes. */
const chunk = 100;

/** Writes the result of a batch with everything that follows from it. */
export async function settle(
  trx: Knex.Transaction,
  settlement: Settlement,
  now: Instant,
): Promise<void> {
  const run = await runOfPass(trx, settlement.run);
  const { repairs } = await carryItems(trx, settlement);
  // What is put back is in the ledger: no retry would look at it.
  if (!repairs) await noteFailures(trx, settlement, now);
  await setCounters(trx, run.id, settlement.folder, columnsOf(settlement.counters));
  if (settlement.items.length > 0 && !run.wrote && !repairs) await firstItem(trx, run, now);
  const [failure] = settlement.failed;
  if (failure === undefined || run.failure_told) return;
  await trx("runs").where({ id: run.id }).update({ failure_told: true });
  const folder = await trx("folders").where({ id: settlement.folder }).first("source");
  await tell(
    trx,
    run.pass_id,
    {
      type: "first failure",
      entry: run.source,
      folder: harmless(folder!.source),
      reason: failure.reason,
    },
    now,
  );
}

/** Sets a run's counters of a folder. */
export async function setCounters(
  trx: Knex.Transaction,
  run: number,
  folder: number,
  columns: CounterColumns,
): Promise<void> {
  await trx("run_folders")
    .insert({ run_id: run, folder_id: folder, ...columns })
    .onConflict(["run_id", "folder_id"])
    .merge();
}

async function carryItems(
  trx: Knex.Transaction,
  settlement: Settlement,
): Promise<{ repairs: boolean }> {
  const { run, folder, uidValidity, items } = settlement;
  const { target, repairs } = await targetOf(trx, settlement);
  if (items.length === 0) return { repairs };
  if (target === null) throw new Error(`Folder ${folder} was carried to no target.`);
  const rows = items.map((item) => ({
    folder_id: folder,
    uid_validity: uidValidity,
    uid: item.uid,
    run_id: run,
    fingerprint: item.fingerprint,
    size: item.size,
    modseq: item.modseq,
    target_folder_id: target,
    target_uid_validity: item.targetUidValidity,
    target_uid: item.targetUid,
    identity: item.identity,
    flags: item.flags.join(" "),
  }));
  for (const some of chunks(rows)) {
    const insert = trx("items").insert(some);
    // A row that is there already is a fault, except where what it stands for was put back.
    await (repairs ? insert.onConflict(["folder_id", "uid_validity", "uid"]).merge() : insert);
  }
  await trx("folders")
    .where({ id: folder })
    .andWhere((other) => other.whereNull("uid_validity").orWhereNot({ uid_validity: uidValidity }))
    .update({ uid_validity: uidValidity });
  await forget(
    trx,
    folder,
    uidValidity,
    items.map((item) => item.uid),
  );
  return { repairs };
}

/** Where the batch went; its intent is gone with this, but for what stays in doubt. */
async function targetOf(
  trx: Knex.Transaction,
  { intent, folder, uidValidity, stays = [], asked }: Settlement,
): Promise<{ target: number | null; repairs: boolean }> {
  if (intent === null) {
    const row = await trx("folders").where({ id: folder }).first("target_folder_id");
    return { target: row?.target_folder_id ?? null, repairs: false };
  }
  const own = { id: intent, folder_id: folder };
  const row = await trx("intents").where(own).first("target_folder_id", "repairs");
  if (row === undefined) throw new Error(`Folder ${folder} has no intent ${intent}.`);
  if (stays.length === 0) await trx("intents").where(own).delete();
  else {
    const floor = asked && { target_uid_validity: asked.targetUidValidity, floor: asked.floor };
    await trx("intents")
      .where(own)
      .update({ uids: JSON.stringify(stays), uid_validity: uidValidity, ...floor });
  }
  return { target: row.target_folder_id, repairs: Boolean(row.repairs) };
}

/** Keeps what failed and why; what is there already is replaced. */
export async function noteFailures(
  trx: Knex.Transaction,
  {
    run,
    folder,
    uidValidity,
    failed,
  }: Pick<Settlement, "run" | "folder" | "uidValidity" | "failed">,
  now: Instant,
): Promise<void> {
  const rows = failed.map(({ uid, reason }) => ({
    folder_id: folder,
    uid_validity: uidValidity,
    uid,
    run_id: run,
    reason,
    at: now,
  }));
  for (const some of chunks(rows)) {
    await trx("failures").insert(some).onConflict(["folder_id", "uid_validity", "uid"]).merge();
  }
}

/** What is carried now failed no longer. */
export async function forget(
  trx: Knex.Transaction,
  folder: number,
  uidValidity: number,
  uids: number[],
): Promise<void> {
  const own = { folder_id: folder, uid_validity: uidValidity };
  if ((await trx("failures").where(own).first("uid")) === undefined) return;
  for (const some of chunks(uids)) await trx("failures").where(own).whereIn("uid", some).delete();
}

function* chunks<T>(all: T[]): Generator<T[]> {
  for (let start = 0; start < all.length; start += chunk) yield all.slice(start, start + chunk);
}
