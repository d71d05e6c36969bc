import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  // Hours of the day and blackout dates, as JSON; null for none.
  await knex.schema.alterTable("projects", (table) => {
    table.text("windows");
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw("alter table ?? drop column ??", ["projects", "windows"]);
}
