import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  // Every run that begins or ends asks which states the others of its pass are in.
  await knex.raw("create index runs_of_pass on runs (pass_id, state)");
  await knex.raw("drop index runs_pass_id_index");
  // The mailboxes that are carried: few, however many wait or ended.
  await knex.raw("create index runs_processing on runs (pass_id) where state = 'processing'");
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw("drop index runs_processing");
  await knex.raw("create index runs_pass_id_index on runs (pass_id)");
  await knex.raw("drop index runs_of_pass");
}
