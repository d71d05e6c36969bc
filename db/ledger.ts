import type { Knex } from "knex";
import type { Clock } from "../engine/domain/clock.ts";
import type { Intent, Ledger, LedgerFolder, Mark, Placed } from "../engine/domain/ledger.ts";
import type { Fence } from "../engine/domain/owner.ts";
import type { EntryId } from "../engine/domain/project.ts";
import { available } from "./available.ts";
import { columnsOf, countersOf } from "./counters.ts";
import type { Database } from "./open.ts";
import { rematch } from "./rematch.ts";
import { setCounters, settle } from "./settle.ts";
import type { FolderRow, IntentRow, ItemRow } from "./tables.ts";
import { fenced } from "./transaction.ts";

/** How many rows a page of carried items has. */
const page = 1000;

/** The ledger in the database: a range query to read, one transaction to write, never a query an item. */
export function knexLedger(database: Database, clock: Clock): Ledger {
  const { knex } = database;
  return available({
    async folders(entry) {
      const rows = await folderRows(knex).where("folders.entry_id", entry).orderBy("folders.id");
      return rows.map(folderOf);
    },

    async folder(entry, source, fence) {
      const find = (on: Knex) =>
        folderRows(on).where("folders.entry_id", entry).where("folders.source", source);
      const [there] = await find(knex);
      if (there !== undefined) return folderOf(there);
      return fenced(database, fence, async (trx) => {
        checkEntry(entry, fence);
        await trx("folders")
          .insert({ entry_id: entry, source })
          .onConflict(["entry_id", "source"])
          .ignore();
        const [made] = await find(trx);
        return folderOf(made!);
      });
    },

    map: (folder, target, fence) =>
      fenced(database, fence, async (trx) => {
        await ownFolder(trx, folder, fence);
        const target_folder_id = await targetFolder(trx, fence.entry, target);
        await trx("folders").where({ id: folder }).update({ target_folder_id });
      }),

    mark: (folder, mark, fence) =>
      fenced(database, fence, async (trx) => {
        await ownFolder(trx, folder, fence);
        const text = mark === null ? null : JSON.stringify(mark);
        await trx("folders").where({ id: folder }).update({ mark: text });
      }),

    async known(folder, uidValidity, from, to) {
      const rows = await knex("items")
        .where({ folder_id: folder, uid_validity: uidValidity })
        .whereBetween("uid", [from, to])
        .select("uid", "run_id", "modseq");
      return new Map(rows.map(({ uid, run_id, modseq }) => [uid, { run: run_id, modseq }]));
    },

    async identities(entry) {
      const known = new Set<string>();
      let without = 0;
      const folders = await knex("folders").where({ entry_id: entry }).pluck<number[]>("id");
      for (const folder_id of folders) {
        const rows = await knex("items").where({ folder_id }).select("identity");
        for (const { identity } of rows) {
          if (identity === null) without += 1;
          else known.add(identity.toString("base64"));
        }
      }
      return { known, without };
    },

    async carried(folder) {
      const row = await knex("items").where({ folder_id: folder }).count({ n: "*" }).first();
      return Number(row?.n ?? 0);
    },

    failures: (folder, uidValidity) =>
      knex("failures")
        .where({ folder_id: folder, uid_validity: uidValidity })
        .orderBy("uid")
        .pluck<number[]>("uid"),

    async hasFailures(folder) {
      return (await knex("failures").where({ folder_id: folder }).first("uid")) !== undefined;
    },

    async failed(folder) {
      const row = await knex("failures").where({ folder_id: folder }).count({ n: "*" }).first();
      return Number(row?.n ?? 0);
    },

    forget: (folder, uidValidity, uids, fence) =>
      fenced(database, fence, async (trx) => {
        await ownFolder(trx, folder, fence);
        for (let start = 0; start < uids.length; start += 500) {
          await trx("failures")
            .where({ folder_id: folder, uid_validity: uidValidity })
            .whereIn("uid", uids.slice(start, start + 500))
            .delete();
        }
      }),

    intend: (intent, fence) =>
      fenced(database, fence, async (trx) => {
        await ownFolder(trx, intent.folder, fence);
        const [made] = await trx("intents").insert(
          {
            folder_id: intent.folder,
            uid_validity: intent.uidValidity,
            uids: JSON.stringify(intent.uids),
            target_folder_id: await targetFolder(trx, fence.entry, intent.target),
            target_uid_validity: intent.targetUidValidity,
            floor: intent.floor,
            run_id: intent.run,
            repairs: intent.repairs,
          },
          "id",
        );
        return made!.id;
      }),

    owe: (folder, before, fence) =>
      fenced(database, fence, async (trx) => {
        if (folder === "unmarked") {
          await trx("folders")
            .where({ entry_id: fence.entry, mark: null })
            .andWhere((less) => less.whereNull("owed_before").orWhere("owed_before", "<", before))
            .update({ owed_before: before });
          return;
        }
        await ownFolder(trx, folder, fence);
        await trx("folders").where({ id: folder }).update({ owed_before: before });
      }),

    hold: (entry, until, fence) =>
      fenced(database, fence, async (trx) => {
        checkEntry(entry, fence);
        await trx("intents")
          .whereIn(
            "target_folder_id",
            trx("target_folders").where({ entry_id: entry }).select("id"),
          )
          .andWhere((other) => other.whereNull("settles_at").orWhere("settles_at", "<", until))
          .update({ settles_at: until });
      }),

    async intents(entry) {
      const rows = await knex("intents")
        .join("target_folders", "target_folders.id", "intents.target_folder_id")
        .where("target_folders.entry_id", entry)
        .orderBy("intents.id")
        .select<(IntentRow & { path: string })[]>("intents.*", "target_folders.path");
      return rows.map(intentOf);
    },

    settle: (settlement, fence) =>
      fenced(database, fence, async (trx) => {
        await ownFolder(trx, settlement.folder, fence);
        await settle(trx, settlement, clock.now());
      }),

    count: (run, folder, counters, fence) =>
      fenced(database, fence, async (trx) => {
        await ownFolder(trx, folder, fence);
        await setCounters(trx, run, folder, columnsOf(counters));
      }),

    async counters(run, folder) {
      const row = await knex("run_folders").where({ run_id: run, folder_id: folder }).first();
      return row === undefined ? null : countersOf(row);
    },

    async claimed(entry, target, targetUidValidity, floor) {
      const uids = await itemsIn(knex, entry, target)
        .where({ target_uid_validity: targetUidValidity })
        .where("target_uid", ">=", floor)
        .pluck<number[]>("target_uid");
      return new Set(uids);
    },

    async twins(entry, target, fingerprint, targetUidValidity) {
      const row = await itemsIn(knex, entry, target)
        .where({ fingerprint })
        .whereNot({ target_uid_validity: targetUidValidity })
        .count({ n: "*" })
        .first();
      return Number(row?.n ?? 0);
    },

    async unmatched(folder, uidValidity) {
      const rows = await knex("items")
        .where({ folder_id: folder })
        .whereNot({ uid_validity: uidValidity })
        .orderBy(["uid_validity", "uid"])
        .select("uid_validity", "uid", "fingerprint");
      return rows.map(({ uid_validity, uid, fingerprint }) => ({
        uidValidity: uid_validity,
        uid,
        fingerprint,
      }));
    },

    async *placed(folder) {
      let after = { uid_validity: -1, uid: -1 };
      for (;;) {
        const rows = await knex("items")
          .join("target_folders", "target_folders.id", "items.target_folder_id")
          .where("items.folder_id", folder)
          .andWhereRaw("(items.uid_validity, items.uid) > (?, ?)", [after.uid_validity, after.uid])
          .orderBy(["items.uid_validity", "items.uid"])
          .limit(page)
          .select<(ItemRow & { path: string })[]>("items.*", "target_folders.path");
        const last = rows.at(-1);
        if (last === undefined) return;
        yield rows.map(placedOf);
        after = last;
      }
    },

    rematch: (folder, change, fence) =>
      fenced(database, fence, async (trx) => {
        await ownFolder(trx, folder, fence);
        await rematch(trx, folder, change, clock.now());
      }),
  });
}

