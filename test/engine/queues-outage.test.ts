import { spawn } from "node:child_process";
import { once } from "node:events";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Queue } from "../../engine/domain/queue.ts";
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { testPace } from "../contracts/queue-pace.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";

/** A queue whose log is kept, with a listener. */
function listeningAt(url: string) {
  const lines: { level: string; facts: Record<string, unknown>; text: string }[] = [];
  const log = {
    info: (facts: Record<string, unknown>, text: string) =>
      void lines.push({ level: "info", facts, text }),
    warn: (facts: Record<string, unknown>, text: string) =>
      void lines.push({ level: "warn", facts, text }),
  };
  const heard: number[] = [];
  const queue = bullmqQueue(url, log, testPace);
  queue.listen(async (run) => void heard.push(run), 1);
  return {
    queue,
    heard,
    lines,
    levels: () => lines.map(({ level }) => level),
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  };
}

/** Rings until it is heard: the store serves again. */
async function rings(queue: Queue, heard: number[], run: number): Promise<void> {
  const ring = async () => {
    await queue.ring(run, 1);
    return heard;
  };
  await expect.poll(ring, { timeout: 10_000 }).toContain(run);
}

describe("on Redis, a ring", () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await startRedis({ password: "hunter2222" });
  });
  afterEach(() => redis[Symbol.asyncDispose]());

  test("waits a moment for a store that does not answer, and not again until that does; each outage is told once", async () => {
    await using here = listeningAt(redis.url);
    await rings(here.queue, here.heard, 1);
    expect(here.lines).toEqual([]);
    redis.freeze();

    const first = await time(() => here.queue.ring(2, 1));
    const others = await time(async () => {
      for (let run = 3; run < 1000; run += 1) await here.queue.ring(run, 1);
    });

    expect(first).toBeLessThan(testPace.ringMs + 1_000);
    expect(others).toBeLessThan(500);
    redis.thaw();
    await rings(here.queue, here.heard, 1_000);
    expect(here.levels()).toEqual(["warn", "info"]);

    await redis.kill();
    await expect.poll(here.levels).toEqual(["warn", "info", "warn"]);
    await redis.start();
    await rings(here.queue, here.heard, 1_001);
    expect(here.levels()).toEqual(["warn", "info", "warn", "info"]);
  });

  test("with the wrong password is lost, and no line of the log holds a password", async () => {
    const wrong = redis.url.replace("hunter2222", "hunter3333");
    await using here = listeningAt(wrong);
    await here.queue.ring(1, 1);

    expect(here.levels()).toEqual(["warn"]);
    expect(here.lines[0]?.facts).toEqual({ reason: expect.stringMatching(/WRONGPASS/) });
    expect(JSON.stringify(here.lines)).not.toMatch(/hunter/);
  });

  test("holds up no process that ends while nothing answers", async () => {
    await redis.ask("PING");
    redis.freeze();
    const child = spawn(
      process.execPath,
      [new URL("../contracts/queue-process.ts", import.meta.url).pathname, redis.url],
      { stdio: ["pipe", "ignore", "ignore"] },
    );
    child.stdin.end();
    const [code] = await once(child, "exit", { signal: AbortSignal.timeout(15_000) });

    expect(code).toBe(0);
  });

  test("leaves nothing in the store once it is answered, and of the run its number alone", async () => {
    await using here = listeningAt(redis.url);
    await rings(here.queue, here.heard, 7);
    await expect.poll(() => redis.ask("KEYS", "*run-7*")).toEqual([]);
    await here.queue[Symbol.asyncDispose]();

    await using rung = bullmqQueue(redis.url, { info() {}, warn() {} }, testPace);
    await rung.ring(8, 3);
    const keys = (await redis.ask("KEYS", "*")) as string[];
    expect(keys.filter((key) => !key.startsWith("{godwit}:"))).toEqual([]);
    expect(await redis.ask("HGET", "{godwit}:runs-1:run-8", "data")).toBe('{"run":8}');
  });
});

describe("on PostgreSQL, the bell rings again after", () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres[Symbol.asyncDispose]());

  test.each([
    ["its tables are gone", ["alter schema godwit_queue rename to elsewhere"], []],
    [
      "its connections are cut and none let in",
      [
        "alter database NAME allow_connections false",
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'NAME'",
      ],
      ["alter database NAME allow_connections true"],
    ],
  ])("%s", async (_what, fault, mended) => {
    const url = await postgres.fresh();
    const name = new URL(url).pathname.slice(1);
    const does = async (sql: string) => {
      const where = new URL(url);
      if (sql.includes("NAME")) where.pathname = "/postgres";
      const client = new pg.Client({ connectionString: where.href });
      await client.connect();
      await client.query(sql.replaceAll("NAME", name)).finally(() => client.end());
    };
    await using here = listeningAt(url);
    await rings(here.queue, here.heard, 1);

    for (const sql of fault) await does(sql);
    await here.queue.ring(2, 1);
    await expect.poll(() => here.levels()).toContain("warn");
    for (const sql of mended) await does(sql);

    await rings(here.queue, here.heard, 3);
    await expect.poll(() => here.levels()).toEqual(["warn", "info"]);
  });

  test("it was not there", async () => {
    const url = new URL(await postgres.fresh());
    const gone = new URL(url);
    gone.pathname = "/later";
    await using here = listeningAt(gone.href);
    await here.queue.ring(1, 1);
    expect(here.levels()).toEqual(["warn"]);

    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.query("create database later").finally(() => client.end());

    await rings(here.queue, here.heard, 2);
  });
});

async function time(work: () => Promise<void>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}
