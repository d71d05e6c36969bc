import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable("boards", (table) => {
    table.integer("project_id").primary().references("projects.id");
    table.text("channel").notNullable();
  });
  await knex.schema.createTable("board_steps", (table) => {
    table.integer("project_id").notNullable().references("projects.id");
    table.text("step").notNullable();
    table.text("owner");
    table.text("ticked_by");
    table.bigInteger("ticked_at");
    table.text("note").notNullable();
    table.primary(["project_id", "step"]);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable("board_steps");
  await knex.schema.dropTable("boards");
}
