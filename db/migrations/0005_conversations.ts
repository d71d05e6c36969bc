import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable("news", (table) => {
    table.increments("id");
    table.integer("pass_id").notNullable().references("passes.id");
    table.bigInteger("at").notNullable();
    table.text("body").notNullable();
    table.boolean("delivered").notNullable();
  });
  await knex.raw("create index news_undelivered on news (pass_id, id) where not delivered");
  await knex.schema.createTable("audit", (table) => {
    table.increments("id");
    table.bigInteger("at").notNullable();
    table.text("who").notNullable();
    table.integer("project_id").references("projects.id").index();
    table.text("did").notNullable();
    table.text("outcome").notNullable();
    table.text("reference");
  });
  await knex.schema.createTable("plans", (table) => {
    table.increments("n");
    table.text("hash").notNullable();
    table.text("user").notNullable();
    table.text("channel").notNullable();
    table.integer("project_id").notNullable().references("projects.id");
    table.text("request").notNullable();
    table.bigInteger("expires_at").notNullable();
  });
  await knex.schema.createTable("transcript", (table) => {
    table.increments("id");
    table.bigInteger("at").notNullable();
    table.text("kind").notNullable();
    table.text("thread").notNullable();
    table.text("reader");
    table.text("text").notNullable();
    table.text("extra").notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ["transcript", "plans", "audit", "news"]) await knex.schema.dropTable(table);
}
