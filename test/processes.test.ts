import { afterAll, beforeAll, expect, test } from "vitest";
import { compare } from "./servers/checker.ts";
import { openCommandLine, type Variables } from "./servers/command-line.ts";
import { type Dovecot, startDovecot } from "./servers/dovecot.ts";
import { person, text } from "./servers/person.ts";
import { type Postgres, startPostgres } from "./servers/postgres.ts";
import { type RedisServer, startRedis } from "./servers/redis.ts";

// The bot and two engines, each a process as people start it, on one PostgreSQL and one Redis.

let old: Dovecot;
let fresh: Dovecot;
let postgres: Postgres;
let redis: RedisServer;
beforeAll(async () => {
  [old, fresh, postgres, redis] = await Promise.all([
    startDovecot(),
    startDovecot(),
    startPostgres(),
    startRedis(),
  ]);
});
afterAll(async () => {
  await Promise.all([old, fresh, postgres, redis].map((one) => one[Symbol.asyncDispose]()));
});

const people = ["ada", "bea", "cleo", "dora"];
const letters = 60;

async function setUp(): Promise<Variables> {
  for (const name of people) {
    const mails = Array.from({ length: letters }, (_, n) => text(`${name} ${n}`));
    await person(name, old, fresh).deliver("INBOX", ...mails);
  }
  return {
    DATABASE_URL: await postgres.fresh(),
    QUEUE_URL: redis.url,
    GODWIT_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
    MASTER: "masterpass",
  };
}

const endpoint = (name: string, { host, port }: Dovecot) =>
  `endpoint new ${name} imap://${host}:${port} --login master --user master --password-env MASTER --insecure`;

test("a bot and two engines carry a pass; one engine is killed, one told to stop, nothing is lost or twice", async () => {
  await using line = await openCommandLine(await setUp());
  const bot = line.start(["bot", "--no-page"]);
  const engines = [line.start(["engine"]), line.start(["engine"])];
  await bot.says("Godwit's bot serves");
  for (const engine of engines) await engine.says("A Godwit engine carries for");
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

  engines[0]!.kill("SIGKILL");
  await bot.says(/Full pass of acme: completed\./);

  engines[1]!.kill("SIGTERM");
  expect(await engines[1]!.ended).toMatchObject({
    code: 0,
    stderr: "",
    stdout: expect.stringContaining("Finishes the batches under way, and ends."),
  });
  bot.kill("SIGTERM");
  expect(await bot.ended).toMatchObject({ code: 0, stderr: "" });
  for (const name of people) {
    const who = person(name, old, fresh);
    const { lost, duplicated, present } = compare(await who.source(), await who.target());
    expect({ lost, duplicated, present }).toEqual({ lost: [], duplicated: [], present: letters });
  }
});

test.each(["bot", "engine"])(
  "`%s` by itself says what it needs, and what to type instead",
  async (verb) => {
    await using line = await openCommandLine();

    const { code, stderr } = await line.godwit([verb]);

    expect(code).toBe(1);
    expect(stderr).toContain("DATABASE_URL like postgres://");
    expect(stderr).toContain("QUEUE_URL like redis://");
    expect(stderr).toContain("`serve` does everything in one process");
  },
);
