import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Queue } from "../../engine/domain/queue.ts";
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { memoryQueue } from "../../engine/queues/memory.ts";
import {
  otherProcess,
  type Queues,
  queueContract,
  sharedQueueContract,
} from "../contracts/queue.ts";
import { testPace } from "../contracts/queue-pace.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";

const silent = { info() {}, warn() {} };

describe("the queue in memory", () => {
  queueContract(async () => {
    const opened: Queue[] = [];
    const open = async () => {
      opened.push(memoryQueue(testPace.backoff));
      return opened.at(-1)!;
    };
    return { open, again: async () => opened.at(-1)!, ...closing(opened) };
  });
});

describe("the queue on Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const fresh = async () => {
    await server.ask("FLUSHALL");
    return queuesAt(server.url);
  };

  queueContract(fresh);
  sharedQueueContract(fresh, () => server.url);
});

describe("who stops listening and closes does not wait for a Redis that", () => {
  const patient = { ...testPace, askMs: 600_000, ringMs: 200 };

  test.each<[what: string, fault: (redis: RedisServer) => unknown]>([
    ["is dead", (redis) => redis.kill()],
    ["is frozen", (redis) => redis.freeze()],
  ])("%s", async (_, fault) => {
    await using redis = await startRedis();
    const queue = bullmqQueue(redis.url, silent, patient);
    const heard: number[] = [];
    const answering = Promise.withResolvers<void>();
    const listening = queue.listen(async (run) => {
      heard.push(run);
      await answering.promise;
    }, 1);
    await queue.ring(1, 1);
    await expect.poll(() => heard).toEqual([1]);

    await fault(redis);
    const closed = Promise.resolve(listening[Symbol.asyncDispose]()).then(() =>
      queue[Symbol.asyncDispose](),
    );
    answering.resolve();

    await closed;
  });

  test.each<[what: string, fault: (redis: RedisServer) => unknown]>([
    ["is dead", (redis) => redis.kill()],
    ["is frozen", (redis) => redis.freeze()],
  ])("%s, nor is its process kept by anything", async (_, fault) => {
    await using redis = await startRedis();
    await using child = otherProcess(redis.url);
    await child.said("SERVES");

    await fault(redis);
    child.leave();

    await child.said("LEFT 0");
  });
});

describe("the queue on PostgreSQL", () => {
  let server: Postgres;
  let url = "";
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const fresh = async () => {
    url = await server.fresh();
    return queuesAt(url);
  };

  queueContract(fresh);
  sharedQueueContract(fresh, () => url);
});

function queuesAt(url: string): Queues {
  const opened: Queue[] = [];
  const open = async () => {
    opened.push(bullmqQueue(url, silent, testPace));
    return opened.at(-1)!;
  };
  return { open, again: open, ...closing(opened) };
}

function closing(opened: Queue[]): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((queue) => queue[Symbol.asyncDispose]()));
    },
  };
}
