import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable("people", (table) => {
    table.string("id", 320).primary();
    table.text("name").notNullable();
  });
  await knex.schema.createTable("roles", (table) => {
    table.integer("project_id").notNullable().references("projects.id");
    table.string("person", 320).notNullable();
    table.text("role").notNullable();
    table.text("by").notNullable();
    table.bigInteger("at").notNullable();
    table.primary(["project_id", "person"]);
  });
  await knex.schema.createTable("contacts", (table) => {
    table.string("place", 640).primary();
    table.text("how").notNullable();
  });
  await knex.schema.createTable("posts", (table) => {
    table.string("key", 320).primary();
    table.text("thread").notNullable();
  });
  // Events by the hash of their id, which a platform may make as long as it likes.
  await knex.schema.createTable("inbox", (table) => {
    table.string("event", 64).primary();
    table.bigInteger("at").notNullable().index();
  });
  await knex.schema.alterTable("audit", (table) => {
    table.text("link");
  });
  await knex.schema.alterTable("channels", (table) => {
    table.text("voice").notNullable().defaultTo("normal");
  });
  // Endpoints were made on the machine itself until now.
  await knex.schema.alterTable("endpoints", (table) => {
    table.boolean("inward").notNullable().defaultTo(true);
  });
  await knex.schema.alterTable("plans", (table) => {
    table.text("chosen");
    table.text("chosen_by");
    table.bigInteger("chosen_at");
  });
}

export async function down(knex: Knex): Promise<void> {
  // Not by the schema builder: on SQLite it would make the tables anew, which others refer to.
  for (const [table, column] of [
    ["plans", "chosen"],
    ["plans", "chosen_by"],
    ["plans", "chosen_at"],
    ["endpoints", "inward"],
    ["channels", "voice"],
    ["audit", "link"],
  ] as const) {
    await knex.raw("alter table ?? drop column ??", [table, column]);
  }
  for (const table of ["inbox", "posts", "contacts", "roles", "people"]) {
    await knex.schema.dropTable(table);
  }
}
