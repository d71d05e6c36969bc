import type { Knex } from "knex";

export async function up(knex: Knex): Promise<void> {
  const sqlite = knex.client.config.client === "sqlite3";
  await knex.schema.createTable("target_folders", (table) => {
    table.increments("id");
    table.integer("entry_id").notNullable().references("entries.id");
    table.text("path").notNullable();
    table.unique(["entry_id", "path"]);
  });
  await knex.schema.createTable("folders", (table) => {
    table.increments("id");
    table.integer("entry_id").notNullable().references("entries.id");
    table.text("source").notNullable();
    table.integer("target_folder_id").references("target_folders.id");
    table.bigInteger("uid_validity");
    table.text("mark");
    table.unique(["entry_id", "source"]);
  });
  // Millions of rows: without a row id the primary key is the table.
  await knex.raw(`
    create table items (
      folder_id integer not null references folders (id),
      uid_validity bigint not null,
      uid bigint not null,
      run_id integer not null references runs (id),
      fingerprint ${sqlite ? "blob" : "bytea"} not null,
      size bigint not null,
      modseq bigint,
      target_folder_id integer not null references target_folders (id),
      target_uid_validity bigint not null,
      target_uid bigint,
      primary key (folder_id, uid_validity, uid)
    )${sqlite ? " without rowid" : ""}`);
  await knex.raw(`
    create unique index items_one_claim on items (target_folder_id, target_uid_validity, target_uid)
    where target_uid is not null`);
  await knex.schema.createTable("intents", (table) => {
    table.increments("id");
    table.integer("folder_id").notNullable().references("folders.id").index();
    table.bigInteger("uid_validity").notNullable();
    table.text("uids").notNullable();
    table.integer("target_folder_id").notNullable().references("target_folders.id");
    table.bigInteger("target_uid_validity").notNullable();
    table.bigInteger("floor").notNullable();
  });
  await knex.schema.createTable("failures", (table) => {
    table.integer("folder_id").notNullable().references("folders.id");
    table.bigInteger("uid_validity").notNullable();
    table.bigInteger("uid").notNullable();
    table.integer("run_id").notNullable().references("runs.id").index();
    table.text("reason").notNullable();
    table.bigInteger("at").notNullable();
    table.primary(["folder_id", "uid_validity", "uid"]);
  });
  await knex.schema.createTable("run_folders", (table) => {
    table.integer("run_id").notNullable().references("runs.id");
    table.integer("folder_id").notNullable().references("folders.id");
    for (const counter of [
      "listed",
      "migrated",
      "duplicates",
      "filtered",
      "failed",
      "vanished",
      "not_carried",
      "bytes",
      "gone",
      "deleted",
      "dates_clamped",
    ]) {
      table.bigInteger(counter).notNullable();
    }
    table.bigInteger("changed");
    table.primary(["run_id", "folder_id"]);
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [
    "run_folders",
    "failures",
    "intents",
    "items",
    "folders",
    "target_folders",
  ]) {
    await knex.schema.dropTable(table);
  }
}
