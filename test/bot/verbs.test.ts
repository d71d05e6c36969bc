import { execFile } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { servesText } from "../../bot/wording/verbs.ts";
import { openDatabase } from "../../db/open.ts";
import { makeKey, parseKeys } from "../../engine/secrets.ts";
import { openCommandLine } from "../servers/command-line.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";

// The verbs that carry no mail: what they print, and what they refuse.

const endpoint =
  "endpoint new old imap://127.0.0.1:1 --login master --user m --password-env OLD_PASSWORD --insecure";

describe("usage", () => {
  test("is printed when asked for, and named on standard error for an unknown verb", async () => {
    await using line = await openCommandLine();
    const [bare, help, unknown] = await Promise.all([
      line.godwit([]),
      line.godwit(["--help"]),
      line.godwit(["migrate"]),
    ]);
    for (const ended of [bare, help]) {
      expect(ended).toMatchObject({ code: 0, stderr: "" });
      for (const verb of ["serve", "chat", "db", "keys", "doctor"]) {
        expect(ended.stdout).toMatch(new RegExp(`^ +${verb}`, "m"));
      }
    }
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toMatch(/migrate/);
  });

  test.concurrent.each([
    [["db"], /`db latest`/],
    [["db", "latest", "now"], /`db latest`/],
    [["keys"], /`keys new` or `keys rotate`/],
    [["keys", "old"], /`keys new` or `keys rotate`/],
    [["serve", "now"], /'now'/],
    [
      ["doctor", "--fix"],
      /`doctor` was not understood \(.*--fix.*\); nothing was started\. Type `doctor`/,
    ],
    [["serve", "--nopage"], /--nopage.*Type `serve \[--no-page\]`/],
    [["chat", "--loud", "help"], /--loud.*Type `chat \[--as <name>\]/],
    [["bot"], /serve/],
    [["engine"], /serve/],
    [["chat"], /Nothing to say/],
  ] as const)("%j is refused and says what to type", async (words, says) => {
    await using line = await openCommandLine();
    const ended = await line.godwit([...words]);
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toMatch(says);
    expect(ended.stderr, "no stack").not.toMatch(/\n {4}at /);
  });
});

test("npm run -s adds nothing to what a verb prints", async () => {
  const root = join(import.meta.dirname, "../..");
  const { stdout, stderr } = await promisify(execFile)(
    "npm",
    ["run", "-s", "godwit", "--", "--help"],
    { cwd: root },
  );
  await using line = await openCommandLine();
  expect(stdout).toBe((await line.godwit(["--help"])).stdout);
  expect(stderr).not.toMatch(/godwit/i);
});

describe("keys", () => {
  test("new prints a key of 32 bytes that GODWIT_KEYS takes, and another each time", async () => {
    await using line = await openCommandLine();
    const [one, two] = await Promise.all([
      line.godwit(["keys", "new"]),
      line.godwit(["keys", "new"]),
    ]);
    for (const { stdout, stderr, code } of [one, two]) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const [key] = parseKeys(stdout.trim());
      expect(Buffer.from(key?.value.reveal() ?? "", "base64")).toHaveLength(32);
    }
    expect(one.stdout).not.toBe(two.stdout);
  });

  test("rotate seals everything with the first key, so that the older one can be taken away", async () => {
    await using line = await openCommandLine();
    const [older, newer] = [makeKey(), makeKey()];
    const set = { OLD_PASSWORD: "a mail password" };
    expect(await line.godwit(["chat", endpoint], { ...set, GODWIT_KEYS: older })).toMatchObject({
      code: 0,
    });

    const early = await line.godwit(["chat", "endpoint list"], { GODWIT_KEYS: newer });
    expect(early).toMatchObject({ code: 1, stdout: "" });
    expect(early.stderr).toMatch(/do not open this database's secrets.*Put the right key back/);

    const rotated = await line.godwit(["keys", "rotate"], { GODWIT_KEYS: `${newer},${older}` });
    expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 secret /) });
    const after = await line.godwit(["doctor"], { GODWIT_KEYS: newer });
    expect(after).toMatchObject({ code: 0 });
    expect(await line.godwit(["chat", "endpoint list"], { GODWIT_KEYS: older })).toMatchObject({
      code: 1,
    });
  });

  test("the key file can be rotated away from, by naming its key behind the new one", async () => {
    await using line = await openCommandLine();
    const first = await line.godwit(["chat", endpoint], { OLD_PASSWORD: "a mail password" });
    expect(first.stderr).toMatch(/key that seals passwords was made in .*godwit\.key/);
    expect((await line.godwit(["chat", "endpoint list"])).stderr, "said once").toBe("");

    const file = `${line.folder}/godwit.key`;
    const newer = makeKey();
    const both = `${newer},${(await readFile(file, "utf8")).trim()}`;
    expect(await line.godwit(["keys", "rotate"], { GODWIT_KEYS: both })).toMatchObject({ code: 0 });
    await rm(file);

    expect(await line.godwit(["doctor"], { GODWIT_KEYS: newer })).toMatchObject({ code: 0 });
    const without = await line.godwit(["chat", "endpoint list"]);
    expect(without.code).toBe(1);
    expect(without.stderr).toMatch(/Put the right key back/);
  });
});

describe("db", () => {
  test("status names what is missing, latest does it, rollback takes it back", async () => {
    await using line = await openCommandLine();
    const before = await line.godwit(["db", "status"]);
    const latest = await line.godwit(["db", "latest"]);
    const status = await line.godwit(["db", "status"]);
    const rollback = await line.godwit(["db", "rollback"]);
    const again = await line.godwit(["db", "latest"]);

    for (const ended of [before, latest, status, rollback, again]) {
      expect(ended).toMatchObject({ code: 0, stderr: "" });
    }
    expect(before.stdout).toMatch(/^(missing {2}\d{4}_\w+\n)+$/);
    expect(latest.stdout).toMatch(/^(done {5}\d{4}_\w+\n)+$/);
    expect(status.stdout).toBe(latest.stdout);
    expect(rollback.stdout).toBe(before.stdout);
    expect(again.stdout).toBe(latest.stdout);
  });

  test("status marks what a newer version made, and doctor refuses what no start could live with", async () => {
    await using line = await openCommandLine();
    await line.godwit(["db", "latest"]);
    const name = "9002_without_steps_since_9001";
    {
      await using database = await openDatabase(line.databaseUrl);
      const row = { name, batch: 2, migration_time: new Date(0) };
      await database.knex("knex_migrations").insert(row);
    }
    const [status, doctor, start] = await Promise.all([
      line.godwit(["db", "status"]),
      line.godwit(["doctor"]),
      line.godwit(["chat", "help"]),
    ]);
    expect(status.stdout).toMatch(
      /^(done {5}\d{4}_\w+\n)+newer {4}9002_without_steps_since_9001\n$/,
    );
    expect(doctor.code).toBe(1);
    const [refusal = ""] = /^This database was changed .*$/m.exec(start.stderr) ?? [];
    expect(refusal).toContain(`cannot live with (${name})`);
    expect(doctor.stdout).toContain(`FAULT  database: ${refusal}\n`);
  });
});

test("what is served is told without the user, the password and whatever else an address holds", () => {
  expect(servesText("postgres://me:one@two@db:5432/godwit", "bot")).toBe(
    "Godwit's bot serves postgres://db:5432/godwit.",
  );
  expect(servesText("postgres://db/godwit?user=me&password=hunter22", "engine")).toBe(
    "A Godwit engine carries for postgres://db/godwit.",
  );
  expect(servesText("sqlite:./godwit.db", "everything")).toBe("Godwit serves sqlite:./godwit.db.");
});

describe("doctor", () => {
  test("finds nothing wrong with what it is given by default", async () => {
    await using line = await openCommandLine();
    const { code, stdout } = await line.godwit(["doctor"]);
    expect(code).toBe(0);
    for (const what of ["configuration", "database", "keys", "queue", "chat"]) {
      expect(stdout).toMatch(new RegExp(`^ok +${what}`, "m"));
    }
  });

  test("makes nothing: no database, no key and no tables, with a chat platform neither", async () => {
    await using line = await openCommandLine({ TEAMS_PORT: "3999" });
    const { code, stdout, stderr } = await line.godwit(["doctor"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^ok +database: sqlite, no database yet: the first start makes it$/m);
    expect(stdout).toMatch(
      /^ok +keys: no key yet: the first start makes one beside the database$/m,
    );
    expect(stdout).toMatch(/^ok +chat: Teams, /m);
    expect(await readdir(line.folder)).toEqual([]);

    await line.godwit(["chat", "help"]);
    const made = (await readdir(line.folder)).sort();
    await rm(`${line.folder}/godwit.key`);
    const keyless = await line.godwit(["doctor"]);
    expect(keyless.code).toBe(1);
    expect(keyless.stdout).toMatch(
      /^FAULT +keys: These keys do not open .*Put the right key back/m,
    );
    expect((await readdir(line.folder)).sort()).toEqual(
      made.filter((name) => name !== "godwit.key"),
    );
  });

  test("changes nothing: the tables come with the next start, and not with one that is refused for its keys", async () => {
    await using line = await openCommandLine();
    const rows = async () => (await line.godwit(["db", "status"])).stdout.match(/^done/gm)?.length;
    expect(await rows(), "which makes the file").toBeUndefined();
    expect((await line.godwit(["doctor"])).stdout).toMatch(
      /migrations to come with the next start/,
    );
    expect(await rows()).toBeUndefined();
    expect(await line.godwit(["chat", "help"])).toMatchObject({ code: 0 });
    const all = await rows();
    await using database = await openDatabase(line.databaseUrl);
    await database.knex("knex_migrations").where("name", "like", "0015%").delete();

    const refused = await line.godwit(["chat", "help"], { GODWIT_KEYS: makeKey() });
    expect(refused.stderr).toMatch(/do not open this database's secrets/);
    expect((await line.godwit(["doctor"])).stdout).toMatch(/1 migration to come/);
    expect(await rows()).toBe((all ?? 0) - 1);
  });

  test.concurrent.each([
    ["configuration", { LOG_LEVEL: "loud" }, /LOG_LEVEL/],
    ["database", { DATABASE_URL: "mysql://u:hunter22@h/x" }, /DATABASE_URL/],
    ["database", { DATABASE_URL: "sqlite:/nowhere/godwit.db" }, /DATABASE_URL/],
    ["database", { DATABASE_URL: "postgres://u:hunter22@127.0.0.1:1/x" }, /DATABASE_URL/],
    [
      "keys",
      { GODWIT_KEYS: "k1:aHVudGVyMjI=" },
      /8 bytes and needs 32.*keys new.*or put the right one back/,
    ],
  ])("names a fault of the %s, and what to do: %j", async (what, env, says) => {
    await using line = await openCommandLine(env);
    const { code, stdout, stderr } = await line.godwit(["doctor"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^FAULT +${what}`, "m"));
    expect(stdout).toMatch(says);
    expect(stdout + stderr).not.toMatch(/hunter22|aHVudGVyMjI/);
  });
});

