import { within } from "../domain/clock.ts";
import { UserError } from "../domain/errors.ts";
import { reasonOf } from "./line.ts";
import { usualPace } from "./pace.ts";
import { isRedis, redisClient, schema, storeOf } from "./store.ts";

/** How a queue's store stands. */
export interface StoreState {
  kind: "Redis" | "PostgreSQL";
  /** Null where it does not say. */
  version: string | null;
  /** What Redis does when its memory is full; null where that is no question. */
  policy: string | null;
  /** Whether the store keeps rings over its own restart. */
  durable: boolean;
  /** What the first start makes there; null where it stands. */
  toCome: string | null;
}

/**
 * Asks the store of this URL, and writes when it was asked; nothing is made there. Throws `UserError` where it cannot
 * keep rings.
 */
export async function stateOfStore(url: string, withinMs = 5_000): Promise<StoreState> {
  try {
    const state = isRedis(url) ? await stateOfRedis(url, withinMs) : postgres;
    const stands = await tryWriting(url, withinMs);
    return stands ? state : { ...state, toCome: schema };
  } catch (error) {
    throw new UserError(
      `QUEUE_URL: the store does not keep rings: ${reasonOf(error).replace(/\.+$/, "")}. Engines look for runs by themselves until it does, some seconds later each. See that it runs and that name and password are right, or unset QUEUE_URL where one process does everything.`,
    );
  }
}

const postgres: StoreState = {
  ...{ kind: "PostgreSQL", version: null, policy: null },
  ...{ durable: true, toCome: null },
};

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
      toCome: null,
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

/** False where there is nothing yet to write to. */
async function tryWriting(url: string, withinMs: number): Promise<boolean> {
  const bells = storeOf(url, usualPace).queue(true);
  const failed = new Promise<never>((_, reject) => bells.onError(reject));
  failed.catch(() => undefined);
  try {
    await within(withinMs, Promise.race([bells.ready(), failed]));
    await within(withinMs, bells.write());
    return true;
  } catch (error) {
    // BullMQ's own word for a schema that is not there.
    if (error instanceof Error && error.name === "SchemaMigrationRequiredError") return false;
    throw error;
  } finally {
    await bells.end();
  }
}
