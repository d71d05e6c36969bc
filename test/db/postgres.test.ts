import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { acme, own, passOver } from "../contracts/books.ts";
import { openBooks } from "./books.ts";
import { databaseContract } from "./contract.ts";
import { freshDatabases } from "./databases.ts";
import { otherProcess } from "./death.ts";

describe("the PostgreSQL database", () => {
  const fresh = freshDatabases("postgres");

  databaseContract(fresh);

  test("every lock is lost with the connection that holds it, and its owner is told", async () => {
    await using books = await openBooks(await fresh());
    const { entries } = await acme(books, ["anna"]);
    const owned = await own(books, entries[0]!);
    const told = new Promise((resolve) => owned.lost.addEventListener("abort", resolve));

    await books.database.knex.raw(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'godwit locks' and datname = current_database()",
    );

    await told;
    await owned[Symbol.asyncDispose]();
    await using next = await own(books, entries[0]!);
    expect(next.fence.token).toBe(owned.fence.token + 1);
    expect(next.lost.aborted).toBe(false);
  });

  test("a pass that is resumed at the same moment goes first, and its endpoint is not changed", async () => {
    await using books = await openBooks(await fresh());
    const { project, entries } = await acme(books, ["anna"]);
    const pass = await books.passes.submit(passOver(project, entries));
    await books.passes.control(pass, "pause", "x");
    const { knex } = books.database;
    const resuming = await knex.transaction();
    await resuming("passes").where({ id: pass }).forNoKeyUpdate().first("id");
    await resuming("passes").where({ id: pass }).update({ state: "queued" });
    let done = false;
    const changing = books.projects
      .changeEndpoint(project.sourceEndpoint.id, () => ({ port: 1 }))
      .finally(() => {
        done = true;
      });
    changing.catch(() => {});
    const waits = () =>
      knex("pg_stat_activity").where({ wait_event_type: "Lock" }).first("pid") as Promise<unknown>;

    while (!done && (await waits()) === undefined);
    await resuming.commit();

    await expect(changing).rejects.toThrow(`Pass ${pass} of acme is under way`);
    expect((await books.projects.endpoint("old"))?.port).toBe(993);
  });

  test("what a frozen process owns is free after a while, and it knows the moment it thaws; a living one keeps its own", async () => {
    const url = await fresh();
    await using books = await openBooks(url);
    const { entries } = await acme(books, ["anna", "bob"]);
    const heartbeat = JSON.stringify({ every: 100, within: 300, freed: 3_000 });
    await using stack = new AsyncDisposableStack();
    const owner = async (entry: number, seat: string) => {
      const child = otherProcess(url, ["own", String(entry), seat, heartbeat]);
      stack.defer(async () => {
        child.kill("SIGKILL");
      });
      const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
      const says = async () => JSON.parse((await lines.next()).value ?? "{}");
      expect(await says()).toMatchObject({ token: 1 });
      return { child, says };
    };
    const [frozen, living] = await Promise.all([
      owner(entries[0]!.id, "engine"),
      owner(entries[1]!.id, "narrator-local"),
    ]);

    frozen.child.kill("SIGSTOP");
    frozen.child.stdin!.write("may you go on?\n");
    await expect
      .poll(async () => (await books.owners.take(entries[0]!.id))?.fence.token, { timeout: 40_000 })
      .toBe(2);
    expect(await books.owners.take(entries[1]!.id)).toBeNull();

    frozen.child.kill("SIGCONT");
    expect(await frozen.says()).toEqual({ lost: true });
    living.child.stdin!.write("may you go on?\n");
    expect(await living.says()).toEqual({ lost: false });
  });
});
