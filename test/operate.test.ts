import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Target } from "../engine/domain/provider.ts";
import { startEngine } from "../engine/engine.ts";
import { memorySystem } from "../engine/providers/memory/provider.ts";
import { memoryQueue } from "../engine/queues/memory.ts";
import { makeKey } from "../engine/secrets.ts";
import { defaults, type Works } from "../engine/works.ts";
import { acme, passOver } from "./contracts/books.ts";
import { openBooks } from "./db/books.ts";
import { compare } from "./servers/checker.ts";
import { openCommandLine } from "./servers/command-line.ts";
import { type Dovecot, startDovecot } from "./servers/dovecot.ts";
import { person, text } from "./servers/person.ts";
import { binaries, type Postgres, startPostgres } from "./servers/postgres.ts";
import { type RedisServer, startRedis } from "./servers/redis.ts";

// What docs/run-many.md tells to type, typed.

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());

const run = promisify(execFile);
const program = (name: string) => join(binaries(), name);

describe("a backup made while a pass runs", () => {
  const letters = 12;
  const batch = 3;

  /** An engine on this database, the mail systems being what they are whatever the database says. */
  async function carry(url: string, system: Works["providers"]["memory"], quietMs = 0) {
    await using books = await openBooks(url);
    const works: Works = {
      ...books,
      providers: { imap: system, memory: system },
      log: { info() {}, warn() {}, error() {} },
      settings: { ...defaults, quietMs, batch: { items: batch, bytes: 1_000_000 } },
    };
    await using queue = memoryQueue();
    await using _engine = startEngine(works, queue, { concurrency: 1, lookMs: 50, wantedMs: 500 });
    await expect
      .poll(async () => (await books.passes.waiting(1)).length, { timeout: 20_000 })
      .toBe(0);
  }

  /** What holds in every database of Godwit, whenever it is looked at. */
  async function sums(url: string) {
    await using books = await openBooks(url);
    const { knex } = books.database;
    const count = async (table: string) => Number((await knex(table).count({ n: "*" }))[0]?.n);
    const row = (await knex("runs").select("pass_id", "state"))[0]!;
    const { counters } = await books.passes.snapshot(row.pass_id);
    const free = await books.licenses.balance(1);
    return {
      state: row.state,
      items: await count("items"),
      migrated: counters.migrated,
      intents: await count("intents"),
      licenses: { reserved: free.reserved, consumed: free.consumed },
    };
  }

  async function house() {
    const url = await postgres.fresh();
    await using books = await openBooks(url);
    const { project, entries } = await acme(books, ["anna"]);
    const system = memorySystem();
    for (let n = 0; n < letters; n += 1) {
      system.deliver(entries[0]!.source, "INBOX", Buffer.from(`Subject: ${n}\r\n\r\n${n}\r\n`));
    }
    await books.passes.submit(passOver(project, entries));
    return { url, system, there: () => system.letters("anna@new.example", "INBOX").length };
  }

  const backUp = (url: string, file: string) =>
    run(program("pg_dump"), [
      ...["--format=custom", "--exclude-schema=godwit_queue"],
      ...[`--file=${file}`, url],
    ]);

  async function restored(file: string): Promise<string> {
    const url = await postgres.fresh();
    await run(program("pg_restore"), ["--no-owner", "--exit-on-error", "-d", url, file]);
    return url;
  }

  test("is of one moment; restored there, the batch that was under way is looked for and nothing stands twice", async () => {
    const { url, system, there } = await house();
    await using line = await openCommandLine();
    const file = join(line.folder, "godwit.dump");
    // The second batch has been sent and not yet been noted.
    const dumped = Promise.withResolvers<void>();
    let sent = 0;
    const watched = onStored(system, async () => {
      sent += 1;
      if (sent !== 2 * batch) return;
      await backUp(url, file);
      dumped.resolve();
      throw new Error("power cut");
    });
    await carry(url, watched);
    await dumped.promise;
    expect(there()).toBe(2 * batch);

    const copy = await restored(file);
    expect(await sums(copy)).toEqual({
      state: "processing",
      items: batch,
      migrated: batch,
      intents: 1,
      licenses: { reserved: 0, consumed: 1 },
    });

    await carry(copy, system);
    expect(await sums(copy)).toMatchObject({
      state: "completed",
      items: letters,
      migrated: letters,
      intents: 0,
      licenses: { reserved: 0, consumed: 1 },
    });
    expect(there()).toBe(letters);
  });

  test("and restored after the pass went on: stopped before an engine lives it carries nothing, else what was carried since stands there twice", async () => {
    const { url, system, there } = await house();
    await using line = await openCommandLine();
    const file = join(line.folder, "godwit.dump");
    let sent = 0;
    const watched = onStored(system, async () => {
      sent += 1;
      if (sent !== 2 * batch) return;
      await backUp(url, file);
    });
    await carry(url, watched);
    expect(there()).toBe(letters);

    const careful = await restored(file);
    {
      await using books = await openBooks(careful);
      await books.passes.control(1, "stop", "local:owner");
    }
    await carry(careful, system);
    expect(there()).toBe(letters);
    expect(await sums(careful)).toMatchObject({ state: "stopped", items: batch, intents: 1 });

    await carry(await restored(file), system);
    // The batch in doubt at that moment is found again; of the two behind it the copy knows nothing.
    expect(there()).toBe(letters + 2 * batch);
  });
});

