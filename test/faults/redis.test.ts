import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { News } from "../../engine/domain/news.ts";
import type { Queue } from "../../engine/domain/queue.ts";
import { startEngine } from "../../engine/engine.ts";
import { memorySystem } from "../../engine/providers/memory.ts";
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { ringWaiting } from "../../engine/submit.ts";
import { defaults, type Works } from "../../engine/worker.ts";
import { acme, passOver } from "../contracts/books.ts";
import { testPace } from "../contracts/queue-pace.ts";
import { openBooks } from "../db/books.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";

/** Mailboxes before the fault and as many while it lasts; two engines carry four at a time. */
const half = 6;
const letters = 3;
const names = Array.from({ length: 2 * half }, (_, n) => `user${n}`);

let postgres: Postgres;
let redis: RedisServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());
beforeEach(async () => {
  redis = await startRedis();
});
afterEach(() => redis[Symbol.asyncDispose]());

describe("two engines of one database end every run once, and hear the bell again, when Redis", () => {
  test.each<[what: string, fault: () => unknown, mended: () => unknown]>([
    ["dies and comes back empty", () => redis.kill(), () => redis.start()],
    ["forgets everything", () => redis.ask("FLUSHALL"), () => {}],
    ["freezes", () => redis.freeze(), () => redis.thaw()],
    ["is full", () => redis.ask("CONFIG", "SET", "maxmemory", "1"), free],
    ["becomes a replica", () => redis.ask("REPLICAOF", "127.0.0.1", "1"), lead],
  ])("%s", async (_what, fault, mended) => {
    await using house = await openHouse({ lookMs: 200 });
    await house.submit(0, half);
    await expect.poll(house.atGate).toBe(4);

    await fault();
    const before = performance.now();
    await house.submit(half, 2 * half);
    expect(performance.now() - before, "nobody waits for it").toBeLessThan(5_000);
    house.openGate();
    await expect.poll(house.waiting, { timeout: 15_000 }).toBe(0);
    await mended();

    expect(await house.ended()).toEqual(once);
    expect(house.carried()).toEqual(twiceNone);
    await house.stop();
    await house.hear();
    expect(house.warnings.filter((one) => one.reason === undefined)).toEqual([]);
    expect(house.warnings.length, "an outage is logged once by each").toBeLessThanOrEqual(4);
  });

  test("is not there at the start", async () => {
    await redis.kill();
    await using house = await openHouse({ lookMs: 200 });
    await house.submit(0, 2 * half);
    house.openGate();
    await expect.poll(house.waiting, { timeout: 15_000 }).toBe(0);
    expect(await house.ended()).toEqual(once);
    expect(house.carried()).toEqual(twiceNone);
    expect(house.warnings).toHaveLength(2);
    await house.stop();

    await redis.start();
    await house.hear();
  });
});

test("engines that do not look by themselves lose what Redis forgot", async () => {
  await using house = await openHouse({ lookMs: 3_600_000 });
  await house.submit(0, half);
  await expect.poll(house.atGate).toBe(4);

  await redis.ask("FLUSHALL");
  house.openGate();
  await expect.poll(house.waiting).toBe(half - 4);
  await house.stop();
  await house.hear();

  expect(await house.waiting()).toBe(half - 4);
});

const once = Object.fromEntries(names.map((name) => [`${name}@old.example`, ["completed"]]));
const twiceNone = Object.fromEntries(names.map((name) => [name, letters]));

const free = () => redis.ask("CONFIG", "SET", "maxmemory", "0");
const lead = () => redis.ask("REPLICAOF", "NO", "ONE");

/** Two engines on two openings of one database and two of one queue; nothing is carried before the gate opens. */
async function openHouse({ lookMs }: { lookMs: number }) {
  await using stack = new AsyncDisposableStack();
  const url = await postgres.fresh();
  const books = stack.use(await openBooks(url));
  const { project, entries } = await acme(books, names, { licenses: names.length });
  const system = memorySystem();
  for (const { source } of entries) {
    for (let n = 0; n < letters; n += 1) {
      system.deliver(source, "INBOX", Buffer.from(`Subject: ${n}\r\n\r\n${n} of ${source}\r\n`));
    }
  }
  const gate = Promise.withResolvers<void>();
  stack.defer(() => gate.resolve());
  let atGate = 0;
  const gated: Works["providers"]["memory"] = {
    ...system,
    async source(address) {
      atGate += 1;
      await gate.promise;
      return system.source(address);
    },
  };
  const warnings: Record<string, unknown>[] = [];
  const log = {
    info() {},
    warn: (facts: Record<string, unknown>) => void warnings.push(facts),
    error() {},
  };
  const queues: Queue[] = [];
  const engines: AsyncDisposable[] = [];
  for (const own of [books, stack.use(await books.again())]) {
    const queue = stack.use(bullmqQueue(redis.url, log, testPace));
    queues.push(queue);
    const works: Works = {
      ...own,
      providers: { imap: gated, memory: gated },
      log: { ...log, warn() {} },
      settings: { ...defaults, batch: { items: 1, bytes: 1_000 } },
    };
    const options = { concurrency: 2, lookMs, wantedMs: 500 };
    engines.push(stack.use(startEngine(works, queue, options)));
  }
  const opened = stack.move();
  return {
    warnings,
    async submit(from: number, to: number) {
      await books.passes.submit(passOver(project, entries.slice(from, to)));
      await ringWaiting({ passes: books.passes, queue: queues[0]! });
    },
    atGate: () => atGate,
    openGate: () => gate.resolve(),
    waiting: async () => (await books.passes.waiting(100)).length,
    /** How each run ended, as often as it did. */
    async ended() {
      const rows = await books.database.knex("news").orderBy("id").select("body");
      const told = rows.map(({ body }) => JSON.parse(body) as News);
      const ends = told.filter((one) => one.type === "entry ended");
      return Object.fromEntries(
        Map.groupBy(ends, ({ entry }) => entry)
          .entries()
          .map(([entry, its]) => [entry, its.map(({ state }) => state)]),
      );
    },
    carried: () =>
      Object.fromEntries(
        names.map((name) => [name, system.letters(`${name}@new.example`, "INBOX").length]),
      ),
    stop: () => Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]())),
    /** Each queue hears a ring of the other. */
    async hear() {
      const heard = [0, 0];
      const listening = queues.map((queue, n) =>
        queue.listen(async () => {
          heard[n] = 1;
        }, 1),
      );
      let run = 1_000_000;
      await expect
        .poll(
          async () => {
            run += 2;
            for (const [n, queue] of queues.entries()) await queue.ring(run + n, 1);
            return heard;
          },
          { timeout: 15_000 },
        )
        .toEqual([1, 1]);
      await Promise.all(listening.map((one) => one[Symbol.asyncDispose]()));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
