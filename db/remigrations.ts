import type { Knex } from "knex";
import type { Clock, Instant } from "../engine/domain/clock.ts";
import { UserError } from "../engine/domain/errors.ts";
import type {
  CheckItem,
  NewRemigration,
  Remigration,
  Remigrations,
} from "../engine/domain/remigration.ts";
import type { Sealer } from "../engine/domain/secret.ts";
import { keyOf } from "./endpoints.ts";
import type { Database } from "./open.ts";
import { placeOf } from "./places.ts";
import { activeStates, type EntryRow, type RemigrationRow, type TickRow } from "./tables.ts";
import { write } from "./transaction.ts";

/** Remigrations in the database. */
export function knexRemigrations(database: Database, sealer: Sealer, clock: Clock): Remigrations {
  const { knex } = database;
  return {
    begin: (remigration) => write(database, (trx) => begin(trx, remigration, sealer, clock.now())),

    async look(n) {
      const row = await knex("remigrations").where({ n }).first();
      return row === undefined ? null : whole(knex, row);
    },

    async list(project) {
      const rows = await knex("remigrations").where({ project_id: project }).orderBy("n", "desc");
      return Promise.all(rows.map((row) => whole(knex, row)));
    },

    tick: (n, item, by, note) => setTick(knex, n, { item, by, note, at: clock.now() }),
  };
}

/** Ticks an item of the checklist; one that is ticked already gets the newest word. */
export async function setTick(
  knex: Knex,
  n: number,
  { item, by, note, at }: { item: CheckItem; by: string | null; note: string; at: Instant },
): Promise<void> {
  await knex("ticks")
    .insert({ remigration_n: n, item, by, note, at })
    .onConflict(["remigration_n", "item"])
    .merge(["by", "note", "at"]);
}

async function begin(
  trx: Knex.Transaction,
  wanted: NewRemigration,
  sealer: Sealer,
  now: Instant,
): Promise<number> {
  // Like all that start something in a project.
  await trx("projects").where({ id: wanted.project }).forNoKeyUpdate().first("id");
  const ids = wanted.entries.map(({ entry }) => entry);
  const olds = await trx("entries").where({ project_id: wanted.project }).whereIn("id", ids);
  await refuse(trx, wanted, olds);
  const [made] = await trx("remigrations").insert(
    {
      project_id: wanted.project,
      because: wanted.because,
      reason: wanted.reason,
      by: wanted.by,
      approved_by: wanted.approvedBy,
      at: now,
      accepts_duplicates: wanted.acceptsDuplicates,
      released_at: null,
    },
    "n",
  );
  const { n } = made!;
  for (const { entry, target } of wanted.entries) {
    const old = olds.find(({ id }) => id === entry)!;
    await trx("entries").where({ id: entry }).update({ closed_at: now });
    await succeed(trx, old, target, n, sealer);
  }
  for (const tick of wanted.ticks) await setTick(trx, n, { ...tick, by: null, at: now });
  return n;
}

async function refuse(
  trx: Knex.Transaction,
  wanted: NewRemigration,
  olds: EntryRow[],
): Promise<void> {
  if (olds.length !== wanted.entries.length) throw new Error("An entry is of another project.");
  const closed = olds.find(({ closed_at }) => closed_at !== null);
  if (closed !== undefined) {
    throw new UserError(
      `${closed.source} was started from scratch meanwhile. Nothing was done. Type the command again.`,
    );
  }
  const busy = await trx("runs")
    .join("entries", "entries.id", "runs.entry_id")
    .whereIn(
      "runs.entry_id",
      olds.map(({ id }) => id),
    )
    .whereIn("runs.state", activeStates)
    .first<{ source: string; pass_id: number } | undefined>("entries.source", "runs.pass_id");
  if (busy !== undefined) {
    throw new UserError(
      `${busy.source} is in pass ${busy.pass_id}, which has not ended. Nothing was done. Type \`stop ${busy.pass_id}\` or wait for it.`,
    );
  }
  const targets = wanted.entries.map(({ entry, target }) =>
    keyOf(target ?? olds.find(({ id }) => id === entry)?.target ?? ""),
  );
  const twice = targets.find((target, at) => targets.indexOf(target) !== at);
  if (twice !== undefined) {
    throw new UserError(
      `${twice} would be the new mailbox of two. Nothing was done. Name another target.`,
    );
  }
  for (const { target } of wanted.entries) {
    if (target === null) continue;
    const taken = await trx("entries")
      .where({ project_id: wanted.project, target_key: keyOf(target), closed_at: null })
      .whereNotIn(
        "id",
        olds.map(({ id }) => id),
      )
      .first("source");
    if (taken === undefined) continue;
    throw new UserError(
      `${target} is the new mailbox of ${taken.source} already. Nothing was done. Type \`--target\` with another one.`,
    );
  }
}

/** A new entry in the place of an old one. */
async function succeed(
  trx: Knex.Transaction,
  old: EntryRow,
  target: string | null,
  n: number,
  sealer: Sealer,
): Promise<void> {
  const { id, ...row } = old;
  // Another mailbox has another login.
  const moved = target !== null && keyOf(target) !== old.target_key;
  const [made] = await trx("entries").insert(
    {
      ...row,
      ...(target !== null && { target, target_key: keyOf(target) }),
      ...(moved && { target_user: null }),
      source_password: null,
      target_password: null,
      passes_used: 0,
      trial_used: false,
      license: "none",
      first_success_at: null,
      closed_at: null,
      remigration_id: n,
      succeeds: id,
    },
    "id",
  );
  const fresh = made!.id;
  // A sealed password opens in its own place alone, and that has the entry's id in it.
  const reseal = (side: "source" | "target") => {
    const sealed = old[`${side}_password`];
    return sealed === null
      ? null
      : sealer.seal(sealer.open(sealed, placeOf[side](id)), placeOf[side](fresh));
  };
  await trx("entries")
    .where({ id: fresh })
    .update({
      source_password: reseal("source"),
      target_password: moved ? null : reseal("target"),
    });
}

async function whole(knex: Knex, row: RemigrationRow): Promise<Remigration> {
  const entries = await knex("entries")
    .where({ remigration_id: row.n })
    .orderBy("id")
    .select("id", "succeeds", "source", "target");
  const ticks = await knex("ticks").where({ remigration_n: row.n }).orderBy("at");
  return {
    n: row.n,
    project: row.project_id,
    because: row.because,
    reason: row.reason,
    by: row.by,
    approvedBy: row.approved_by,
    at: row.at,
    acceptsDuplicates: Boolean(row.accepts_duplicates),
    releasedAt: row.released_at,
    entries: entries.map(({ id, succeeds, source, target }) => ({
      entry: id,
      succeeds: succeeds!,
      source,
      target,
    })),
    ticks: ticks.map(tickOf),
  };
}

function tickOf({ item, by, at, note }: TickRow): Remigration["ticks"][number] {
  return { item: item as CheckItem, by, at, note };
}
