import pg from "pg";
import { lockFile } from "./file-lock.ts";
import type { Database } from "./open.ts";

/** The number of PostgreSQL's advisory lock for migrating; any other would do. */
const migrating = 0x60d317;

/** Does it while no other process migrates. The lock is freed by its holder's death, unlike knex's own. */
export async function alone(database: Database, work: () => Promise<void>): Promise<void> {
  await using _lock =
    database.file === null
      ? await onServer(database.url)
      : await untilTaken(() => lockFile(`${database.file}.locks/migrate.lock`));
  await free(database);
  await work();
}

async function untilTaken<Lock>(take: () => Promise<Lock | null>): Promise<Lock> {
  for (;;) {
    const lock = await take();
    if (lock !== null) return lock;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function onServer(url: string): Promise<AsyncDisposable> {
  const client = new pg.Client({ connectionString: url, application_name: "godwit migrating" });
  // Where the session ends, what is migrated fails by itself.
  client.on("error", () => undefined);
  await client.connect();
  try {
    // Asked again and again: an index that is made concurrently waits for every statement that waits.
    await untilTaken(async () => {
      const asked = await client.query("select where pg_try_advisory_lock($1)", [migrating]);
      return asked.rowCount === 1 ? asked : null;
    });
  } catch (error) {
    await client.end();
    throw error;
  }
  return { [Symbol.asyncDispose]: () => client.end() };
}

/** Whoever left knex's own lock behind is dead: we hold the one that counts. */
async function free({ knex }: Database): Promise<void> {
  if (await knex.schema.hasTable("knex_migrations_lock")) {
    await knex("knex_migrations_lock").update({ is_locked: 0 });
  }
}
