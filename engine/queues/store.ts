import {
  createPostgresBackend,
  createRedisBackend,
  type JobsOptions,
  type Queue as RedisQueue,
  withBackend,
} from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import { within } from "../domain/clock.ts";
import type { Depth } from "../domain/queue.ts";
import { hidePassword } from "../domain/secret.ts";
import type { Pace } from "./pace.ts";

/** What a ring carries. */
export interface Bell {
  run: number;
}

/** A queue of BullMQ, whatever keeps it. */
export interface BellQueue {
  add(bell: Bell, options: JobsOptions): Promise<unknown>;
  onError(heard: (error: unknown) => void): void;
  ready(): Promise<unknown>;
  /** Writes something that changes nothing. */
  write(): Promise<unknown>;
  depth(): Promise<Depth>;
  /** At once, whatever is under way; nothing of it stays open. */
  end(): Promise<void>;
}

/** A worker of BullMQ. */
export interface BellWorker {
  onError(heard: (error: unknown) => void): void;
  /** Takes no more, and ends when what it took is noted in the store. */
  pause(): Promise<void>;
  /** As of the queue. */
  end(): Promise<void>;
}

/** BullMQ's own queue, for who draws it. */
export interface BareQueue {
  queue: RedisQueue;
  /** As of the queue. */
  end(): Promise<void>;
}

/** Where BullMQ keeps rings. */
export interface Store {
  readonly keeper: "Redis" | "PostgreSQL";
  /** `toLook`: nothing is made in the store. */
  queue(toLook?: boolean): BellQueue;
  /** What it is asked fails where the store does not answer in time; nothing is ever made there. */
  bare(): BareQueue;
  worker(answer: (bell: unknown) => Promise<void>, concurrency: number): BellWorker;
}

/** A later version that rings otherwise takes another name: both may be at work during an update. */
const name = "runs-1";
/** In braces, so that a Redis Cluster keeps everything in one slot. */
const prefix = "{godwit}";
/** On PostgreSQL the tables have a schema of their own, and may share Godwit's database. */
export const schema = "godwit_queue";

/** The store of a `redis://`, `rediss://` or `postgres://` URL. Nothing is opened yet. */
export function storeOf(url: string, pace: Pace): Store {
  hidePassword(url);
  return isRedis(url) ? redisStore(url, pace) : postgresStore(url, pace);
}

function redisStore(url: string, pace: Pace): Store {
  const { Queue, Worker } = withBackend(createRedisBackend);
  // The version is asked for by `doctor`; BullMQ would print to the console.
  const settings = { ...settingsOf(pace), prefix, skipVersionCheck: true };
  return {
    keeper: "Redis",
    bare() {
      const impatient = { commandTimeout: pace.askMs, maxRetriesPerRequest: 1 };
      const { client, end } = mortalClient(url, impatient);
      const options = { ...settings, connection: client, skipMetasUpdate: true };
      return bareQueue(new Queue(name, options), pace, end);
    },
    queue() {
      const { client, end } = mortalClient(url);
      const streams = { events: { maxLen: 100 } };
      const queue = new Queue<Bell>(name, { ...settings, connection: client, streams });
      return bellQueue(queue, pace, end);
    },
    worker(answer, concurrency) {
      const { client, end } = mortalClient(url);
      const options = { ...settings, connection: client, concurrency };
      const worker = new Worker<Bell>(name, (job) => answer(job.data), options);
      return bellWorker(worker, pace, end);
    },
  };
}

function postgresStore(url: string, pace: Pace): Store {
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const connection = {
    connectionString: url,
    schema,
    max: 4,
    connectionTimeoutMillis: pace.askMs,
    query_timeout: 4 * pace.askMs,
    application_name: "godwit queue",
    keepAlive: true,
  };
  // The type of a queue tells what it is opened with, and whoever draws it knows Redis alone.
  const queueOn = (change: Partial<typeof connection> & { migrate?: true }, options = {}) =>
    new Queue(name, {
      connection: { ...connection, ...change },
      ...options,
    }) as unknown as RedisQueue;
  return {
    keeper: "PostgreSQL",
    bare: () =>
      bareQueue(queueOn({ max: 2, query_timeout: pace.askMs }, { skipMetasUpdate: true }), pace),
    queue: (toLook = false) => bellQueue(queueOn(toLook ? {} : { migrate: true }), pace),
    worker(answer, concurrency) {
      const options = { ...settingsOf(pace), connection, concurrency };
      return bellWorker(new Worker<Bell>(name, (job) => answer(job.data), options), pace);
    },
  };
}

