import { Redis } from "ioredis";
import type { House } from "./house.ts";
import { measure, type Samples, type SharedFigure } from "./samples.ts";

/** Samples of all that lives at this moment. */
export async function sample(house: House, samples: Samples): Promise<void> {
  const living = [house.bot, house.steady, house.restless].filter((one) => one !== null);
  const measured = living.map(async (one) => {
    for (const [figure, value] of Object.entries(await measure(one))) {
      samples.note(one.name, one.pid, figure, value);
    }
  });
  const shared = { ...(await shareOfRedis(house)), ...(await shareOfPostgres(house)) };
  for (const [figure, value] of Object.entries(shared)) samples.note("shared", 0, figure, value);
  await Promise.all(measured);
  // What the proxies remember of an hour is nobody's to read.
  for (const { proxy } of [house.old, house.fresh]) proxy.commands.length = 0;
}

type Some = Partial<Record<SharedFigure, number>>;

async function shareOfRedis({ redis }: House): Promise<Some> {
  const wait = { connectTimeout: 3_000, commandTimeout: 3_000 };
  const client = new Redis(redis.url, { ...wait, lazyConnect: true, retryStrategy: () => null });
  // It may be dead or frozen: then nothing is known of it.
  client.on("error", () => {});
  try {
    await client.connect();
    const [info, keys] = await Promise.all([client.info(), client.dbsize()]);
    const fact = (name: string) => Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1]);
    return {
      "Redis bytes": fact("used_memory"),
      // One of them asks.
      "Redis clients": fact("connected_clients") - 1,
      "Redis keys": keys,
    };
  } catch {
    return {};
  } finally {
    client.disconnect();
  }
}

async function shareOfPostgres({ books }: House): Promise<Some> {
  const count = await books.tryNumber(
    "select count(*) from pg_stat_activity where datname = current_database() and application_name <> 'soak'",
  );
  return count === null ? {} : { "PostgreSQL connections": count };
}
