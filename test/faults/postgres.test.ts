import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ended } from "../../engine/domain/pass.ts";
import type { OpenTarget, Target } from "../../engine/domain/provider.ts";
import { startEngine } from "../../engine/engine.ts";
import { memorySystem } from "../../engine/providers/memory.ts";
import { memoryQueue } from "../../engine/queues/memory.ts";
import { defaults, type Works } from "../../engine/worker.ts";
import { acme, passOver } from "../contracts/books.ts";
import { openBooks } from "../db/books.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";

// The database's own faults, under two engines of one PostgreSQL that carry small batches all the while.

const names = ["ada", "bea", "cleo", "dora", "eve", "fay"];
const letters = 40;

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());

/** Ends sessions of this database, as an administrator or a failing network does. */
async function terminate(url: string, application: string): Promise<number> {
  const client = new pg.Client({ connectionString: url, application_name: "fault" });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = $1",
      [application],
    );
    return rowCount ?? 0;
  } finally {
    await client.end();
  }
}

/** Two engines at work; `appended` counts what was sent. */
async function openHouse() {
  await using stack = new AsyncDisposableStack();
  const url = await postgres.fresh();
  const books = stack.use(await openBooks(url));
  const { project, entries } = await acme(books, names, { licenses: names.length });
  const system = memorySystem();
  for (const { source } of entries) {
    for (let n = 0; n < letters; n += 1) {
      system.deliver(source, "INBOX", Buffer.from(`Subject: ${n}\r\n\r\n${n} of ${source}\r\n`));
    }
  }
  const sent = { appended: 0 };
  const counting: Works["providers"]["memory"] = {
    ...system,
    target: async (address) => counted(await system.target(address), sent),
  };
  const pass = await books.passes.submit(passOver(project, entries));
  for (const own of [books, stack.use(await books.again())]) {
    const works: Works = {
      ...own,
      // Its waits are real here.
      clock: {
        now: () => Date.now(),
        sleep: (ms) => new Promise((go) => setTimeout(go, Math.min(ms, 50))),
      },
      providers: { imap: counting, memory: counting },
      log: { info() {}, warn() {}, error() {} },
      settings: {
        ...defaults,
        quietMs: 50,
        silentQuietMs: 50,
        retryMs: 20,
        batch: { items: 2, bytes: 1_000 },
      },
    };
    const options = { concurrency: 2, lookMs: 50, wantedMs: 500 };
    stack.use(startEngine(works, stack.use(memoryQueue()), options));
  }
  const opened = stack.move();
  return {
    url,
    sent,
    over: async () => {
      // The database may be away at this moment.
      const snapshot = await books.passes.snapshot(pass).catch(() => null);
      return snapshot !== null && ended(snapshot.state) ? snapshot.state : null;
    },
    /** Of each mailbox what stands at its target, as often as it does. */
    stands: () =>
      names.map((name) => {
        const bodies = system
          .letters(`${name}@new.example`, "INBOX")
          .map(({ bytes }) => `${bytes}`);
        return [bodies.length, new Set(bodies).size];
      }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function counted(target: Target, sent: { appended: number }): Target {
  return {
    ...target,
    async open(path): Promise<OpenTarget> {
      const open = await target.open(path);
      return {
        ...open,
        async *add(items) {
          for await (const receipt of open.add(items)) {
            sent.appended += 1;
            // A server takes its time: the faults come in the middle of batches.
            await new Promise((go) => setTimeout(go, 3));
            yield receipt;
          }
        },
      };
    },
  };
}

describe("two engines carry everything once, while", () => {
  test.each<[what: string, times: number, fault: (url: string) => Promise<unknown>]>([
    ["the sessions of the ledger are ended", 4, (url) => terminate(url, "godwit")],
    ["the sessions that hold the locks are ended", 4, (url) => terminate(url, "godwit locks")],
    ["the database is killed and comes back", 2, () => postgres.cut()],
  ])("%s", async (_, times, fault) => {
    await using house = await openHouse();
    for (let n = 1; n <= times; n += 1) {
      // Spread over the pass, each in the middle of something.
      const reached = Math.floor((n * names.length * letters) / (times + 2));
      await expect.poll(() => house.sent.appended, { timeout: 20_000 }).toBeGreaterThan(reached);
      await fault(house.url);
    }

    await expect.poll(house.over, { timeout: 30_000 }).toBe("completed");
    expect(house.stands()).toEqual(names.map(() => [letters, letters]));
  });
});
