import type { Database } from "../db/open.ts";
import { row } from "./rows.ts";

/** What a table takes on disk, with its indexes, in bytes. */
interface Size {
  table: string;
  rows: number;
  data: number;
  indexes: number;
}

/** Prints what each table takes, the largest first, and what the whole database does. */
export async function printSizes(database: Database): Promise<void> {
  const sizes =
    database.kind === "postgres" ? await ofPostgres(database) : await ofSqlite(database);
  row("table", "rows", "MB", "bytes a row", "of that indexes");
  row("---", "---:", "---:", "---:", "---:");
  const large = sizes.filter(({ rows }) => rows > 0).sort((a, b) => whole(b) - whole(a));
  for (const one of large) {
    row(
      ...[one.table, one.rows, mega(whole(one)), Math.round(whole(one) / one.rows)],
      Math.round(one.indexes / one.rows),
    );
  }
  row("all", "", mega(sizes.reduce((sum, one) => sum + whole(one), 0)), "", "");
  process.stdout.write("\n");
}

const whole = ({ data, indexes }: Size) => data + indexes;
const mega = (bytes: number) => (bytes / 1e6).toFixed(1);

async function ofPostgres({ knex }: Database): Promise<Size[]> {
  const { rows } = await knex.raw<{ rows: Omit<Size, "rows">[] }>(`
    select relname as table, pg_table_size(oid) as data, pg_indexes_size(oid) as indexes
    from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`);
  return counted(knex, rows);
}

async function ofSqlite({ knex }: Database): Promise<Size[]> {
  await knex.raw("pragma wal_checkpoint(truncate)");
  const rows = await knex.raw<Omit<Size, "rows">[]>(`
    select tbl_name as "table", sum(case when type = 'table' then pgsize else 0 end) as data,
      sum(case when type = 'index' then pgsize else 0 end) as indexes
    from (select name, sum(pgsize) as pgsize from dbstat group by name) as pages
    join sqlite_master on sqlite_master.name = pages.name group by tbl_name`);
  return counted(knex, rows);
}

async function counted(knex: Database["knex"], sizes: Omit<Size, "rows">[]): Promise<Size[]> {
  const all: Size[] = [];
  for (const size of sizes) {
    const [one] = await knex(size.table).count<{ n: number }[]>({ n: "*" });
    all.push({ ...size, rows: Number(one?.n ?? 0) });
  }
  return all;
}
