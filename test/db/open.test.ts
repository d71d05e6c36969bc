import { once } from "node:events";
import { stat } from "node:fs/promises";
import type { Knex } from "knex";
import { describe, expect, test } from "vitest";
import { migrationsToCome } from "../../db/look.ts";
import {
  migrate,
  migrationStatus,
  migrations,
  openDatabase,
  rollback,
  type Step,
} from "../../db/open.ts";
import { UserError } from "../../engine/domain/errors.ts";
import { noWindows } from "../../engine/domain/window.ts";
import { acme, own, passOver } from "../contracts/books.ts";
import { memoryWorld } from "../doubles/memory-world.ts";
import { openGate } from "../servers/gate.ts";
import { openBooks } from "./books.ts";
import { freshDatabases } from "./databases.ts";
import { otherProcess } from "./death.ts";

/** Migrations of a version to come: one that adds, and one that takes away what this version uses. */
const adds: Step = ["9001_hues", { up: addHues, down: async () => {} }];
const takes: Step = [
  "9002_without_steps_since_9001",
  { up: (knex) => knex.schema.dropTable("board_steps"), down: async () => {} },
];
const later = (...steps: Step[]) => [...migrations, ...steps];
const nameOf = ([name]: Step) => name;

async function addHues(knex: Knex): Promise<void> {
  await knex.schema.createTable("hues", (table) => {
    table.integer("project_id").notNullable().references("projects.id");
  });
  await knex.schema.alterTable("projects", (table) => {
    table.text("hue");
  });
  await knex.schema.alterTable("runs", (table) => {
    table.integer("hue").notNullable().defaultTo(0);
    table.index(["state", "hue"]);
  });
}

