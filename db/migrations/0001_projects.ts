import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable("key_checks", (table) => {
    table.integer("id").primary();
    table.text("sealed").notNullable();
  });
  await knex.schema.createTable("endpoints", (table) => {
    table.increments("id");
    table.text("name").notNullable();
    table.string("name_key", 320).notNullable().unique();
    table.text("provider").notNullable();
    table.text("host").notNullable();
    table.integer("port").notNullable();
    table.text("security").notNullable();
    table.text("login").notNullable();
    table.text("master_user");
    table.text("master_format").notNullable();
    table.text("master_password");
    table.text("ca");
    table.text("fingerprint");
  });
  await knex.schema.createTable("projects", (table) => {
    table.increments("id");
    table.text("name").notNullable();
    table.string("name_key", 320).notNullable().unique();
    table.integer("source_endpoint_id").notNullable().references("endpoints.id");
    table.integer("target_endpoint_id").notNullable().references("endpoints.id");
    table.text("policy").notNullable();
    table.text("zone").notNullable();
    table.text("filters").notNullable();
    table.boolean("closed").notNullable();
  });
  await knex.schema.createTable("channels", (table) => {
    table.string("channel", 320).primary();
    table.integer("project_id").notNullable().references("projects.id");
  });
  await knex.schema.createTable("entries", (table) => {
    table.increments("id");
    table.integer("project_id").notNullable().references("projects.id");
    table.text("source").notNullable();
    table.string("source_key", 640).notNullable();
    table.text("target").notNullable();
    table.string("target_key", 640).notNullable();
    table.text("workload").notNullable();
    table.text("source_user");
    table.text("source_password");
    table.text("target_user");
    table.text("target_password");
    table.integer("passes_used").notNullable();
    table.boolean("trial_used").notNullable();
    table.text("license").notNullable();
    table.bigInteger("first_success_at");
    table.unique(["project_id", "source_key"]);
    table.unique(["project_id", "target_key"]);
  });
  await knex.schema.createTable("owners", (table) => {
    table.integer("entry_id").primary().references("entries.id");
    table.bigInteger("token").notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ["owners", "entries", "channels", "projects", "endpoints", "key_checks"]) {
    await knex.schema.dropTable(table);
  }
}
