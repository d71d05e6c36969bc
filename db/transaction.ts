import type { Knex } from "knex";
import { FencedError } from "../engine/domain/errors.ts";
import type { Fence } from "../engine/domain/owner.ts";
import type { Database } from "./open.ts";

/** How often a transaction is tried that others got in the way of. */
const tries = 12;

/**
 * All or nothing, tried again when another writer got in the way: `work` may run more than once and touches
 * nothing but `trx`. On SQLite it holds the only connection, so a query beside `trx` in it would wait for ever.
 */
export async function write<T>(
  database: Database,
  work: (trx: Knex.Transaction) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.knex.transaction(async (trx) => {
        // Takes SQLite's write lock before the first read, as `begin immediate` would: a transaction that
        // reads first and writes later is refused at once when another process wrote in between.
        if (database.kind === "sqlite") await trx.raw("delete from key_checks where 0");
        return work(trx);
      });
    } catch (error) {
      if (attempt >= tries || !inTheWay(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * attempt));
    }
  }
}

/** A `write` that happens only while the fence is the newest of its entry. Throws `FencedError`. */
export function fenced<T>(
  database: Database,
  fence: Fence,
  work: (trx: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return write(database, async (trx) => {
    const owner = await trx("owners")
      .where({ entry_id: fence.entry, token: fence.token })
      .forShare()
      .first("token");
    if (owner === undefined) throw new FencedError("Another process owns the entry now.");
    return work(trx);
  });
}

/** Several reads of one moment. */
export function read<T>(
  database: Database,
  work: (trx: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return database.knex.transaction(
    work,
    database.kind === "postgres" ? { isolationLevel: "repeatable read", readOnly: true } : {},
  );
}

/** Whether it is worth trying again: busy, a serialisation failure or a deadlock. */
export function inTheWay(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "SQLITE_BUSY" || code === "40001" || code === "40P01";
}
