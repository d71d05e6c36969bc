import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  const sqlite = knex.client.config.client === "sqlite3";
  // A closed entry stays, and another may take its place: each address once among the open ones.
  await knex.schema.alterTable("entries", (table) => {
    table.bigInteger("closed_at");
    // The remigration that made it; null for one that was added.
    table.integer("remigration_id");
    // The closed entry whose place it took.
    table.integer("succeeds");
  });
  for (const side of ["source", "target"]) {
    const name = `entries_project_id_${side}_key_unique`;
    await knex.raw(sqlite ? "drop index ??" : "alter table entries drop constraint ??", [name]);
    await knex.raw(
      `create unique index entries_open_${side} on entries (project_id, ${side}_key) where closed_at is null`,
    );
  }
  await knex.schema.createTable("remigrations", (table) => {
    table.increments("n");
    table.integer("project_id").notNullable().references("projects.id").index();
    table.text("because").notNullable();
    table.text("reason").notNullable();
    table.text("by").notNullable();
    table.text("approved_by");
    table.bigInteger("at").notNullable();
    table.boolean("accepts_duplicates").notNullable();
    // When the first of its entries was carried and checked; the others wait for it.
    table.bigInteger("released_at");
  });
  await knex.schema.createTable("ticks", (table) => {
    table.integer("remigration_n").notNullable().references("remigrations.n");
    table.string("item", 64).notNullable();
    // Null for what was seen by the product itself.
    table.text("by");
    table.bigInteger("at").notNullable();
    table.text("note").notNullable();
    table.primary(["remigration_n", "item"]);
  });
  await knex.schema.alterTable("runs", (table) => {
    // The run that goes first: this one waits until it was checked.
    table.integer("after_run");
    // Whether the check after it passed; null where there was none.
    table.boolean("checked");
  });
  await knex.schema.createTable("approvals", (table) => {
    table.increments("n");
    table.integer("project_id").notNullable().references("projects.id");
    table.text("channel").notNullable();
    table.text("line").notNullable();
    table.text("bound").notNullable();
    table.text("told").notNullable();
    table.text("person").notNullable();
    table.bigInteger("expires_at").notNullable();
    table.text("chosen");
    table.text("chosen_by");
    table.bigInteger("chosen_at");
  });
  await knex.schema.alterTable("plans", (table) => {
    table.text("forecast");
  });
  await knex.schema.alterTable("items", (table) => {
    // The source's own name for the message wherever it stands, hashed; null where it has none.
    table.binary("identity");
    // The flags it was sent with.
    table.text("flags");
  });
  await knex.schema.alterTable("intents", (table) => {
    // The rows are there already, and what they stand for is put back.
    table.boolean("repairs").notNullable().defaultTo(false);
  });
  // The books are only ever added to, whoever writes.
  for (const table of ["license_movements", "audit"]) await appendOnly(knex, table, sqlite);
}

async function appendOnly(knex: Knex, table: string, sqlite: boolean): Promise<void> {
  if (!sqlite) {
    await knex.raw(`
      create or replace function ${table}_append_only() returns trigger language plpgsql as $$
      begin raise exception '${table} is only added to'; end $$`);
    await knex.raw(`
      create trigger ${table}_append_only before update or delete on ${table}
      for each row execute function ${table}_append_only()`);
    return;
  }
  for (const what of ["update", "delete"]) {
    await knex.raw(`
      create trigger ${table}_no_${what} before ${what} on ${table}
      begin select raise(abort, '${table} is only added to'); end`);
  }
}

export async function down(knex: Knex): Promise<void> {
  const sqlite = knex.client.config.client === "sqlite3";
  for (const table of ["license_movements", "audit"]) {
    if (sqlite) {
      for (const what of ["update", "delete"]) await knex.raw(`drop trigger ${table}_no_${what}`);
    } else {
      await knex.raw(`drop trigger ${table}_append_only on ${table}`);
      await knex.raw(`drop function ${table}_append_only()`);
    }
  }
  // Closed entries share addresses, so each once among all cannot be had again; the table itself goes next.
  for (const side of ["source", "target"]) await knex.raw(`drop index entries_open_${side}`);
  for (const [table, column] of [
    ["intents", "repairs"],
    ["items", "flags"],
    ["items", "identity"],
    ["plans", "forecast"],
    ["runs", "checked"],
    ["runs", "after_run"],
    ["entries", "succeeds"],
    ["entries", "remigration_id"],
    ["entries", "closed_at"],
  ] as const) {
    await knex.raw("alter table ?? drop column ??", [table, column]);
  }
  for (const table of ["approvals", "ticks", "remigrations"]) await knex.schema.dropTable(table);
}
