import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import type { Owned } from "../../engine/domain/owner.ts";
import { acme } from "../contracts/books.ts";
import { openBooks } from "./books.ts";

/** That a killed process lets go of what it owned. */
export function deathContract(fresh: () => Promise<string>): void {
  test("what a killed process owned is free, and the next fence is newer than its own", async () => {
    const url = await fresh();
    await using books = await openBooks(url);
    const { entries } = await acme(books, ["anna"]);
    const entry = entries[0]!.id;
    const child = otherProcess(url, ["own", String(entry), "narrator-local"]);
    const said = JSON.parse(await firstLine(child)) as { token: number; seat: boolean };
    expect(said).toEqual({ token: 1, seat: true });
    expect(await books.owners.take(entry)).toBeNull();
    expect(await books.seats.take("narrator-local")).toBeNull();

    child.kill("SIGKILL");
    await once(child, "exit");

    // PostgreSQL notices the death of a session in its own time.
    let owned: Owned | null = null;
    await expect
      .poll(
        async () => {
          owned ??= await books.owners.take(entry);
          return (owned as Owned | null)?.fence.token;
        },
        { timeout: 20_000 },
      )
      .toBe(2);
    await expect
      .poll(async () => (await books.seats.take("narrator-local")) !== null, { timeout: 20_000 })
      .toBe(true);
  });
}

/** Starts another process on the same database. */
export function otherProcess(url: string, words: string[]): ChildProcess {
  return spawn(
    process.execPath,
    [new URL("other-process.ts", import.meta.url).pathname, url, ...words],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
}

async function firstLine(child: ChildProcess): Promise<string> {
  let said = "";
  for await (const some of child.stdout!) {
    said += String(some);
    if (said.includes("\n")) return said;
  }
  throw new Error("The process ended without a word.");
}
