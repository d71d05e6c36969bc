import type { Knex } from "knex";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demands, tooNew } from "../../db/level.ts";
import { type Database, migrate, migrations, openDatabase } from "../../db/open.ts";
import { freshDatabases } from "./databases.ts";
import { type Schema, schemaOf, takenAway } from "./schema.ts";

/** From here on older versions work on a newer database. */
const first = 13;
const names = migrations.map(([name]) => name);

test("migrations are numbered without a gap", () => {
  expect(names.map((name) => name.slice(0, 5))).toEqual(
    names.map((_, n) => `${String(n + 1).padStart(4, "0")}_`),
  );
});

describe.each(["sqlite", "postgres"] as const)("on %s", (kind) => {
  const fresh = freshDatabases(kind, { unsafe: true });
  let database: Database;
  let schema: Schema;
  const taken = new Map<string, string[]>();
  beforeAll(async () => {
    database = await openDatabase(await fresh(), { allowUnsafe: true });
    await migrate(database, migrations.slice(0, first));
    schema = await schemaOf(database.knex);
    for (let n = first; n < migrations.length; n += 1) {
      await migrate(database, migrations.slice(0, n + 1));
      const after = await schemaOf(database.knex);
      taken.set(names[n]!, takenAway(schema, after));
      schema = after;
    }
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test.each(names.slice(first))("%s says of itself if it takes anything away", (name) => {
    if (!demands(name)) expect(taken.get(name)).toEqual([]);
  });

  /** What a migration of this kind would take away. */
  async function of(up: (knex: Knex) => PromiseLike<unknown>): Promise<string[]> {
    const trx = await database.knex.transaction();
    try {
      await up(trx);
      return takenAway(schema, await schemaOf(trx));
    } finally {
      await trx.rollback();
    }
  }

  test("new tables, columns that may be left out and indexes take nothing away", async () => {
    const found = await of(async (knex) => {
      await knex.schema.createTable("labels", (table) => {
        table.increments("id");
        table.text("word").notNullable().unique();
        table.integer("pass_id").notNullable().references("passes.id");
      });
      await knex.schema.alterTable("runs", (table) => {
        table.text("note");
        table.integer("looks").notNullable().defaultTo(0).checkPositive();
        table.index(["state", "entry_id"]);
      });
    });

    expect(found).toEqual([]);
  });

  const everywhere: [what: string, up: (knex: Knex) => PromiseLike<unknown>, found: string][] = [
    [
      "a table",
      ({ schema: tables }) => tables.dropTable("board_steps"),
      "board_steps.step is gone",
    ],
    [
      "a column",
      (knex) => knex.raw("alter table ?? drop column ??", ["projects", "windows"]),
      "projects.windows is gone",
    ],
    [
      "a name",
      (knex) => knex.raw("alter table ?? rename column ?? to ??", ["projects", "windows", "hours"]),
      "projects.windows is gone",
    ],
    [
      "the freedom to say it twice",
      (knex) => knex.raw("create unique index once on runs (pass_id, reason)"),
      "(pass_id, reason)",
    ],
  ];
  const onServer: typeof everywhere = [
    [
      "a type",
      (knex) => knex.raw("alter table projects alter column name type varchar(10)"),
      "projects.name is of another type",
    ],
    [
      "the freedom to be null",
      (knex) => knex.raw("alter table projects alter column windows set not null"),
      "projects.windows may be null, or no longer",
    ],
    [
      "the freedom to leave out a column",
      (knex) => knex.raw("alter table projects add column hue text not null"),
      "projects.hue has to be given",
    ],
    [
      "the freedom to be anything",
      (knex) => knex.raw("alter table runs add check (reason <> '')"),
      "new runs: CHECK",
    ],
    [
      "a key that an insert may meet",
      (knex) => knex.raw("alter table owners drop constraint owners_pkey"),
      "no more owners: PRIMARY KEY",
    ],
  ];
  test.each(kind === "sqlite" ? everywhere : [...everywhere, ...onServer])(
    "a migration that takes away %s is found out",
    async (_, up, what) => {
      expect(await of(up)).toContainEqual(expect.stringContaining(what));
    },
  );
});

describe("a program that knows 0001 to 0003 lives with", () => {
  const known = ["0001_projects", "0002_passes", "0003_ledger"];

  test.each<[applied: string[], refused: string[]]>([
    [["0001_projects"], []],
    [[...known, "0004_tags", "0005_pictures"], []],
    [[...known, "0004_tags", "0005_without_pictures_since_0003"], []],
    [
      [...known, "0004_tags", "0005_without_pictures_since_0004"],
      ["0005_without_pictures_since_0004"],
    ],
    [[...known.slice(0, 2), "0003_other"], ["0003_other"]],
    [["20260101120000_of_another_program"], ["20260101120000_of_another_program"]],
  ])("%j but for %j", (applied, refused) => {
    expect(tooNew(applied, known)).toEqual(refused);
  });
});
