import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  // Tries in a row at which the server took nobody; `tries` are the mailbox's own.
  await knex.schema.alterTable("runs", (table) => {
    table.integer("server_tries").notNullable().defaultTo(0);
  });
  // When a run of it began last: of passes whose turn it is, the one that waited longest goes first.
  await knex.schema.alterTable("passes", (table) => {
    table.bigInteger("begun_at");
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw("alter table ?? drop column ??", ["passes", "begun_at"]);
  await knex.raw("alter table ?? drop column ??", ["runs", "server_tries"]);
}
