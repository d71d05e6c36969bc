import { setTimeout as delay } from "node:timers/promises";
import type { RunId } from "../../engine/domain/pass.ts";
import type { Queue } from "../../engine/domain/queue.ts";
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { testPace } from "../contracts/queue-pace.ts";
import { dice } from "../doubles/letters.ts";
import { startPostgres } from "../servers/postgres.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";
import { finished, type House, type HouseOptions, openHouse, until } from "./house.ts";
import type { Suite } from "./suite.ts";

/** What becomes of Redis in the middle of a pass; ends when it serves again. */
type Fault = (redis: RedisServer, house: House, ms: number) => Promise<unknown>;

const faults: Record<string, Fault> = {
  async "killed, and back as it was"(redis, _house, ms) {
    await redis.kill();
    await delay(ms);
    await redis.start();
  },
  async "killed, and back empty"(redis, _house, ms) {
    await redis.kill();
    await delay(ms);
    await redis.start("empty");
  },
  flushed: (redis) => redis.ask("FLUSHALL"),
  async frozen(redis, _house, ms) {
    redis.freeze();
    await delay(ms);
    redis.thaw();
  },
  async "not there at the start"(redis, house, ms) {
    await redis.kill();
    await house.stop();
    await house.hangUp();
    house.start();
    await delay(ms);
    await redis.start();
  },
};

/** Two engines that ring each other by this Redis. */
export function ringingHouse(
  redis: RedisServer,
  options: Omit<HouseOptions, "queue">,
): Promise<House> {
  return openHouse({ ...options, queue: (log) => bullmqQueue(redis.url, log, testPace) });
}

/**
 * F5: what Redis suffers while two engines carry pass after pass, new mail in each. Every pass is to end by itself, and
 * the bell to ring again.
 */
export const redis: Suite = {
  name: "redis",
  row: "F5",
  times: 40,
  async run({ times, seed, tell }) {
    const random = dice(seed);
    await using stack = new AsyncDisposableStack();
    const postgres = stack.use(await startPostgres());
    const server = stack.use(await startRedis({ durable: true }));
    const url = await postgres.fresh();
    const house = await ringingHouse(server, { url, mailboxes: 6, letters: 6, lookMs: 200 });
    stack.use(house);
    const kinds = Object.keys(faults);
    const wrong: string[] = [];
    for (let n = 0; n < times; n += 1) {
      // Each of them as often as the others, in an order of the seed's own.
      const kind = kinds.splice(Math.floor(random() * kinds.length), 1)[0]!;
      if (kinds.length === 0) kinds.push(...Object.keys(faults));
      const before = house.seen.appended;
      const pass = await house.submit();
      const reached = before + Math.floor(random() * 20);
      await until("the pass is under way", () => house.seen.appended >= reached);
      // Now and then for as long as engines can notice.
      const ms = times > 10 && random() < 0.5 ? 5_000 : random() * 500;
      await faults[kind]!(server, house, ms);
      wrong.push(...(await finished(house, pass)).map((words) => `${kind}: ${words}`));
      await until("the bell is heard again", () => house.queues.every((one) => one.serves()));
      tell(`${n + 1} ${kind}, ${Math.round(ms)} ms`);
      house.deliver(5);
    }
    wrong.push(...(await finished(house, await house.submit())));
    await house.stop();
    await hear(house.queues);
    return { faults: times, ...house.stands(), wrong: [...wrong, ...house.seen.wrong] };
  },
};

/** Each queue hears a ring of the other. */
export async function hear(queues: readonly Queue[]): Promise<void> {
  const heard = queues.map(() => false);
  const listening = queues.map((queue, n) =>
    queue.listen(() => {
      heard[n] = true;
      return Promise.resolve();
    }, 1),
  );
  let run: RunId = 1_000_000;
  await until("each queue hears a ring", async () => {
    for (const queue of queues) {
      run += 1;
      await queue.ring(run, 1);
    }
    return heard.every(Boolean);
  });
  await Promise.all(listening.map((one) => one[Symbol.asyncDispose]()));
}
