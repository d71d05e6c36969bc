import { closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
import knex, { type Knex } from "knex";
import pg from "pg";
import { harmless, UserError } from "../engine/domain/errors.ts";
import { lockFile } from "./file-lock.ts";
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

/** Every migration there is, in order. What is merged is never edited. */
const migrations: [name: string, migration: Knex.Migration][] = [
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
];

/** The number of PostgreSQL's advisory lock for migrating; any other would do. */
const migrating = 0x60d317;

/**
 * Opens `sqlite:<file>` (made with mode 0600 where there is none) or `postgres://…`. Throws `UserError` where
 * that cannot work, and for a PostgreSQL that forgets commits in a power cut unless `allowUnsafe` is given.
 */
export async function openDatabase(
  url: string,
  options: { allowUnsafe?: boolean } = {},
): Promise<Database> {
  const database = /^sqlite:./i.test(url)
    ? openSqlite(url)
    : /^postgres(ql)?:\/\//i.test(url)
      ? openPostgres(url)
      : null;
  if (database === null) {
    throw new UserError(
      "DATABASE_URL begins with neither `sqlite:` nor `postgres://`. Set it like `sqlite:./godwit.db` or `postgres://user@host/name`.",
    );
  }
  try {
    if (database.kind === "postgres" && options.allowUnsafe !== true) await refuseUnsafe(database);
    else await database.knex.raw("select 1");
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw unusable(error);
  }
}

/** Brings the tables up to date. Several processes may ask at the same moment: one does it, the others wait. */
export async function migrate(database: Database): Promise<void> {
  await alone(database, async () => {
    await noNewer(database);
    await patiently(() => database.knex.migrate.latest(config));
  });
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
    await noNewer(database);
    if (options.evenIfCarried !== true && (await hasCarried(database))) {
      throw new UserError(
        "This database knows what was carried: without it the next pass carries everything again. Nothing was taken back. Make a copy, then type `db rollback --yes`.",
      );
    }
    await patiently(() => database.knex.migrate.rollback(config, true));
  });
}

async function hasCarried({ knex }: Database): Promise<boolean> {
  if (!(await knex.schema.hasTable("items"))) return false;
  return (await knex("items").first("uid")) !== undefined;
}

/** Each migration, and whether it is in this database. */
export async function migrationStatus(
  database: Database,
): Promise<{ name: string; done: boolean }[]> {
  const done = new Set(await appliedMigrations(database));
  return migrations.map(([name]) => ({ name, done: done.has(name) }));
}

const config: Knex.MigratorConfig = {
  migrationSource: {
    getMigrations: async () => migrations,
    getMigrationName: ([name]: (typeof migrations)[number]) => name,
    getMigration: async ([, migration]: (typeof migrations)[number]) => migration,
  },
};

function openSqlite(url: string): Database {
  const file = resolve(url.slice("sqlite:".length));
  makePrivate(file);
  const connection = knex({
    client: "sqlite3",
    log: silent,
    connection: { filename: file },
    useNullAsDefault: true,
    pool: {
      min: 1,
      max: 1,
      afterCreate: (raw: SqliteConnection, done: (error: Error | null) => void) =>
        settle(raw, done),
    },
  });
  return {
    knex: connection,
    kind: "sqlite",
    url,
    file,
    [Symbol.asyncDispose]: () => connection.destroy(),
  };
}

interface SqliteConnection {
  exec(sql: string, done: (error: Error | null) => void): void;
}

function settle(raw: SqliteConnection, done: (error: Error | null) => void, attempt = 1): void {
  raw.exec(
    "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on",
    (error) => {
      // The change to a write-ahead log does not wait for another process that makes it too.
      if (error !== null && inTheWay(error) && attempt < 200) {
        setTimeout(settle, 25, raw, done, attempt + 1);
      } else done(error);
    },
  );
}

function makePrivate(file: string): void {
  try {
    // Only a file of our own making is closed here: closing one that SQLite has open would drop its locks.
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EEXIST") return;
    throw new UserError(
      `The database file ${file} cannot be made (${code}). Make its folder writable, or set DATABASE_URL to another place.`,
      { cause: error },
    );
  }
}

function openPostgres(url: string): Database {
  const connection = knex({
    client: "pg",
    log: silent,
    connection: { connectionString: url, application_name: "godwit", types: numbers },
    pool: { min: 0, max: 10 },
  });
  return {
    knex: connection,
    kind: "postgres",
    url,
    file: null,
    [Symbol.asyncDispose]: () => connection.destroy(),
  };
}

/** What goes wrong is thrown; the output belongs to others. */
const silent = { warn() {}, error() {}, deprecate() {}, debug() {} };

/** bigint and numeric (their sums) as numbers: nothing here counts past 2^53. */
const numbers = {
  getTypeParser(oid: number, format: string) {
    if (oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC) return Number;
    return pg.types.getTypeParser(oid, format === "binary" ? "binary" : "text");
  },
};

async function refuseUnsafe({ knex }: Database): Promise<void> {
  for (const setting of ["fsync", "synchronous_commit"]) {
    const { rows } = await knex.raw<{ rows: Record<string, string>[] }>(`show ${setting}`);
    if (rows[0]?.[setting] !== "off") continue;
    throw new UserError(
      `This PostgreSQL has ${setting} = off: a power cut could make it forget what was carried, and mail would be carried twice. Set ${setting} = on and start again.`,
    );
  }
}

function unusable(error: unknown): Error {
  if (error instanceof UserError) return error;
  const reason = harmless(error instanceof Error ? error.message || error.name : String(error));
  return new UserError(`The database cannot be used: ${reason}. Check DATABASE_URL.`, {
    cause: error,
  });
}

/** Does it while no other process migrates. The lock is freed by its holder's death, unlike knex's own. */
async function alone(database: Database, work: () => Promise<void>): Promise<void> {
  if (database.file === null) {
    const lock = new pg.Client({ connectionString: database.url });
    await lock.connect();
    try {
      await lock.query("select pg_advisory_lock($1)", [migrating]);
      await free(database);
      await work();
    } finally {
      await lock.end();
    }
    return;
  }
  await using _lock = await untilLocked(`${database.file}.locks/migrate.lock`);
  await free(database);
  await work();
}

async function untilLocked(path: string): Promise<AsyncDisposable> {
  for (;;) {
    const lock = await lockFile(path);
    if (lock !== null) return lock;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Whoever left knex's own lock behind is dead: we hold the one that counts. */
async function free({ knex }: Database): Promise<void> {
  if (await knex.schema.hasTable("knex_migrations_lock")) {
    await knex("knex_migrations_lock").update({ is_locked: 0 });
  }
}

async function noNewer(database: Database): Promise<void> {
  const known = new Set(migrations.map(([name]) => name));
  const strange = (await appliedMigrations(database)).filter((name) => !known.has(name));
  if (strange.length === 0) return;
  throw new UserError(
    `This database was written by a newer Godwit (it has ${strange.join(", ")}). Start that version, or set DATABASE_URL to another database.`,
  );
}

async function appliedMigrations({ knex }: Database): Promise<string[]> {
  if (!(await knex.schema.hasTable("knex_migrations"))) return [];
  return knex("knex_migrations").orderBy("id").pluck<string[]>("name");
}

/** Others may be writing to the same file; a migration that met one of them is tried again. */
async function patiently(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt >= 20 || !inTheWay(error)) throw error;
    }
  }
}