describe("several processes", () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.[Symbol.asyncDispose]());

  test("doctor asks the queue between them, and a command works without it", async () => {
    const env = { DATABASE_URL: await postgres.fresh(), GODWIT_KEYS: makeKey() };
    await using line = await openCommandLine(env);
    const good = await line.godwit(["doctor"], { QUEUE_URL: env.DATABASE_URL });
    expect(good).toMatchObject({ code: 0, stderr: "" });
    expect(good.stdout).toMatch(/^ok +queue: PostgreSQL; the first start makes its schema/m);
    expect(good.stdout).toMatch(/^ok +database: postgres, \d+ migrations to come/m);
    {
      await using database = await openDatabase(env.DATABASE_URL, { toLook: true });
      const made = database.knex("pg_tables").whereIn("schemaname", ["public", "godwit_queue"]);
      expect(await made).toEqual([]);
    }
    expect(await line.godwit(["doctor"], { GODWIT_KEYS: null })).toMatchObject({
      ...{ code: 1, stdout: expect.stringMatching(/^FAULT +keys: GODWIT_KEYS is not set/m) },
    });

    const gone = { QUEUE_URL: "redis://u:hunter22@127.0.0.1:1" };
    const bad = await line.godwit(["doctor"], gone);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/^FAULT +queue: QUEUE_URL.*ECONNREFUSED.*unset QUEUE_URL/m);
    const help = await line.godwit(["chat", "help"], gone);
    expect(help.code).toBe(0);
    expect(bad.stdout + bad.stderr + help.stdout + help.stderr).not.toMatch(/hunter22/);
  });
});