type FullFolder = FolderRow & { target: string | null };

function folderRows(knex: Knex) {
  return knex("folders")
    .leftJoin("target_folders", "target_folders.id", "folders.target_folder_id")
    .select<FullFolder[]>("folders.*", "target_folders.path as target");
}

function folderOf(row: FullFolder): LedgerFolder {
  return {
    id: row.id,
    source: row.source,
    target: row.target,
    mark: row.mark === null ? null : (JSON.parse(row.mark) as Mark),
    uidValidity: row.uid_validity,
    owed: row.owed_before,
  };
}

function intentOf(row: IntentRow & { path: string }): Intent {
  return {
    id: row.id,
    folder: row.folder_id,
    uidValidity: row.uid_validity,
    uids: JSON.parse(row.uids) as number[],
    target: row.path,
    targetUidValidity: row.target_uid_validity,
    floor: row.floor,
    run: row.run_id,
    repairs: Boolean(row.repairs),
    settlesAt: row.settles_at,
  };
}

function placedOf(row: ItemRow & { path: string }): Placed {
  return {
    run: row.run_id,
    uidValidity: row.uid_validity,
    uid: row.uid,
    size: row.size,
    fingerprint: row.fingerprint,
    flags: row.flags === null ? null : row.flags.split(" ").filter((flag) => flag !== ""),
    target: row.path,
    targetUidValidity: row.target_uid_validity,
    targetUid: row.target_uid,
  };
}

function itemsIn(knex: Knex, entry: EntryId, target: string) {
  const folder = knex("target_folders").where({ entry_id: entry, path: target }).select("id");
  return knex("items").where("target_folder_id", folder);
}

/** The row of a target folder, made where there is none. */
async function targetFolder(trx: Knex.Transaction, entry: EntryId, path: string): Promise<number> {
  const own = { entry_id: entry, path };
  await trx("target_folders").insert(own).onConflict(["entry_id", "path"]).ignore();
  return (await trx("target_folders").where(own).first("id"))!.id;
}

/** A fence is for one entry's folders alone. */
async function ownFolder(trx: Knex.Transaction, folder: number, fence: Fence): Promise<void> {
  const row = await trx("folders").where({ id: folder }).first("entry_id");
  checkEntry(row?.entry_id, fence);
}

function checkEntry(entry: EntryId | undefined, fence: Fence): void {
  if (entry !== fence.entry) throw new Error(`A fence of entry ${fence.entry} is for no other.`);
}
