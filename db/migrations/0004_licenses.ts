import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable("license_movements", (table) => {
    table.increments("id");
    table.integer("project_id").notNullable().references("projects.id").index();
    table.text("kind").notNullable();
    table.integer("count").notNullable();
    table.text("by").notNullable();
    table.integer("entry_id").references("entries.id");
    table.integer("run_id").references("runs.id");
    table.integer("pass_id").references("passes.id");
    table.text("note");
    table.bigInteger("at").notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable("license_movements");
}