describe("a configuration that cannot work is a refusal to start", () => {
  test.concurrent.each([
    ["LOG_LEVEL", "hunter22"],
    ["GODWIT_QUIET_SECONDS", "hunter22"],
    ["GODWIT_QUIET_SECONDS", "-1"],
    ["GODWIT_MAILBOXES", "0"],
    ["GODWIT_MAILBOXES", "65"],
    ["GODWIT_MAILBOXES", "many"],
    ["QUEUE_URL", "redis://u:hunter22@h"],
    ["DATABASE_URL", "hunter22"],
    ["GODWIT_KEYS", "hunter22"],
    ["GODWIT_KEYS", "k1:aHVudGVyMjI="],
  ])("%s=%s", async (name, value) => {
    await using line = await openCommandLine({ [name]: value });
    const ended = await line.godwit(["chat", "help"]);
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toContain(name);
    expect(ended.stderr).not.toMatch(/hunter22|aHVudGVyMjI|\n {4}at /);
  });

  test("every variable that is wrong is named at once", async () => {
    await using line = await openCommandLine({ LOG_LEVEL: "x", GODWIT_QUIET_SECONDS: "y" });
    expect((await line.godwit(["chat", "help"])).stderr).toMatch(/QUIET_SECONDS.*LOG_LEVEL/);
  });

  describe("on PostgreSQL", () => {
    let postgres: Postgres;
    beforeAll(async () => {
      postgres = await startPostgres();
    });
    afterAll(() => postgres?.[Symbol.asyncDispose]());

    test("without GODWIT_KEYS; with them it starts", async () => {
      await using line = await openCommandLine({ DATABASE_URL: await postgres.fresh() });
      const without = await line.godwit(["chat", "help"]);
      expect(without).toMatchObject({ code: 1, stdout: "" });
      expect(without.stderr).toMatch(/GODWIT_KEYS is not set.*keys new/);
      expect(await line.godwit(["chat", "help"], { GODWIT_KEYS: makeKey() })).toMatchObject({
        code: 0,
      });
    });
  });
});
