import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../engine/domain/clock.ts";
import type { News } from "../../engine/domain/news.ts";
import { ended, type PassId } from "../../engine/domain/pass.ts";
import { presets } from "../../engine/domain/policy.ts";
import type { Queue } from "../../engine/domain/queue.ts";
import { startEngine } from "../../engine/engine.ts";
import { memorySystem } from "../../engine/providers/memory/provider.ts";
import { memoryQueue } from "../../engine/queues/memory.ts";
import { ringWaiting } from "../../engine/submit.ts";
import { defaults, type Log, type Works } from "../../engine/works.ts";
import { acme, type Books, passOver } from "../contracts/books.ts";
import { openBooks } from "../db/books.ts";
import { type Stand, standOf } from "./stand.ts";
import { watched } from "./watched.ts";

export interface HouseOptions {
  /** The database: empty, of its own. */
  url: string;
  /** Mailboxes, and how many letters lie in each at the start. */
  mailboxes: number;
  letters: number;
  /** Engines, each on an opening of the database of its own; two by default. */
  engines?: number;
  lookMs?: number;
  batch?: number;
  /** How long the new system takes for a letter, in ms. */
  letterMs?: number;
  /** Nothing is carried before the gate is opened. */
  gated?: boolean;
  /** What rings between them; each has a queue within its process by default. */
  queue?: (log: Log) => Queue;
}

export type House = Awaited<ReturnType<typeof openHouse>>;

/** Its waits are real, and short. */
const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => delay(Math.min(ms, 50)),
};

/** Engines of this process at work on one database, between two mail systems in memory. */
export async function openHouse(options: HouseOptions) {
  await using stack = new AsyncDisposableStack();
  const books = stack.use(await openBooks(options.url));
  const names = Array.from({ length: options.mailboxes }, (_, n) => `user${n}`);
  const { project, entries } = await acme(books, names, {
    licenses: names.length,
    policy: presets.cloudiway,
  });
  const system = memorySystem();
  const gate = Promise.withResolvers<void>();
  stack.defer(() => gate.resolve());
  if (options.gated !== true) gate.resolve();
  const seen = { atGate: 0, appended: 0, wrong: [] as string[] };
  const warnings: Record<string, unknown>[] = [];
  const errors: string[] = [];
  const gated: Works["providers"]["memory"] = {
    ...system,
    async source(address) {
      seen.atGate += 1;
      await gate.promise;
      return system.source(address);
    },
  };
  const queueLog = { ...silent, warn: (facts: (typeof warnings)[0]) => void warnings.push(facts) };
  const log = {
    ...silent,
    error: ({ err }: Record<string, unknown>) => void errors.push(String(err)),
  };
  const openings: Books[] = [books];
  for (let n = 1; n < (options.engines ?? 2); n += 1) openings.push(stack.use(await books.again()));
  const queues: Queue[] = [];
  const engines: AsyncDisposable[] = [];
  const start = () => {
    for (const own of openings) {
      const queue = options.queue?.(queueLog) ?? memoryQueue();
      queues.push(queue);
      const works: Works = {
        ...own,
        clock,
        providers: { imap: gated, memory: gated },
        log,
        settings: {
          ...defaults,
          quietMs: 50,
          silentQuietMs: 50,
          retryMs: 20,
          batch: { items: options.batch ?? 2, bytes: 100_000 },
        },
      };
      const { letterMs = 3, lookMs = 50 } = options;
      const guarded = watched(works, entries, { letterMs, ...tellsOf(seen) });
      engines.push(startEngine(guarded, queue, { concurrency: 2, lookMs, wantedMs: 500 }));
    }
  };
  const stop = async () => {
    for (const engine of engines.splice(0)) await engine[Symbol.asyncDispose]();
  };
  const hangUp = async () => {
    for (const queue of queues.splice(0)) await queue[Symbol.asyncDispose]();
  };
  stack.defer(hangUp);
  stack.defer(stop);
  let delivered = 0;
  /** So many letters more into each mailbox, every fifth of them twice. */
  const deliver = (count: number) => {
    for (const { source } of entries) {
      for (let n = delivered; n < delivered + count; n += 1) {
        const words = n % 5 === 4 ? n - 1 : n;
        const bytes = Buffer.from(`Subject: ${words}\r\n\r\n${words} of ${source}\r\n`);
        system.deliver(source, "INBOX", bytes);
      }
    }
    delivered += count;
  };
  deliver(options.letters);
  start();
  let passes = 0;
  const opened = stack.move();
  return {
    books,
    names,
    seen,
    warnings,
    errors,
    queues,
    deliver,
    /** Of these mailboxes, all by default; the engines are rung for it. */
    async submit(from = 0, to = names.length): Promise<PassId> {
      const license = passes === 0 || from > 0 ? "reserve" : "none";
      passes += 1;
      const wanted = passOver(project, entries.slice(from, to), { license });
      const pass = await books.passes.submit(wanted);
      await ringWaiting({ passes: books.passes, queue: queues[0]! });
      return pass;
    },
    openGate: () => gate.resolve(),
    waiting: async () => (await books.passes.waiting(100)).length,
    /** How a pass ended; null before, and while the database is away. */
    async over(pass: PassId) {
      const snapshot = await books.passes.snapshot(pass).catch(() => null);
      return snapshot !== null && ended(snapshot.state) ? snapshot.state : null;
    },
    /** How each run ended, as often as it did. */
    async ended() {
      const rows = await books.database.knex("news").orderBy("id").select("body");
      const told = rows.map(({ body }) => JSON.parse(body) as News);
      const ends = told.filter((one) => one.type === "entry ended");
      return Object.fromEntries(
        [...Map.groupBy(ends, ({ entry }) => entry)].map(([entry, its]) => [
          entry,
          its.map(({ state }) => state),
        ]),
      );
    },
    stands: (): Stand => standOf(system, names),
    start,
    stop,
    hangUp,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const silent = { info() {}, warn() {}, error() {} };

function tellsOf(seen: { appended: number; wrong: string[] }) {
  return {
    appended: () => {
      seen.appended += 1;
    },
    wrong: (words: string) => void seen.wrong.push(words),
  };
}

/** Waits until something is so; throws where it is not in time, saying what. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const begun = performance.now();
  while (!(await isSo())) {
    if (performance.now() - begun > withinMs) throw new Error(`Not in time: ${what}.`);
    await delay(10);
  }
}

/** Waits for a pass's end; what is wrong with it, in words. */
export async function finished(house: House, pass: PassId): Promise<string[]> {
  let state: Awaited<ReturnType<House["over"]>> = null;
  const isOver = async () => {
    state = await house.over(pass);
    return state !== null;
  };
  await until(`pass ${pass} ends`, isOver, 90_000);
  return state === "completed" ? [] : [`pass ${pass}: ${state}`];
}
