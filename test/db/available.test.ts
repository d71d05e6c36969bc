import { expect, test } from "vitest";
import { available } from "../../db/available.ts";
import { UnavailableError } from "../../engine/domain/errors.ts";

/** A port whose one question fails with this code, as a database's driver says it. */
const failing = (code: string) =>
  available({ ask: () => Promise.reject(Object.assign(new Error("select 1 - oh"), { code })) });

test.each([
  ["53100", "The disk of the database is full."],
  ["SQLITE_FULL", "The disk of the database is full."],
  ["SQLITE_IOERR", "The database's file cannot be read or written."],
  ["SQLITE_READONLY", "The database's file cannot be read or written."],
  ["58030", "The database's file cannot be read or written."],
  ["53300", "The database takes no more connections."],
  ["53200", "The database has no room for more work."],
  ["SQLITE_BUSY", "Another process keeps the database busy."],
  ["40P01", "Another process keeps the database busy."],
  ["57P01", "The database does not answer."],
  ["25P03", "The database does not answer."],
  ["ECONNREFUSED", "The database does not answer."],
])("a database that says %s is away: %s", async (code, words) => {
  const asked = failing(code).ask();

  await expect(asked).rejects.toBeInstanceOf(UnavailableError);
  await expect(asked).rejects.toThrow(words);
});

test("a transaction that SQLite took back by itself, on a full disk, is no fault", async () => {
  const ask = () =>
    Promise.reject(
      new Error("ROLLBACK - SQLITE_ERROR: cannot rollback - no transaction is active"),
    );

  await expect(available({ ask }).ask()).rejects.toThrow(
    "The disk of the database is full or fails.",
  );
});

test.each(["23505", "SQLITE_CONSTRAINT", "SQLITE_CORRUPT", "42601"])(
  "%s is a fault, and stays one",
  async (code) => {
    await expect(failing(code).ask()).rejects.toMatchObject({ name: "Error", code });
  },
);
