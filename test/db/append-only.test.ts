import { afterAll, beforeAll, expect, test } from "vitest";
import { acme } from "../contracts/books.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { openBooks, sqliteFolder } from "./books.ts";

let postgres: Postgres;
let folder: Awaited<ReturnType<typeof sqliteFolder>>;
beforeAll(async () => {
  [postgres, folder] = await Promise.all([startPostgres(), sqliteFolder()]);
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

test.each(["license_movements", "audit"] as const)(
  "a line of %s is never changed or taken out, whoever writes",
  async (table) => {
    for (const url of [folder.fresh(), await postgres.fresh()]) {
      await using books = await openBooks(url);
      const { project } = await acme(books, ["anna"]);
      const line = { did: "x", outcome: "done", reference: null, link: null } as const;
      await books.audit.note({ who: "test", project: project.id, ...line });
      const { knex } = books.database;
      await expect(knex(table).update({ at: 1 })).rejects.toThrow(`${table} is only added to`);
      await expect(knex(table).delete()).rejects.toThrow(`${table} is only added to`);
    }
  },
);
