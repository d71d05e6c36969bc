import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  // How many mailboxes at once, and what the server said of it, as JSON; null for as many as there are.
  await knex.schema.alterTable("endpoints", (table) => {
    table.text("pace");
  });
  // Tries in a row that brought nothing, of a run that waits for the next.
  await knex.schema.alterTable("runs", (table) => {
    table.integer("tries").notNullable().defaultTo(0);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw("alter table ?? drop column ??", ["runs", "tries"]);
  await knex.raw("alter table ?? drop column ??", ["endpoints", "pace"]);
}
