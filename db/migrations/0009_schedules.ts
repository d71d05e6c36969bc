import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable("schedules", (table) => {
    table.increments("n");
    table.integer("project_id").notNullable().references("projects.id").index();
    table.text("channel").notNullable();
    table.text("person").notNullable();
    table.text("approved_by");
    table.text("request").notNullable();
    table.bigInteger("at").notNullable();
    table.text("state").notNullable();
    table.integer("pass_id").references("passes.id");
    table.text("reason");
    table.boolean("told").notNullable();
  });
  await knex.raw("create index schedules_waiting on schedules (at) where state = 'waiting'");
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable("schedules");
}