describe("opening a database", () => {
  const sqlite = freshDatabases("sqlite");
  const postgres = freshDatabases("postgres", { unsafe: true });

  test("makes an SQLite file that only its owner reads, and commits that last", async () => {
    const url = await sqlite();
    await using database = await openDatabase(url);
    await migrate(database);

    const file = url.slice("sqlite:".length);
    expect(database).toMatchObject({ kind: "sqlite", url, file });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(`${file}.locks`)).mode & 0o777).toBe(0o700);
    const pragma = async (name: string) =>
      Object.values((await database.knex.raw<object[]>(`pragma ${name}`))[0]!)[0];
    expect(await pragma("journal_mode")).toBe("wal");
    expect(await pragma("synchronous")).toBe(2);
    expect(await pragma("foreign_keys")).toBe(1);
  });

  test.each(["mysql://host/name", "godwit.db", "", "sqlite:"])(
    "refuses %j, saying what a URL looks like",
    async (url) => {
      const refusal = expect(openDatabase(url)).rejects;
      await refusal.toThrow(/Set it like `sqlite:\.\/godwit\.db` or `postgres:/);
      await expect(openDatabase(url)).rejects.toThrow(UserError);
    },
  );

  test("refuses a folder that is not there, by name", async () => {
    await expect(openDatabase("sqlite:/nowhere/at/all.db")).rejects.toThrow(
      /\/nowhere\/at\/all\.db cannot be made .*DATABASE_URL/,
    );
  });

  test("refuses a file that is no database", async () => {
    await expect(openDatabase(`sqlite:${import.meta.filename}`)).rejects.toThrow(
      /cannot be used: .*not a database.*DATABASE_URL/,
    );
  });

  test("refuses a server that lets nobody in, after some seconds, and says what may be between", async () => {
    const url = new URL(await postgres());
    await using gate = await openGate({ host: "127.0.0.1", port: Number(url.port) });
    url.port = String(gate.port);
    gate.silence();
    await expect(openDatabase(url.href, { withinMs: 200 })).rejects.toThrow(
      /cannot be used: it does not answer\. Is something in between.*Check DATABASE_URL/,
    );
  });

  test("refuses an address that cannot be read, with how a password is written", async () => {
    const opening = openDatabase("postgres://me:hid/den@h/name");
    await expect(opening).rejects.toThrow(/cannot be read.*like \/, @, \? and % .*%2F, %40/);
    await opening.catch((error) => expect(String(error)).not.toMatch(/hid|den@/));
  });

  test("to look alone, it leaves a file as it is, and takes nothing that is written", async () => {
    const url = await sqlite();
    {
      await using theirs = await openDatabase(url);
      await theirs.knex.raw("pragma journal_mode = delete");
    }
    await using database = await openDatabase(url, { toLook: true });
    expect(await database.knex.raw("pragma journal_mode")).toEqual([{ journal_mode: "delete" }]);
    await expect(migrate(database)).rejects.toThrow(/^The database is read-only/);
  });

  test("refuses a server that does not answer, without a word of its password", async () => {
    const opening = openDatabase("postgres://me:hidden@127.0.0.1:1/name");

    await expect(opening).rejects.toThrow(UserError);
    await opening.catch((error) => expect(String(error)).not.toContain("hidden"));
  });

  test("refuses a PostgreSQL that forgets commits in a power cut, unless that is allowed", async () => {
    const url = await postgres();

    await expect(openDatabase(url)).rejects.toThrow(/fsync = off/);

    await using database = await openDatabase(url, { allowUnsafe: true });
    await migrate(database);
    const status = await migrationStatus(database);
    expect(status.every(({ done }) => done)).toBe(true);
  });

  test("migrates forth and back and forth, on both", async () => {
    for (const url of [await sqlite(), await postgres()]) {
      await using database = await openDatabase(url, { allowUnsafe: true });
      await migrate(database);
      await migrate(database);

      await rollback(database);

      expect((await migrationStatus(database)).some(({ done }) => done)).toBe(false);
      await migrate(database);
      expect((await migrationStatus(database)).every(({ done }) => done)).toBe(true);
    }
  });

  test("a file that several processes open first, all at once, is migrated once", async () => {
    const url = await sqlite();

    const ends = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = otherProcess(url, ["migrate"]);
        child.stdin?.end();
        return (await once(child, "exit"))[0];
      }),
    );

    expect(ends).toEqual([0, 0, 0, 0]);
    await using books = await openBooks(url);
    expect(await books.projects.list()).toEqual([]);
  });

  test("a migration that was killed does not keep the next one out", async () => {
    const url = await sqlite();
    await using database = await openDatabase(url);
    await migrate(database);
    await database.knex("knex_migrations_lock").update({ is_locked: 1 });

    await migrate(database);

    expect((await migrationStatus(database)).every(({ done }) => done)).toBe(true);
  });

  test("a database from before projects had hours keeps working, on both", async () => {
    for (const url of [await sqlite(), await postgres()]) {
      {
        await using old = await openBooks(url, undefined, { allowUnsafe: true });
        const { project, entries } = await acme(old, ["anna"]);
        await old.passes.submit(passOver(project, entries));
        const { knex } = old.database;
        await knex.schema.alterTable("projects", (table) => table.dropColumn("windows"));
        await knex("knex_migrations").where({ name: "0011_windows" }).delete();
      }

      await using books = await openBooks(url, undefined, { allowUnsafe: true });

      const [project] = await books.projects.list();
      expect(project).toMatchObject({ name: "acme", windows: noWindows });
      const [run] = await books.passes.waiting(10);
      await using owned = (await books.owners.take(1))!;
      expect(await books.passes.putOff(run!, () => 1, owned.fence)).toBe(false);
      expect(await books.passes.begin(run!, owned.fence)).toBe(true);
    }
  });

  test("a migration that waits for a table lets others at it, and is made when its turn comes", async () => {
    const url = await postgres();
    await using newer = await openDatabase(url, { allowUnsafe: true });
    await migrate(newer);
    await using older = await openDatabase(url, { allowUnsafe: true });
    const backup = await older.knex.transaction();
    await backup("projects").first();

    const migrating = migrate(newer, later(adds));
    const waits = () =>
      older
        .knex("pg_locks")
        .whereRaw("not granted and relation = 'projects'::regclass")
        .pluck<string[]>("mode");
    await expect.poll(waits).toEqual(["AccessExclusiveLock"]);
    await older.knex("projects").first();
    // It holds the table still.
    await backup("projects").first();
    await backup.commit();

    await migrating;
    expect((await migrationStatus(older)).at(-1)).toEqual({
      ...{ name: nameOf(adds), done: true, newer: true },
    });
  });

  test("an index is made beside those who write, though others wait to migrate", async () => {
    const index: Step = [
      "9001_index",
      {
        up: (knex) => knex.raw("create index concurrently by_reason on runs (reason)"),
        down: async () => {},
        config: { transaction: false },
      },
    ];
    const url = await postgres();
    await using newer = await openDatabase(url, { allowUnsafe: true });
    await migrate(newer);
    await using older = await openDatabase(url, { allowUnsafe: true });
    const writing = await older.knex.transaction();
    await writing("runs").update({ reason: null });

    const migrating = migrate(newer, later(index));
    const waiting = () => older.knex("pg_locks").where({ granted: false }).pluck("mode");
    await expect.poll(waiting, { timeout: 10_000 }).not.toEqual([]);
    const behind = migrate(older, later(index));
    await older.knex("runs").update({ reason: null });
    await writing.commit();

    await Promise.all([migrating, behind]);
    expect((await migrationStatus(older)).at(-1)).toMatchObject({ name: "9001_index", done: true });
  });

  test("refuses a database of another program's", async () => {
    await using database = await openDatabase(await sqlite());
    await migrate(database);
    const row = { name: "20260101120000_later", batch: 2, migration_time: new Date(0) };
    await database.knex("knex_migrations").insert(row);

    await expect(migrate(database)).rejects.toThrow(/newer Godwit .* \(20260101120000_later\)/);
  });
});

describe.each(["sqlite", "postgres"] as const)("a database of another program on %s", (kind) => {
  const fresh = freshDatabases(kind);

  test("is refused with what to make, by who starts and by who looks, and nothing is left in it", async () => {
    await using database = await openDatabase(await fresh());
    await database.knex.schema.createTable("projects", (table) => table.text("theirs"));
    const tables = () =>
      kind === "sqlite"
        ? database.knex("sqlite_master").whereNot({ name: "sqlite_sequence" }).pluck("name")
        : database.knex("pg_tables").where({ schemaname: "public" }).pluck("tablename");

    await expect(migrationsToCome(database)).rejects.toThrow(/projects is there.*createdb/);
    const refusal = expect(migrate(database)).rejects;
    await refusal.toThrow(
      /^The tables cannot be made: (relation|table) .projects. already exists\. The database belongs to another program.*createdb --owner=godwit godwit/,
    );
    await expect(migrate(database)).rejects.toThrow(UserError);
    expect(await tables()).toEqual(["projects"]);
  });
});

describe("a PostgreSQL that lets no tables be made", () => {
  const fresh = freshDatabases("postgres");

  test("is refused with what to type, and typed it helps", async () => {
    const url = new URL(await fresh());
    const name = url.pathname.slice(1);
    await using owner = await openDatabase(url.href);
    await owner.knex.raw("create role stranger login; revoke create on schema public from public");
    url.username = "stranger";
    await using database = await openDatabase(url.href);

    const command = `alter database ${name} owner to stranger`;
    const said = `The tables cannot be made: permission denied for schema public. Nothing was started. Make Godwit's user the owner of the database: \`${command}\`.`;
    await expect(migrate(database)).rejects.toThrow(said);
    await expect(migrate(database)).rejects.toThrow(UserError);
    await expect(migrationsToCome(database)).rejects.toThrow(said);

    await owner.knex.raw(command);
    expect(await migrationsToCome(database)).toBe(migrations.length);
    await migrate(database);
    expect(await migrationsToCome(database)).toBe(0);
  });

  test("because it is read-only, is refused with what to set, also where nothing is missing", async () => {
    const url = await fresh();
    const standby = `${url}?options=${encodeURIComponent("-c default_transaction_read_only=on")}`;
    await using reading = await openDatabase(standby);
    const refused = async () => {
      await expect(migrate(reading)).rejects.toThrow(/^The database is read-only.*DATABASE_URL/);
      await expect(migrate(reading)).rejects.toThrow(UserError);
      await expect(migrationsToCome(reading)).rejects.toThrow(/^The database is read-only/);
    };
    await refused();
    await using database = await openDatabase(url);
    await migrate(database);
    await refused();
  });
});

