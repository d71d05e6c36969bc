import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable("cutovers", (table) => {
    table.increments("n");
    table.integer("project_id").notNullable().references("projects.id").index();
    table.text("channel").notNullable();
    table.text("person").notNullable();
    table.text("domain").notNullable();
    table.text("old_hosts").notNullable();
    table.text("wanted_hosts").notNullable();
    table.bigInteger("planned_at");
    table.integer("quiet_hours").notNullable();
    table.bigInteger("at").notNullable();
    table.text("state").notNullable();
    table.text("known").notNullable();
    // Of the sight in `known`: whoever saw later wins.
    table.bigInteger("seen_at").notNullable();
    table.text("told").notNullable();
    table.bigInteger("moved_at");
    table.text("moved_by");
    table.bigInteger("due_at").notNullable();
    table.bigInteger("mail_due_at");
    table.text("look");
    table.bigInteger("looked_at");
    table.integer("offers").notNullable();
    table.bigInteger("offered_at");
    table.text("answered_by");
    table.bigInteger("answered_at");
    table.bigInteger("safe_at");
    table.integer("verdicts").notNullable();
  });
  await knex.raw(
    "create unique index cutovers_one_a_domain on cutovers (project_id, domain) where state in ('watching', 'moved')",
  );
  await knex.schema.createTable("late_marks", (table) => {
    table.integer("cutover_n").notNullable().references("cutovers.n");
    table.integer("entry_id").notNullable().references("entries.id");
    table.text("folder").notNullable();
    table.bigInteger("uid_validity").notNullable();
    table.bigInteger("uid_next").notNullable();
    table.primary(["cutover_n", "entry_id", "folder"]);
  });
  await knex.schema.createTable("late_mails", (table) => {
    table.integer("cutover_n").notNullable().references("cutovers.n");
    table.integer("entry_id").notNullable().references("entries.id");
    table.text("folder").notNullable();
    table.bigInteger("uid_validity").notNullable();
    table.bigInteger("uid").notNullable();
    table.bigInteger("at").notNullable();
    table.text("from_domain");
    // A delta had nothing left to carry when it was there: it waits for nothing.
    table.boolean("settled").notNullable();
    table.primary(["cutover_n", "entry_id", "folder", "uid_validity", "uid"]);
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ["late_mails", "late_marks", "cutovers"]) {
    await knex.schema.dropTable(table);
  }
}
