import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  // A batch in doubt keeps how long its target may still be storing it, whoever asks later.
  await knex.schema.alterTable("intents", (table) => {
    table.bigInteger("settles_at");
    table.integer("run_id");
  });
  // What a folder is owed without a row of failures: created before this instant; null for nothing.
  await knex.schema.alterTable("folders", (table) => {
    table.bigInteger("owed_before");
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const [table, column] of [
    ["folders", "owed_before"],
    ["intents", "run_id"],
    ["intents", "settles_at"],
  ] as const) {
    await knex.raw("alter table ?? drop column ??", [table, column]);
  }
}
