import type { Knex } from "knex";
import { UserError } from "../engine/domain/errors.ts";
import { connectPostgres, connectSqlite } from "./connect.ts";
import { strange, tooNew } from "./level.ts";
import { alone } from "./migration-lock.ts";
import * as projects from "./migrations/0001_projects.ts";
import * as passes from "./migrations/0002_passes.ts";
import * as ledger from "./migrations/0003_ledger.ts";
import * as licenses from "./migrations/0004_licenses.ts";
import * as conversations from "./migrations/0005_conversations.ts";
import * as chat from "./migrations/0006_chat.ts";
import * as owed from "./migrations/0007_owed.ts";
import * as remigration from "./migrations/0008_remigration.ts";
import * as schedules from "./migrations/0009_schedules.ts";
import * as reminders from "./migrations/0010_reminders.ts";
import * as windows from "./migrations/0011_windows.ts";
import * as cutovers from "./migrations/0012_cutovers.ts";
import * as boards from "./migrations/0013_boards.ts";
import * as paces from "./migrations/0014_paces.ts";
import * as runStates from "./migrations/0015_run_states.ts";
import * as turns from "./migrations/0016_turns.ts";
import { inUse, named, refuseTooNew, unmakeable, unusable } from "./refusals.ts";
import "./tables.ts";
import { inTheWay } from "./transaction.ts";

/** An open database; disposing closes it. */
export interface Database extends AsyncDisposable {
  knex: Knex;
  kind: "sqlite" | "postgres";
  url: string;
  /** Where an SQLite database lies; null for PostgreSQL. */
  file: string | null;
}

/** A migration under its name, which also says who can live with it (`level.ts`). */
export type Step = [
  name: string,
  migration: Knex.Migration & { config?: { transaction?: boolean } },
];

/** Every migration there is, in order. What is merged is never edited. */
export const migrations: Step[] = [
  ["0001_projects", projects],
  ["0002_passes", passes],
  ["0003_ledger", ledger],
  ["0004_licenses", licenses],
  ["0005_conversations", conversations],
  ["0006_chat", chat],
  ["0007_owed", owed],
  ["0008_remigration", remigration],
  ["0009_schedules", schedules],
  ["0010_reminders", reminders],
  ["0011_windows", windows],
  ["0012_cutovers", cutovers],
  ["0013_boards", boards],
  ["0014_paces", paces],
  ["0015_run_states", runStates],
  ["0016_turns", turns],
];

/**
 * Opens `sqlite:<file>` (made with mode 0600 where there is none) or `postgres://…`. Throws `UserError` where
 * that cannot work, and for a PostgreSQL that forgets commits in a power cut unless `allowUnsafe` is given. `toLook`:
 * nothing of it is changed, and an SQLite file has to be there. A server has `withinMs` to let somebody in.
 */
export async function openDatabase(
  url: string,
  options: { allowUnsafe?: boolean; toLook?: boolean; withinMs?: number } = {},
): Promise<Database> {
  const database = /^sqlite:./i.test(url)
    ? connectSqlite(url, options.toLook)
    : /^postgres(ql)?:\/\//i.test(url)
      ? connectPostgres(url, undefined, options.withinMs)
      : null;
  if (database === null) {
    throw new UserError(
      "DATABASE_URL begins with neither `sqlite:` nor `postgres://`. Set it like `sqlite:./godwit.db` or `postgres://user@host/name`.",
    );
  }
  try {
    if (database.kind === "postgres" && options.allowUnsafe !== true) await refuseUnsafe(database);
    // Of a file it has to be read whether it is a database.
    else await database.knex.raw(database.file === null ? "select 1" : "pragma schema_version");
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw unusable(error);
  }
}

/**
 * Brings the tables up to date. Several processes may ask at the same moment: one does it, the others wait. Older
 * ones may be at work meanwhile: on PostgreSQL nothing they need is locked for longer than `lockMs`. A database that
 * a newer version has added to is taken as it is; throws `UserError` where that took away what is needed here, and
 * where nothing can be made: of a database without tables nothing is changed then.
 */
export async function migrate(database: Database, steps: Step[] = migrations): Promise<void> {
  const bringUpToDate = async () => {
    const applied = await appliedMigrations(database);
    const known = namesOf(steps);
    refuseTooNew(tooNew(applied, known));
    const missing = known.filter((name) => !applied.includes(name));
    const config = configOf(steps, database);
    // An empty database is nobody's yet. Else each for itself, so that what it locks is free after it.
    if (applied.length === 0) await makeAll(database, config);
    else for (const _ of missing) await patiently(() => database.knex.migrate.up(config));
  };
  try {
    await alone(database, bringUpToDate);
  } catch (error) {
    throw unmakeable(error, database.url);
  }
}