function settingsOf(pace: Pace) {
  return {
    // A ring of a dead process is given to others however often that happens.
    maxStalledCount: 1_000_000,
    lockDuration: pace.lockMs,
    stalledInterval: pace.stalledMs,
    runRetryDelay: pace.retryMs,
  };
}

function bellQueue(queue: RedisQueue, { askMs }: Pace, end = () => {}): BellQueue {
  return {
    add: (bell, options) => queue.add("run", bell, options),
    onError: (heard) => void queue.on("error", heard),
    ready: () => queue.waitUntilReady(),
    write: () => queue.getBackend().setQueueMeta({ asked: Date.now() }),
    async depth() {
      const states = ["waiting", "prioritized", "delayed", "active"] as const;
      const { active = 0, ...rest } = await queue.getJobCounts(...states);
      return { waiting: Object.values(rest).reduce((sum, n) => sum + n, 0), active };
    },
    end: () => endOf(queue, askMs, end),
  };
}

function bareQueue(queue: RedisQueue, { askMs }: Pace, end = () => {}): BareQueue {
  // What fails is told to whoever asked.
  queue.on("error", () => undefined);
  return { queue, end: () => endOf(queue, askMs, end) };
}

async function endOf(queue: RedisQueue, askMs: number, end: () => void): Promise<void> {
  await within(askMs, queue.getBackend().close(true)).catch(() => undefined);
  end();
}

interface AnyWorker {
  on(event: "error", heard: (error: Error) => void): unknown;
  pause(): Promise<void>;
  close(force: boolean): Promise<void>;
}

function bellWorker(worker: AnyWorker, { askMs }: Pace, end = () => {}): BellWorker {
  return {
    onError: (heard) => void worker.on("error", heard),
    pause: () => worker.pause(),
    async end() {
      await within(askMs, worker.close(true)).catch(() => undefined);
      end();
    },
  };
}

/** A client whose copies end with it. BullMQ would now and then connect one again that it had closed. */
function mortalClient(
  url: string,
  change: Partial<RedisOptions> = {},
): { client: Redis; end(): void } {
  const all: Redis[] = [];
  let ended = false;
  const mortal = (client: Redis): Redis => {
    all.push(client);
    const connect = client.connect.bind(client);
    const duplicate = client.duplicate.bind(client);
    // Heard by BullMQ; what comes after it stopped hearing is nobody's.
    client.on("error", () => undefined);
    return Object.assign(client, {
      connect: () => (ended ? Promise.reject(new Error("Connection is closed.")) : connect()),
      duplicate: (override?: Partial<RedisOptions>) => mortal(duplicate(override)),
    });
  };
  const client = mortal(
    new Redis(url, {
      // BullMQ's own demand: its commands wait for the next connection.
      maxRetriesPerRequest: null,
      connectTimeout: 5_000,
      keepAlive: 10_000,
      disconnectTimeout: 100,
      retryStrategy: (times) => (ended ? null : Math.min(times * 200, 2_000)),
      ...change,
    }),
  );
  return {
    client,
    end() {
      ended = true;
      for (const one of all) {
        one.disconnect();
        // Between two tries to connect it would not tell those who wait, and their timers keep the process.
        (one as unknown as Waited).flushQueue(new Error("Connection is closed."));
      }
    },
  };
}

/** What ioredis does by itself when a connection ends for good. */
interface Waited {
  flushQueue(error: Error): void;
}

/** A client that gives up where Redis does not answer, to ask how it stands. */
export function redisClient(url: string, withinMs: number): Redis {
  hidePassword(url);
  return new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: withinMs,
    commandTimeout: withinMs,
  });
}

export function isRedis(url: string): boolean {
  return /^rediss?:/i.test(url);
}
