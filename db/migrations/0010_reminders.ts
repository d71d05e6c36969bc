import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable("reminders", (table) => {
    table.increments("n");
    table.integer("project_id").notNullable().references("projects.id").index();
    table.text("channel").notNullable();
    table.text("person").notNullable();
    table.text("request").notNullable();
    table.text("cron");
    table.text("typed");
    table.boolean("auto").notNullable();
    // Null once it is not due again.
    table.bigInteger("at");
    table.text("state").notNullable();
    table.integer("times").notNullable();
    table.bigInteger("unanswered_since");
    // Its newest message takes the place of one that nobody answered.
    table.boolean("folds").notNullable();
    table.boolean("told").notNullable();
  });
  await knex.raw("create index reminders_due on reminders (at) where at is not null");
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable("reminders");
}