/** All tables or none: knex's own, which it makes before the others, go again with them. */
async function makeAll({ knex, url }: Database, config: Knex.MigratorConfig): Promise<void> {
  const own = ["knex_migrations", "knex_migrations_lock"];
  const there = await Promise.all(own.map((name) => knex.schema.hasTable(name)));
  try {
    await patiently(() => knex.migrate.latest(config));
  } catch (error) {
    const refusal = unmakeable(error, url);
    // Only where it is sure that nothing was made: a connection may be lost behind the last commit.
    for (const [at, name] of own.entries()) {
      if (refusal !== error && !there[at]) await knex.schema.dropTableIfExists(name);
    }
    throw refusal;
  }
}

/**
 * Takes back every migration: nothing is left. Throws `UserError` where mail was carried, unless told to do it
 * even so.
 */
export async function rollback(
  database: Database,
  options: { evenIfCarried?: boolean } = {},
): Promise<void> {
  await alone(database, async () => {
    const newer = strange(await appliedMigrations(database), namesOf(migrations));
    if (newer.length > 0) {
      throw new UserError(
        `This database was changed by another Godwit (it has ${named(newer)}), and only that one can take it back. Nothing was taken back. Type \`db rollback\` in that version.`,
      );
    }
    if (options.evenIfCarried !== true && (await hasCarried(database))) {
      throw new UserError(
        "This database knows what was carried: without it the next pass carries everything again. Nothing was taken back. Make a copy, then type `db rollback --yes`.",
      );
    }
    await patiently(() => database.knex.migrate.rollback(configOf(migrations, database), true));
  });
}

async function hasCarried({ knex }: Database): Promise<boolean> {
  if (!(await knex.schema.hasTable("items"))) return false;
  return (await knex("items").first("uid")) !== undefined;
}

/** A migration, and whether it is in this database. `newer`: this version does not know it. */
export interface MigrationStatus {
  name: string;
  done: boolean;
  newer: boolean;
}

/** Each migration; those of a newer version that are there come last. */
export async function migrationStatus(database: Database): Promise<MigrationStatus[]> {
  const known = namesOf(migrations);
  const applied = await appliedMigrations(database);
  return [
    ...known.map((name) => ({ name, done: applied.includes(name), newer: false })),
    ...strange(applied, known).map((name) => ({ name, done: true, newer: true })),
  ];
}

/** Throws `UserError`, as `migrate` does, where a newer version took away what is needed here. */
export async function refuseNewer(database: Database): Promise<void> {
  refuseTooNew(tooNew(await appliedMigrations(database), namesOf(migrations)));
}

/** How long a migration waits for a table that others use, and those who come after it, in ms. */
const lockMs = 2_000;

function configOf(steps: Step[], { kind }: Database): Knex.MigratorConfig {
  return {
    // Who may have others is decided before.
    disableMigrationsListValidation: true,
    migrationSource: {
      getMigrations: async () => steps,
      getMigrationName: ([name]: Step) => name,
      getMigration: async ([, migration]: Step) => ({
        ...migration,
        async up(knex: Knex) {
          const inTransaction = migration.config?.transaction !== false;
          if (kind === "postgres" && inTransaction)
            await knex.raw(`set local lock_timeout = ${lockMs}`);
          await migration.up(knex);
        },
      }),
    },
  };
}

function namesOf(steps: Step[]): string[] {
  return steps.map(([name]) => name);
}

async function refuseUnsafe({ knex }: Database): Promise<void> {
  for (const setting of ["fsync", "synchronous_commit"]) {
    const { rows } = await knex.raw<{ rows: Record<string, string>[] }>(`show ${setting}`);
    if (rows[0]?.[setting] !== "off") continue;
    throw new UserError(
      `This PostgreSQL has ${setting} = off: a power cut could make it forget what was carried, and mail would be carried twice. Set ${setting} = on and start again.`,
    );
  }
}

async function appliedMigrations({ knex }: Database): Promise<string[]> {
  if (!(await knex.schema.hasTable("knex_migrations"))) return [];
  return knex("knex_migrations").orderBy("id").pluck<string[]>("name");
}

/** Others are at work on the same tables; a migration that met one of them is tried again. */
async function patiently(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (!inTheWay(error) && !waitedTooLong(error)) throw error;
      if (attempt === attempts) throw inUse(error);
      // So that those who waited behind it get on.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 500));
    }
  }
}

const attempts = 20;

/** PostgreSQL's `lock_timeout`. */
function waitedTooLong(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "55P03";
}
