/**
 * What grows with what: rows and bytes in the database, rings in the queue, and how long things take as a project
 * or a ledger grows. Prints tables in Markdown; docs/scale.md says what they mean.
 *   npm run bench:scale -- [mailboxes] [items] [parts, with commas between]
 * With fewer than 10,000 mailboxes, and no parts named, it looks at the queues and at a project on SQLite alone.
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../test/servers/postgres.ts";
import { bells } from "./scale-bells.ts";
import { books } from "./scale-books.ts";
import { project } from "./scale-project.ts";

const [mailboxes = "10000", items = String(Number(mailboxes) * 100), wanted] =
  process.argv.slice(2);

const parts: Record<string, () => Promise<void>> = {
  bells: () => bells(Math.min(10_000, Number(mailboxes))),
  "project-postgres": () => onPostgres((url) => project(Number(mailboxes), 1, url)),
  "two-engines": () => onPostgres((url) => project(Number(mailboxes), 2, url)),
  "project-sqlite": () => onSqlite((url) => project(Number(mailboxes), 1, url)),
  "items-postgres": () => onPostgres((url) => books(Number(items), url)),
  "items-sqlite": () => onSqlite((url) => books(Number(items), url)),
};

if (wanted !== undefined && !wanted.includes(",")) {
  const part = parts[wanted];
  if (part === undefined) throw new Error(`There is no part ${wanted}: ${Object.keys(parts)}.`);
  await part();
} else {
  // Each in a process of its own, so that memory is its own too.
  const usual = Number(mailboxes) < 10_000 ? ["bells", "project-sqlite"] : Object.keys(parts);
  for (const part of wanted?.split(",") ?? usual) {
    const words = [...process.execArgv, import.meta.filename, mailboxes, items, part];
    const { status } = spawnSync(process.execPath, words, { stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }
}

async function onPostgres(work: (url: string) => Promise<void>): Promise<void> {
  await using postgres = await startPostgres();
  await work(await postgres.fresh());
}

async function onSqlite(work: (url: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-scale-"));
  try {
    await work(`sqlite:${join(folder, "godwit.db")}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
