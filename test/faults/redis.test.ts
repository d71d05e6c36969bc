import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";
import { hear, ringingHouse, redis as suite } from "./redis.ts";

/** Mailboxes before the fault and as many while it lasts; two engines carry four at a time. */
const half = 6;
const letters = 3;

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

const once = Object.fromEntries(
  Array.from({ length: 2 * half }, (_, n) => [`user${n}@old.example`, ["completed"]]),
);
const clean = { carried: 2 * half * letters, lost: 0, duplicated: 0, foreign: 0 };

describe("two engines of one database end every run once, and hear the bell again, when Redis", () => {
  test.each<[what: string, fault: () => unknown, mended: () => unknown]>([
    ["dies and comes back empty", () => redis.kill(), () => redis.start()],
    ["forgets everything", () => redis.ask("FLUSHALL"), () => {}],
    ["freezes", () => redis.freeze(), () => redis.thaw()],
    ["is full", () => redis.ask("CONFIG", "SET", "maxmemory", "1"), free],
    ["becomes a replica", () => redis.ask("REPLICAOF", "127.0.0.1", "1"), lead],
  ])("%s", async (_what, fault, mended) => {
    await using house = await gated(200);
    await house.submit(0, half);
    await expect.poll(() => house.seen.atGate).toBe(4);

    await fault();
    const before = performance.now();
    await house.submit(half, 2 * half);
    expect(performance.now() - before, "nobody waits for it").toBeLessThan(5_000);
    house.openGate();
    await expect.poll(house.waiting, { timeout: 15_000 }).toBe(0);
    await mended();

    expect(await house.ended()).toEqual(once);
    expect(house.stands()).toEqual(clean);
    expect(house.seen.wrong).toEqual([]);
    await house.stop();
    await hear(house.queues);
    expect(house.warnings.filter((one) => one.reason === undefined)).toEqual([]);
    expect(house.warnings.length, "an outage is logged once by each").toBeLessThanOrEqual(4);
  });

  test("is not there at the start", async () => {
    await redis.kill();
    await using house = await gated(200);
    await house.submit(0, 2 * half);
    house.openGate();
    await expect.poll(house.waiting, { timeout: 15_000 }).toBe(0);
    expect(await house.ended()).toEqual(once);
    expect(house.stands()).toEqual(clean);
    expect(house.warnings).toHaveLength(2);
    await house.stop();

    await redis.start();
    await hear(house.queues);
  });
});

test("engines that do not look by themselves lose what Redis forgot", async () => {
  await using house = await gated(3_600_000);
  await house.submit(0, half);
  await expect.poll(() => house.seen.atGate).toBe(4);

  await redis.ask("FLUSHALL");
  house.openGate();
  await expect.poll(house.waiting).toBe(half - 4);
  await house.stop();
  await hear(house.queues);

  expect(await house.waiting()).toBe(half - 4);
});

test("whatever befalls Redis in pass after pass, all is carried once (F5)", async () => {
  const tally = await suite.run({ times: 5, seed: 1, database: "postgres", tell: () => {} });

  expect(tally).toMatchObject({ faults: 5, lost: 0, duplicated: 0, foreign: 0, wrong: [] });
  expect(tally.carried).toBeGreaterThan(150);
});

const free = () => redis.ask("CONFIG", "SET", "maxmemory", "0");
const lead = () => redis.ask("REPLICAOF", "NO", "ONE");

/** Nothing is carried before the gate opens. */
async function gated(lookMs: number) {
  const url = await postgres.fresh();
  const size = { mailboxes: 2 * half, letters, batch: 1, letterMs: 0 };
  return ringingHouse(redis, { url, ...size, gated: true, lookMs });
}
