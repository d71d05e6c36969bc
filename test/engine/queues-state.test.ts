import { afterEach, describe, expect, test } from "vitest";
import { evictsText, queueText } from "../../bot/wording/verbs.ts";
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { stateOfStore } from "../../engine/queues/store-state.ts";
import { testPace } from "../contracts/queue-pace.ts";
import { startPostgres } from "../servers/postgres.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";

describe("what `doctor` says of the queue", () => {
  let redis: RedisServer | null = null;
  afterEach(async () => {
    await redis?.[Symbol.asyncDispose]();
    redis = null;
  });

  test("that keeps rings over a restart and throws none away", async () => {
    redis = await startRedis({ durable: true });
    const state = await stateOfStore(redis.url);
    expect(evictsText(state)).toBeNull();
    expect(queueText(state)).toMatch(
      /^Redis \d+\.\d+\.\d+, maxmemory-policy noeviction; rings outlive its restart; the database/,
    );
  });

  test("that throws rings away when it is full: what to set", async () => {
    redis = await startRedis({ policy: "allkeys-lru" });
    const state = await stateOfStore(redis.url);
    expect(evictsText(state)).toMatch(/allkeys-lru.*Set `maxmemory-policy noeviction`/);
    expect(queueText(state)).toMatch(/lost when it restarts.*`appendonly yes`/);
  });

  test("that does not take what is written, or does not answer, or not to this password", async () => {
    redis = await startRedis({ password: "hunter2222" });
    const wrong = redis.url.replace("hunter2222", "hunter3333");
    await expect(stateOfStore(wrong)).rejects.toThrow(
      /QUEUE_URL.*WRONGPASS.*disabled\. Engines.*unset QUEUE_URL/,
    );
    await expect(stateOfStore(wrong)).rejects.not.toThrow(/hunter/);
    await redis.ask("REPLICAOF", "127.0.0.1", "1");
    await expect(stateOfStore(redis.url)).rejects.toThrow(/QUEUE_URL.*READONLY/);
    redis.freeze();
    await expect(stateOfStore(redis.url, 300)).rejects.toThrow(/QUEUE_URL.*Command timed out/);
    await redis.kill();
    await expect(stateOfStore(redis.url)).rejects.toThrow(/QUEUE_URL.*ECONNREFUSED/);
  });

  test("on PostgreSQL", async () => {
    await using postgres = await startPostgres();
    const url = await postgres.fresh();
    const state = await stateOfStore(url);
    expect(evictsText(state)).toBeNull();
    expect(queueText(state)).toMatch(
      /^PostgreSQL; the first start makes its schema godwit_queue; rings outlive its restart; the/,
    );
    expect((await stateOfStore(url)).toCome, "nothing was made").toBe("godwit_queue");
    const one = { info() {}, warn: (facts: object) => expect(facts).toBeNull() };
    await using queue = bullmqQueue(url, one, testPace);
    expect(await queue.depth()).toEqual({ waiting: 0, active: 0 });
    expect(queueText(await stateOfStore(url))).toMatch(/^PostgreSQL; rings outlive its restart;/);
    await expect(stateOfStore(`${url}-not`)).rejects.toThrow(/QUEUE_URL.*does not exist\. Engines/);
  });
});
