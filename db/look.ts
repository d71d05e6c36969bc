import { accessSync, constants, existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UserError } from "../engine/domain/errors.ts";
import { notMade } from "./connect.ts";
import { type Database, migrationStatus, openDatabase, refuseNewer } from "./open.ts";
import { notPermitted, occupied, readOnly, toOwn } from "./refusals.ts";

// How a database stands, for who looks: nothing is made and nothing changed.

/** The file of an SQLite database that is still to be made; null for any other. Throws `UserError` where it cannot be. */
export function fileToCome(url: string): string | null {
  const [, path] = /^sqlite:(.+)$/is.exec(url) ?? [];
  if (path === undefined) return null;
  const file = resolve(path);
  if (existsSync(file)) return null;
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw notMade(file, error);
  }
  return file;
}

/** How many migrations the next start makes. Throws `UserError` where it would refuse, or could not. */
export async function migrationsToCome(database: Database): Promise<number> {
  await refuseNewer(database);
  const missing = (await migrationStatus(database)).filter(({ done }) => !done);
  await refuseUnwritable(database, missing.length > 0);
  const none = missing.length > 0 && !(await database.knex.schema.hasTable("knex_migrations"));
  if (none && (await database.knex.schema.hasTable("projects"))) {
    throw occupied("a table named projects is there already");
  }
  return missing.length;
}

async function refuseUnwritable({ knex, file, url }: Database, tables: boolean): Promise<void> {
  if (file !== null) {
    try {
      accessSync(file, constants.W_OK);
    } catch (error) {
      throw readOnly(error);
    }
    return;
  }
  const { rows } = await knex.raw<{ rows: Rights[] }>(
    "select current_setting('transaction_read_only') as readonly, current_schema() as schema, has_schema_privilege(current_schema(), 'create') as may",
  );
  const { readonly, schema, may } = rows[0]!;
  if (readonly === "on") throw readOnly();
  if (tables && may !== true) {
    throw notPermitted(`permission denied for schema ${schema ?? "public"}`, url);
  }
}

interface Rights {
  readonly: string;
  /** Null where there is none to make tables in. */
  schema: string | null;
  may: boolean | null;
}

/** Throws `UserError` where this user may make no schema in this PostgreSQL database. */
export async function refuseWithoutSchema(url: string, name: string): Promise<void> {
  await using database = await openDatabase(url, { allowUnsafe: true, toLook: true });
  const { rows } = await database.knex.raw<{ rows: { may: boolean }[] }>(
    "select has_database_privilege(current_database(), 'create') as may",
  );
  if (rows[0]?.may === true) return;
  throw new UserError(
    `QUEUE_URL: the schema ${name} cannot be made there: permission denied. Engines look for runs by themselves until it can, some seconds later each. ${toOwn(url)}`,
  );
}
