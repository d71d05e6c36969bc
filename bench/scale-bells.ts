import pg from "pg";
import { bullmqQueue } from "../engine/queues/bullmq.ts";
import { usualPace } from "../engine/queues/pace.ts";
import { startPostgres } from "../test/servers/postgres.ts";
import { startRedis } from "../test/servers/redis.ts";
import { row } from "./rows.ts";

/** Every ring is to arrive, however busy the machine is. */
const patient = { ...usualPace, ringMs: 60_000, askMs: 60_000, lockMs: 120_000 };

const log = { info() {}, warn() {}, error: console.error };

/** Rings for 100, 1,000 … runs in an empty store, and prints what it takes; then they are answered. */
export async function bells(most: number): Promise<void> {
  await using postgres = await startPostgres();
  row(
    "rings",
    "Redis, KB more",
    "bytes a ring",
    "once answered",
    "PostgreSQL, KB more",
    "bytes a ring",
    "once answered",
  );
  row("---:", "---:", "---:", "---:", "---:", "---:", "---:");
  for (let count = 100; count <= most; count *= 10) {
    await using redis = await startRedis();
    const ofRedis = async () => {
      const info = String(await redis.ask("INFO", "memory"));
      return Number(/used_memory:(\d+)/.exec(info)?.[1]);
    };
    const url = await postgres.fresh();
    const ofPostgres = () => sizeOf(url);
    const one = await rung(count, redis.url, ofRedis);
    const other = await rung(count, url, ofPostgres);
    const cells = [one, other].flatMap(({ before, full, after }) => [
      kilo(full - before),
      Math.round((full - before) / count),
      kilo(after - before),
    ]);
    row(count, ...cells);
  }
  process.stdout.write("\n");
}

async function rung(count: number, url: string, size: () => Promise<number>) {
  await using queue = bullmqQueue(url, log, patient);
  await queue.ring(1, 1);
  const before = await size();
  const runs = Array.from({ length: count }, (_, n) => n + 2);
  for (let at = 0; at < count; at += 500) {
    await Promise.all(runs.slice(at, at + 500).map((run) => queue.ring(run, run)));
  }
  const full = await size();
  const all = Promise.withResolvers<void>();
  let answered = 0;
  const answer = async () => {
    answered += 1;
    if (answered > count) all.resolve();
  };
  await using listening = queue.listen(answer, 50);
  await all.promise;
  await listening[Symbol.asyncDispose]();
  return { before, full, after: await size() };
}

async function sizeOf(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ bytes: string }>(`
      select coalesce(sum(pg_total_relation_size(oid)), 0) as bytes from pg_class
      where relkind = 'r' and relnamespace = to_regnamespace('godwit_queue')`);
    return Number(rows[0]?.bytes);
  } finally {
    await client.end();
  }
}

const kilo = (bytes: number) => Math.round(bytes / 1024);