describe.each(["sqlite", "postgres"] as const)("a newer version on %s", (kind) => {
  const fresh = freshDatabases(kind);

  test("adds to the database while this one works on it, and this one starts again on that", async () => {
    const url = await fresh();
    await using running = await openBooks(url);
    const { project, entries } = await acme(running, ["anna", "bob"]);
    await running.passes.submit(passOver(project, entries));

    await using newer = await openDatabase(url);
    await migrate(newer, later(adds));

    await using restarted = await openBooks(url);
    for (const books of [running, restarted]) {
      const [run] = await books.passes.waiting(10);
      const job = await books.passes.job(run!);
      await using owned = await own(books, entries.find(({ id }) => id === job.entry)!);
      expect(await books.passes.begin(run!, owned.fence)).toBe(true);
      const end = { state: "completed", reason: null, survey: null } as const;
      await books.passes.end(run!, end, owned.fence);
    }
    expect(await restarted.passes.waiting(10)).toEqual([]);
    expect((await migrationStatus(restarted.database)).at(-1)).toEqual({
      ...{ name: nameOf(adds), done: true, newer: true },
    });
    expect(await migrationsToCome(restarted.database)).toBe(0);
  });

  test("that took away what this one needs keeps it from starting, and from taking anything back", async () => {
    const url = await fresh();
    await using newer = await openDatabase(url);
    await migrate(newer, later(adds, takes));

    await using database = await openDatabase(url);
    const refusal = expect(migrate(database)).rejects;
    await refusal.toThrow(
      `in a way this version cannot live with (${nameOf(takes)}). Nothing was changed now. Start that version`,
    );
    await expect(migrationsToCome(database), "who looks hears the same").rejects.toThrow(
      `in a way this version cannot live with (${nameOf(takes)}). Nothing was changed now. Start`,
    );
    await expect(rollback(database)).rejects.toThrow("Nothing was taken back");
    await migrate(newer, later(adds, takes));
  });

  test("has nothing it was told of left out when it is killed between two migrations", async () => {
    const url = await fresh();
    await using database = await openDatabase(url);
    await migrate(database, later(adds));
    const dying: Step = [
      nameOf(takes),
      { ...takes[1], up: () => Promise.reject(new Error("killed")) },
    ];

    await expect(migrate(database, later(adds, dying))).rejects.toThrow("killed");
    await migrate(database, later(adds, takes));

    expect(await database.knex.schema.hasTable("board_steps")).toBe(false);
  });
});

describe("taking the tables back", () => {
  test("is refused where mail was carried, unless it is meant", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    world.system.deliver("anna@old", "INBOX", Buffer.from("Subject: 1\r\n\r\none\r\n"));
    await world.pass("full");
    const { database } = world.godwit;

    await expect(rollback(database)).rejects.toThrow("type `db rollback --yes`");
    expect((await migrationStatus(database)).every((one) => one.done)).toBe(true);
    await rollback(database, { evenIfCarried: true });
    expect((await migrationStatus(database)).some((one) => one.done)).toBe(false);
  });
});
