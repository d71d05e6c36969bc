import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable("passes", (table) => {
    table.increments("id");
    table.integer("project_id").notNullable().references("projects.id").index();
    table.text("kind").notNullable();
    table.text("state").notNullable();
    table.bigInteger("limit_at");
    table.text("types").notNullable();
    table.text("filters").notNullable();
    table.text("policy").notNullable();
    table.text("started_by").notNullable();
    table.text("thread").notNullable();
    table.bigInteger("created_at").notNullable();
    table.bigInteger("started_at");
    table.bigInteger("ended_at");
    table.text("stopped_by");
    table.string("root_message", 640).index();
  });
  await knex.schema.createTable("runs", (table) => {
    table.increments("id");
    table.integer("pass_id").notNullable().references("passes.id").index();
    table.integer("entry_id").notNullable().references("entries.id").index();
    table.text("state").notNullable();
    table.text("wanted").notNullable();
    // Asked to go on while an engine was still pausing it.
    table.boolean("resumed").notNullable();
    table.text("reason");
    table.text("waiting_for");
    table.bigInteger("waiting_until");
    table.bigInteger("expected");
    table.boolean("reserved").notNullable();
    table.boolean("wrote").notNullable();
    table.boolean("counted").notNullable();
    table.boolean("failure_told").notNullable();
    table.text("survey");
  });
  // An entry is in one pass at a time, whoever asks.
  await knex.raw(
    "create unique index runs_one_active on runs (entry_id) where state in ('queued', 'processing', 'paused')",
  );
  await knex.raw("create index runs_waiting on runs (id) where state in ('queued', 'processing')");
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable("runs");
  await knex.schema.dropTable("passes");
}
