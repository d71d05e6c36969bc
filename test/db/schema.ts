import type { Knex } from "knex";

/** The tables of a database, as far as a program can trip over them. */
export interface Schema {
  /** By `table.column`. */
  columns: Map<string, Column>;
  /** What rows have to be like, each as `table: rule`. */
  rules: Set<string>;
}

interface Column {
  type: string;
  nullable: boolean;
  /** Whether it may be left out of an insert. */
  optional: boolean;
}

/** What a program that knows the tables as they were cannot live with, one sentence each. */
export function takenAway(before: Schema, after: Schema): string[] {
  const found: string[] = [];
  const tables = new Set([...before.columns.keys()].map(tableOf));
  for (const [name, was] of before.columns) {
    const is = after.columns.get(name);
    if (is === undefined) found.push(`${name} is gone`);
    else if (is.type !== was.type) found.push(`${name} is of another type`);
    else if (is.nullable !== was.nullable) found.push(`${name} may be null, or no longer`);
    else if (was.optional && !is.optional) found.push(`${name} has to be given`);
  }
  for (const [name, { optional }] of after.columns) {
    const isNew = !before.columns.has(name) && tables.has(tableOf(name));
    if (isNew && !optional) found.push(`${name} has to be given`);
  }
  for (const rule of before.rules) if (!after.rules.has(rule)) found.push(`no more ${rule}`);
  for (const rule of after.rules) {
    if (!before.rules.has(rule) && isAboutOld(rule, before)) found.push(`new ${rule}`);
  }
  return found;
}

/** A rule that a new column brings with it concerns that alone. */
function isAboutOld(rule: string, before: Schema): boolean {
  const [table = "", text = ""] = rule.split(": ");
  const old = [...before.columns.keys()].filter((name) => tableOf(name) === table);
  if (text.startsWith("trigger")) return old.length > 0;
  return old.some((name) => new RegExp(`\\b${name.slice(table.length + 1)}\\b`).test(text));
}

function tableOf(column: string): string {
  return column.split(".")[0] ?? "";
}

export function schemaOf(knex: Knex): Promise<Schema> {
  return knex.client.driverName === "pg" ? onPostgres(knex) : onSqlite(knex);
}

async function onPostgres(knex: Knex): Promise<Schema> {
  const rows = async (sql: string) =>
    (await knex.raw<{ rows: Record<string, string>[] }>(sql)).rows;
  const columns = await rows(`
    select table_name as "table", column_name as name, udt_name as type, is_nullable, column_default
    from information_schema.columns where table_schema = 'public' and table_name not like 'knex%'`);
  const constraints = await rows(`
    select conrelid::regclass::text as "table", pg_get_constraintdef(oid) as rule
    from pg_constraint where connamespace = 'public'::regnamespace and contype in ('c', 'f', 'p', 'u', 'x')`);
  const indexes = await rows(`
    select indrelid::regclass::text as "table",
      'unique' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING \\w+', '') as rule
    from pg_index join pg_class on pg_class.oid = indexrelid
    where indisunique and relnamespace = 'public'::regnamespace`);
  const triggers = await rows(`
    select tgrelid::regclass::text as "table", 'trigger ' || tgname as rule
    from pg_trigger where not tgisinternal`);
  return {
    columns: new Map(
      columns.map(({ table, name, type = "", is_nullable, column_default }) => {
        const nullable = is_nullable === "YES";
        return [
          `${table}.${name}`,
          { type, nullable, optional: nullable || column_default !== null },
        ];
      }),
    ),
    rules: new Set(
      [...constraints, ...indexes, ...triggers]
        .filter(({ table }) => !table?.startsWith("knex"))
        .map(({ table, rule }) => `${table}: ${rule}`),
    ),
  };
}

async function onSqlite(knex: Knex): Promise<Schema> {
  const schema: Schema = { columns: new Map(), rules: new Set() };
  const kept = await knex<{ type: string; name: string; tbl_name: string; sql: string | null }>(
    "sqlite_master",
  ).whereNot("tbl_name", "like", "knex%");
  for (const { type, name, tbl_name: table, sql } of kept) {
    if (type === "trigger") schema.rules.add(`${table}: trigger ${name}`);
    if (type === "index") {
      const unique = /^create unique index .*? on \S+ (.*)$/is.exec(sql ?? "");
      if (unique !== null) schema.rules.add(`${table}: unique ${unique[1]}`);
    }
    if (type !== "table") continue;
    for (const check of checksIn(sql ?? "")) schema.rules.add(`${table}: check ${check}`);
    const pragma = (what: string) => knex.raw<Record<string, string>[]>(`pragma ${what}(${table})`);
    for (const column of await pragma("table_info")) {
      // A key of one number is given by the database.
      const isKey = Number(column.pk) > 0;
      const nullable = Number(column.notnull) === 0;
      const optional = nullable || isKey || column.dflt_value !== null;
      const { type = "" } = column;
      schema.columns.set(`${table}.${column.name}`, { type, nullable, optional });
      if (isKey) schema.rules.add(`${table}: key ${column.pk} ${column.name}`);
    }
    for (const one of await pragma("foreign_key_list")) {
      schema.rules.add(`${table}: ${one.from} references ${one.table}.${one.to}`);
    }
  }
  return schema;
}

/** What stands in the parentheses of each `check (…)`. */
function checksIn(sql: string): string[] {
  return [...sql.matchAll(/\bcheck\s*\(/gi)].map((found) => {
    const start = found.index + found[0].length;
    let end = start;
    for (let depth = 1; depth > 0 && end < sql.length; end += 1) {
      if (sql[end] === "(") depth += 1;
      if (sql[end] === ")") depth -= 1;
    }
    return sql.slice(start, end - 1);
  });
}
