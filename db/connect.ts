import { closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
import knex from "knex";
import pg from "pg";
import { UserError } from "../engine/domain/errors.ts";
import type { Database } from "./open.ts";
import { endSilent, type Patience } from "./silence.ts";
import { inTheWay } from "./transaction.ts";

/** An SQLite database; its file is made with mode 0600 where there is none. `toLook`: nothing is made or changed. */
export function connectSqlite(url: string, toLook = false): Database {
  const file = resolve(url.slice("sqlite:".length));
  if (!toLook) makePrivate(file);
  const connection = knex({
    client: "sqlite3",
    log: silent,
    connection: { filename: file },
    useNullAsDefault: true,
    pool: {
      min: 1,
      max: 1,
      afterCreate: (raw: SqliteConnection, done: (error: Error | null) => void) =>
        settle(raw, toLook ? looking : working, done),
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

const working =
  "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on";
const looking = "pragma busy_timeout = 10000; pragma query_only = on";

function settle(
  raw: SqliteConnection,
  pragmas: string,
  done: (error: Error | null) => void,
  attempt = 1,
): void {
  raw.exec(pragmas, (error) => {
    // The change to a write-ahead log does not wait for another process that makes it too.
    if (error !== null && inTheWay(error) && attempt < 200) {
      setTimeout(settle, 25, raw, pragmas, done, attempt + 1);
    } else done(error);
  });
}

function makePrivate(file: string): void {
  try {
    // Only a file of our own making is closed here: closing one that SQLite has open would drop its locks.
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    throw notMade(file, error);
  }
}

export function notMade(file: string, cause: unknown): UserError {
  return new UserError(
    `The database file ${file} cannot be made (${codeOf(cause)}). Make its folder writable, or set DATABASE_URL to another place.`,
    { cause },
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

/** How long a server may take to let somebody in, in ms. */
const doorMs = 10_000;

/** A PostgreSQL database. Nothing is asked yet. */
export function connectPostgres(url: string, patience?: Patience, withinMs = doorMs): Database {
  const connection = knex({
    client: "pg",
    log: silent,
    connection: {
      ...{ connectionString: url, application_name: "godwit", types: numbers },
      ...{ keepAlive: true, keepAliveInitialDelayMillis: 10_000 },
      connectionTimeoutMillis: withinMs,
    },
    pool: {
      min: 0,
      max: 10,
      afterCreate: (raw: pg.Client, done: (error: unknown) => void) =>
        void patient(raw).then((process) => {
          watch.add(raw, process);
          done(null);
        }, done),
    },
  });
  const watch = endSilent(connection, url, patience);
  return {
    knex: connection,
    kind: "postgres",
    url,
    file: null,
    async [Symbol.asyncDispose]() {
      await connection.destroy();
      watch[Symbol.dispose]();
    },
  };
}

/**
 * What a frozen engine or a machine without power left half done must not hold up others: its session ends, and with
 * it its locks on rows. Answers which process of the server serves it.
 */
async function patient(raw: pg.Client): Promise<number> {
  await raw.query(
    "set idle_in_transaction_session_timeout = '30s'; set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3",
  );
  const { rows } = await raw.query<{ process: number }>("select pg_backend_pid() as process");
  return rows[0]!.process;
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