describe("keys are changed", () => {
  let old: Dovecot;
  let fresh: Dovecot;
  let redis: RedisServer;
  beforeAll(async () => {
    [old, fresh, redis] = await Promise.all([startDovecot(), startDovecot(), startRedis()]);
  });
  afterAll(() => Promise.all([old, fresh, redis].map((one) => one[Symbol.asyncDispose]())));

  const people = ["ada", "bea", "cleo", "dora", "emil"];
  const letters = 20;
  const endpoint = (name: string, { host, port }: Dovecot) =>
    `endpoint new ${name} imap://${host}:${port} --login master --user master --password-env MASTER --insecure`;

  test("in one process after another while a pass runs: nothing fails, and nobody is asked for a password", async () => {
    for (const name of people) {
      const mails = Array.from({ length: letters }, (_, n) => text(`${name} ${n}`));
      await person(name, old, fresh).deliver("INBOX", ...mails);
    }
    const [oldKey, newKey] = [makeKey(), makeKey()];
    const both = { GODWIT_KEYS: `${newKey},${oldKey}` };
    await using line = await openCommandLine({
      DATABASE_URL: await postgres.fresh(),
      QUEUE_URL: redis.url,
      GODWIT_KEYS: oldKey,
      MASTER: "masterpass",
    });
    const bot = line.start(["bot", "--no-page"]);
    const first = line.start(["engine"]);
    await first.says("A Godwit engine carries for");
    for (const typed of [
      endpoint("old", old),
      endpoint("new", fresh),
      "project new acme --from old --to new",
      'licenses add 10 --note "order 1"',
      ...people.map((one) => `add ${one}@old.example ${one}@new.example`),
      "full --yes",
    ]) {
      bot.type(typed);
    }
    await bot.says(/A license is used for/);

    // The bot first: what is typed into it from now on is sealed with a key the engine does not have.
    bot.kill("SIGTERM");
    expect(await bot.ended).toMatchObject({ code: 0 });
    const second = line.start(["bot", "--no-page"], both);
    await second.says("Godwit's bot serves");
    second.type("endpoint secret old --password-env MASTER");
    second.type("endpoint secret new --password-env MASTER");
    await second.says("The password of new is sealed");
    expect(await line.godwit(["keys", "rotate"], both)).toMatchObject({ code: 0 });
    const engine = line.start(["engine"], both);
    await engine.says("A Godwit engine carries for");
    first.kill("SIGTERM");
    const behind = await first.ended;
    expect(behind.code).toBe(0);
    expect(behind.stderr).not.toContain("a fault of ours");
    await second.says(/Full pass of acme: completed\./);

    // And those that have both give way to those that have the new one alone.
    engine.kill("SIGTERM");
    second.kill("SIGTERM");
    await Promise.all([engine.ended, second.ended]);
    const after = await line.godwit(["chat", "delta --yes", "report"], { GODWIT_KEYS: newKey });
    expect(after).toMatchObject({ code: 0, stderr: "" });
    for (const name of people) {
      const who = person(name, old, fresh);
      const { lost, duplicated, present } = compare(await who.source(), await who.target());
      expect({ lost, duplicated, present }).toEqual({ lost: [], duplicated: [], present: letters });
    }
  }, 120_000);
});

/** Does something after each letter that is stored, before it is told. */
function onStored(
  system: Works["providers"]["memory"],
  then: () => Promise<void>,
): Works["providers"]["memory"] {
  return {
    source: (address) => system.source(address),
    async target(address) {
      const target = await system.target(address);
      const open: Target["open"] = async (path) => {
        const folder = await target.open(path);
        return {
          ...folder,
          async *add(items) {
            for await (const receipt of folder.add(items)) {
              await then();
              yield receipt;
            }
          },
        };
      };
      return { ...target, open };
    },
  };
}
