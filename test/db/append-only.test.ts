import { expect, test } from "vitest";
import { acme } from "../contracts/books.ts";
import { openBooks } from "./books.ts";
import { freshDatabases } from "./databases.ts";

const onBoth = [freshDatabases("sqlite"), freshDatabases("postgres")];

test.each(["license_movements", "audit"] as const)(
  "a line of %s is never changed or taken out, whoever writes",
  async (table) => {
    for (const fresh of onBoth) {
      await using books = await openBooks(await fresh());
      const { project } = await acme(books, ["anna"]);
      const line = { did: "x", outcome: "done", reference: null, link: null } as const;
      await books.audit.note({ who: "test", project: project.id, ...line });
      const { knex } = books.database;
      await expect(knex(table).update({ at: 1 })).rejects.toThrow(`${table} is only added to`);
      await expect(knex(table).delete()).rejects.toThrow(`${table} is only added to`);
    }
  },
);
