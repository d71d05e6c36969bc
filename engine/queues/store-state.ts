import { within } from "../domain/clock.ts";
import { UserError } from "../domain/errors.ts";
import { reasonOf } from "./line.ts";
import { usualPace } from "./pace.ts";
import { isRedis, redisClient, storeOf } from "./store.ts";

/** How a queue's store stands. */
export interface StoreState {
  kind: "Redis" | "PostgreSQL";
  /** Null where it does not say. */
  version: string | null;
  /** What Redis does when its memory is full; null where that is no question. */
  policy: string | null;
  /** Whether the store keeps rings over its own restart. */
  durable: boolean;
}

/** Asks the store of this URL, and writes to it. Throws `UserError` where it cannot keep rings. */
export async function stateOfStore(url: string, withinMs = 5_000): Promise<StoreState> {
  try {
    const state = isRedis(url) ? await stateOfRedis(url, withinMs) : postgres;
    await tryWriting(url, withinMs);
    return state;
  } catch (error) {
    throw new UserError(
      `QUEUE_URL: the store does not keep rings: ${reasonOf(error)}. Engines look for runs by themselves until it does, some seconds later each. See that it runs and that name and password are right, or unset QUEUE_URL where one process does everything.`,
    );
  }
}

const postgres: StoreState = { kind: "PostgreSQL", version: null, policy: null, durable: true };

async function stateOfRedis(url: string, withinMs: number): Promise<StoreState> {
  const client = redisClient(url, withinMs);
  let trouble: unknown = null;
  client.on("error", (error: unknown) => {
    trouble ??= error;
  });
  try {
    await client.connect();
    const facts = factsOf(await client.info());
    return {
      kind: "Redis",
      version: facts.get("redis_version") ?? null,
      policy: facts.get("maxmemory_policy") ?? null,
      durable: facts.get("aof_enabled") === "1",
    };
  } catch (error) {
    throw trouble ?? error;
  } finally {
    client.disconnect();
  }
}

function factsOf(info: string): Map<string, string> {
  return new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

async function tryWriting(url: string, withinMs: number): Promise<void> {
  const bells = storeOf(url, usualPace).queue();
  const failed = new Promise<never>((_, reject) => bells.onError(reject));
  failed.catch(() => undefined);
  try {
    await within(withinMs, Promise.race([bells.ready(), failed]));
    await within(withinMs, bells.write());
  } finally {
    await bells.end();
  }
}
