import { describe, expect, test } from "vitest";
import { TransientError } from "../../engine/domain/errors.ts";
import { ended, type PassId } from "../../engine/domain/pass.ts";
import { startEngine } from "../../engine/engine.ts";
import { type MemorySystem, memorySystem } from "../../engine/providers/memory/provider.ts";
import { memoryQueue } from "../../engine/queues/memory.ts";
import { defaults, type Works } from "../../engine/works.ts";
import { acme, type Books, newEntry, passOver } from "../contracts/books.ts";
import { openBooks, sqliteFolder } from "../db/books.ts";
import { memoryWorld } from "../doubles/memory-world.ts";

const minute = 60_000;
const names = Array.from({ length: 12 }, (_, n) => `user${n}`);

function worksOf(books: Books, memory: MemorySystem): Works {
  return {
    ...books,
    providers: { imap: memory, memory },
    log: { info() {}, warn() {}, error() {} },
    settings: defaults,
  };
}

/** A mail system that keeps count of the mailboxes open to read. */
function counting(system: MemorySystem) {
  const seen = { open: 0, most: 0 };
  const source: MemorySystem["source"] = async (address) => {
    const opened = await system.source(address);
    seen.open += 1;
    seen.most = Math.max(seen.most, seen.open);
    // A server takes its time: meanwhile the others are begun.
    await new Promise((go) => setTimeout(go, 20));
    return {
      ...opened,
      async [Symbol.asyncDispose]() {
        seen.open -= 1;
        await opened[Symbol.asyncDispose]();
      },
    };
  };
  return { seen, system: { ...system, source } };
}

async function over(books: Books, pass: PassId): Promise<string | null> {
  const { state } = await books.passes.snapshot(pass);
  return ended(state) ? state : null;
}

describe("two engines on one database", () => {
  test.each([
    { atOnce: 3, most: 3 },
    { atOnce: 1, most: 1 },
    // The control: without a pace their eight places fill.
    { atOnce: null, most: 8 },
  ])("carry $most mailboxes at once where the pace is $atOnce, and all in the end", async (one) => {
    await using folder = await sqliteFolder();
    const url = folder.fresh();
    await using books = await openBooks(url);
    await using other = await books.again();
    const { project, entries } = await acme(books, names);
    await books.paces.set(project.targetEndpoint.id, one.atOnce);
    const { seen, system } = counting(memorySystem());
    const pass = await books.passes.submit(passOver(project, entries, { license: "none" }));
    await using queue = memoryQueue();
    const options = { concurrency: 4, lookMs: 20, wantedMs: 500 };
    await using _first = startEngine(worksOf(books, system), queue, options);
    await using _second = startEngine(worksOf(other, system), queue, options);

    await expect.poll(() => over(books, pass), { timeout: 20_000 }).toBe("completed");

    if (one.atOnce === null) expect(seen.most).toBeGreaterThan(4);
    else expect(seen.most).toBe(one.most);
  });
});

test("a mailbox that is told to wait leaves its place to another project's", async () => {
  await using folder = await sqliteFolder();
  await using books = await openBooks(folder.fresh());
  const { project, entries } = await acme(books, ["anna"]);
  const beta = await books.projects.create({
    name: "beta",
    sourceEndpoint: project.targetEndpoint.id,
    targetEndpoint: project.sourceEndpoint.id,
    policy: project.policy,
    zone: project.zone,
  });
  const its = await books.projects.add(beta.id, [newEntry("bob")]);
  const memory = memorySystem();
  const asked: string[] = [];
  const system: MemorySystem = {
    ...memory,
    source(address) {
      asked.push(address.mailbox);
      if (address.mailbox.startsWith("bob")) return memory.source(address);
      throw new TransientError("old wants a pause: slower.", "throttled", {
        retryAfterMs: 5 * minute,
        server: project.sourceEndpoint.id,
      });
    },
  };
  const first = await books.passes.submit(passOver(project, entries, { license: "none" }));
  const second = await books.passes.submit(passOver(beta, its, { license: "none" }));
  const began = books.clock.now();
  await using queue = memoryQueue();
  const options = { concurrency: 1, lookMs: 20, wantedMs: 500 };
  await using _engine = startEngine(worksOf(books, system), queue, options);

  await expect.poll(() => over(books, second), { timeout: 20_000 }).toBe("completed");

  const { state, runs } = await books.passes.snapshot(first);
  expect([state, runs[0]?.state, runs[0]?.waiting]).toEqual([
    "processing",
    "queued",
    { for: "throttled", until: began + 5 * minute },
  ]);
  expect(asked).toEqual(["anna@old.example", "bob@old.example"]);
});

describe("a server that nobody reaches", () => {
  const refused = (server: number) =>
    new TransientError("old cannot be reached.", "connection", { server });

  /** A pass over these mailboxes, while the old server is away for so long. */
  async function passThrough(awayMs: number, settings: Partial<Works["settings"]> = {}) {
    const world = await memoryWorld();
    const began = world.clock.now();
    const tried = new Map<string, number>();
    await world.add(...names.slice(0, 4));
    const memory = {
      ...world.works.providers.memory,
      source: (address: Parameters<MemorySystem["source"]>[0]) => {
        if (world.clock.now() - began >= awayMs) return world.system.source(address);
        tried.set(address.mailbox, (tried.get(address.mailbox) ?? 0) + 1);
        return Promise.reject(refused(address.endpoint.id));
      },
    };
    const works = {
      ...world.works,
      providers: { ...world.works.providers, memory },
      settings: { ...world.works.settings, ...settings },
    };
    const pass = await world.pass("full", { works });
    const took = world.clock.now() - began;
    return { world, pass, took, tried: [...tried.values()].reduce((a, b) => a + b, 0) };
  }

  test("for half an hour fails no mailbox, and is not asked more than a few times a minute", async () => {
    const { world, pass, took, tried } = await passThrough(30 * minute);
    await using _world = world;

    expect(pass.state).toBe("completed");
    expect(took).toBeLessThan(45 * minute);
    expect(tried / 30).toBeLessThan(4);
  });

  test("for good fails them in the end, saying so", async () => {
    const { world, pass } = await passThrough(Number.POSITIVE_INFINITY, { serverTries: 7 });
    await using _world = world;

    expect(pass.state).toBe("failed");
    expect(pass.runs[0]?.reason).toMatch(/gave up after 7 tries: old cannot be reached/);
  });
});
