import { expect, test } from "vitest";
import type { Database } from "../../db/open.ts";
import { acme, carry, completed, item, own, passOver } from "../contracts/books.ts";
import { openBooks } from "./books.ts";
import { freshDatabases } from "./databases.ts";

const fresh = freshDatabases("sqlite");

/** Steps of plans that read a whole table of many rows, or all that a project or a pass has in it. */
const whole =
  /^SCAN (items|runs|run_folders|news|license_movements|entries|folders|target_folders|failures|owners)\b|\((project_id|pass_id)=\?\)$/;

/** What these calls ask of the database, and how SQLite would find it. */
async function plansOf({ knex }: Database, work: () => Promise<unknown>): Promise<string[]> {
  const asked: { sql: string; bindings: readonly unknown[] }[] = [];
  const note = (query: (typeof asked)[number]) => void asked.push(query);
  knex.on("query", note);
  await work();
  knex.removeListener("query", note);
  const plans: string[] = [];
  for (const { sql, bindings } of asked) {
    if (!/^(select|update|delete|insert)/.test(sql)) continue;
    const steps = await knex.raw<{ detail: string }[]>(`explain query plan ${sql}`, [
      ...(bindings as string[]),
    ]);
    for (const { detail } of steps) if (whole.test(detail)) plans.push(`${detail}: ${sql}`);
  }
  return plans;
}

test("a run asks nothing that takes longer the more others there are", async () => {
  await using books = await openBooks(await fresh());
  const { project, entries } = await acme(books, ["anna", "bob"]);

  const pass = await books.passes.submit(passOver(project, entries));
  const [run] = await books.passes.waiting(1);

  const plans = await plansOf(books.database, async () => {
    await using owned = await own(books, entries[0]!);
    const { fence } = owned;
    await books.passes.begin(run!, fence);
    const inbox = await books.ledger.folder(entries[0]!.id, "INBOX", fence);
    await books.passes.expect(run!, 2, fence);
    await carry(books, { run: run!, fence, folder: inbox }, [item(1), item(2)]);
    await books.ledger.known(inbox.id, 1, 1, 2);
    await books.passes.wait(run!, { for: "connection", until: 1 }, fence);
    await books.passes.end(run!, completed, fence);
  });

  expect(plans).toEqual([]);
  // What is told of a pass as a whole reads all of it, and is seen to.
  expect(await plansOf(books.database, () => books.passes.snapshot(pass))).not.toEqual([]);
});
