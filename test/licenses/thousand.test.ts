import { expect, test } from "vitest";
import { acme, passOver } from "../contracts/books.ts";
import { openBooks, sqliteFolder } from "../db/books.ts";
import { startPostgres } from "../servers/postgres.ts";
import { naivePasses, type OpenedBooks } from "./starts.ts";

// The control of test/db/thousand.test.ts: the product's own statements, run the same way but taking no turns.

test.each(["SQLite", "PostgreSQL"])(
  "two hundred that start without taking turns reserve more than eighty on %s",
  async (kind) => {
    await using folder = await sqliteFolder();
    await using server = kind === "SQLite" ? null : await startPostgres();
    await using books = await openBooks(server === null ? folder.fresh() : await server.fresh());
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
