import { describe, expect, test } from "vitest";
import { startEngine } from "../../engine/engine.ts";
import { memorySystem } from "../../engine/providers/memory/provider.ts";
import { memoryQueue } from "../../engine/queues/memory.ts";
import { defaults, type Works } from "../../engine/works.ts";
import { acme, type Books, passOver } from "../contracts/books.ts";
import { openBooks } from "../db/books.ts";
import { freshDatabases } from "../db/databases.ts";
import { naivePasses, type OpenedBooks } from "./starts.ts";

const owned = 400;
const asking = 1000;

const databases = [
  ["SQLite", freshDatabases("sqlite")],
  ["PostgreSQL", freshDatabases("postgres")],
] as const;

describe("a thousand that start at once for four hundred licenses", () => {
  test.each(databases)(
    "get exactly those on %s, and two engines consume exactly those",
    async (_, fresh) => {
      await using books = await openBooks(await fresh());
      await using other = await books.again();
      const names = Array.from({ length: asking }, (_, n) => `user${n}`);
      const { project, entries } = await acme(books, names, { licenses: owned });
      const doors: Books[] = [books, other];

      const racing = await Promise.allSettled(
        entries.map((entry, n) => doors[n % 2]!.passes.submit(passOver(project, [entry]))),
      );

      const refused = racing.filter((one) => one.status === "rejected");
      expect(refused).toHaveLength(asking - owned);
      for (const { reason } of refused) expect(String(reason)).toMatch(/0 free: 1 short/);
      const balance = { owned, reserved: owned, consumed: 0, free: 0 };
      expect(await other.licenses.balance(project.id)).toEqual(balance);

      const system = memorySystem();
      for (const { source } of entries) {
        system.deliver(source, "INBOX", Buffer.from("Subject: one\r\n\r\none\r\n"));
      }
      {
        await using _one = engineOn(books, system);
        await using _two = engineOn(other, system);
        await expect
          .poll(async () => (await books.passes.waiting(1)).length, { timeout: 90_000 })
          .toBe(0);
      }
      const after = { owned, reserved: 0, consumed: owned, free: 0 };
      expect(await books.licenses.balance(project.id)).toEqual(after);
      const carried = entries.filter(({ target }) => system.letters(target, "INBOX").length === 1);
      expect(carried).toHaveLength(owned);
      const history = await books.licenses.history(project.id, 10_000);
      expect(history.filter((one) => one.kind === "consume")).toHaveLength(owned);
    },
    120_000,
  );
});

/** An engine of its own on an opening of its own, with these mail systems in memory. */
function engineOn(books: Books, system: ReturnType<typeof memorySystem>): AsyncDisposable {
  const works: Works = {
    ...books,
    providers: { imap: system, memory: system },
    log: { info() {}, warn() {}, error() {} },
    settings: defaults,
  };
  return startEngine(works, memoryQueue(), { concurrency: 4, lookMs: 20, wantedMs: 500 });
}

// The control: the product's own statements, run the same way but taking no turns.
test.each(databases)(
  "two hundred that start without taking turns reserve more than eighty on %s",
  async (_, fresh) => {
    await using books = await openBooks(await fresh());
    await using other = (await books.again()) as OpenedBooks;
    const names = Array.from({ length: 200 }, (_, n) => `user${n}`);
    const { project, entries } = await acme(books, names, { licenses: 80 });
    const doors = [naivePasses(books), naivePasses(other)];

    await Promise.allSettled(
      entries.map((entry, n) => doors[n % 2]!.submit(passOver(project, [entry]))),
    );

    const { reserved, free } = await books.licenses.balance(project.id);
    expect(reserved).toBeGreaterThan(80);
    expect(free).toBeLessThan(0);
  },
);
