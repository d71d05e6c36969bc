import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { sqliteFolder } from "../db/books.ts";
import { dice } from "../doubles/letters.ts";
import { limitedHouse } from "./disk.ts";
import { finished, type House, openHouse, until } from "./house.ts";
import type { Suite, Tally } from "./suite.ts";
import { sumOf } from "./tally.ts";

/** A whole database says so. */
export async function isWhole(house: House): Promise<string[]> {
  const rows =
    await house.books.database.knex.raw<{ integrity_check: string }[]>("pragma integrity_check");
  return rows.filter((row) => row.integrity_check !== "ok").map((row) => row.integrity_check);
}

/** Another process writes for so long, longer than anybody waits. */
export async function keepBusy(file: string, ms: number): Promise<void> {
  const code = `
    const { DatabaseSync } = require("node:sqlite");
    const database = new DatabaseSync(process.argv[1]);
    database.exec("pragma busy_timeout = 10000; begin immediate");
    process.stdout.write("HELD\\n");
    setTimeout(() => database.close(), Number(process.argv[2]));`;
  const child = spawn(process.execPath, ["-e", code, file, String(ms)], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  if (line !== "HELD") throw new Error(`The other process said ${line}.`);
  await once(child, "exit");
}

/** The file may not grow for so long, as on a full disk. */
export async function fill(house: House, ms: number): Promise<void> {
  const { knex } = house.books.database;
  const [size] = await knex.raw<{ page_count: number }[]>("pragma page_count");
  await knex.raw(`pragma max_page_count = ${size!.page_count}`);
  const before = house.errors.length;
  await until("the disk is full", () => house.errors.length > before);
  await delay(ms);
  await knex.raw("pragma max_page_count = 1073741823");
}

/** Faults of an SQLite file under an engine: kept busy by another process, full, and a limit of the system. */
export async function fileFaults(
  options: Omit<Parameters<Suite["run"]>[0], "database">,
): Promise<Tally> {
  const limited = Math.floor(options.times / 3);
  const one = await inOneProcess({ ...options, times: options.times - limited });
  const others: Tally[] = [];
  for (let n = 0; n < limited; n += 1) {
    const { tally } = await limitedHouse({ seed: options.seed + n });
    others.push(tally);
    options.tell(`${n + 1} a disk that takes no more`);
  }
  return sumOf([one, ...others]);
}

async function inOneProcess({
  times,
  seed,
  tell,
}: Omit<Parameters<Suite["run"]>[0], "database">): Promise<Tally> {
  const random = dice(seed);
  await using folder = await sqliteFolder();
  await using house = await openHouse({
    url: folder.fresh(),
    mailboxes: 6,
    letters: 30,
    engines: 1,
    letterMs: 1,
  });
  const { database } = house.books;
  await database.knex.raw("pragma busy_timeout = 20");
  const wrong: string[] = [];
  for (let n = 0; n < times; n += 1) {
    const pass = await house.submit();
    const reached = house.seen.appended + Math.floor(random() * 40);
    await until("the pass is under way", () => house.seen.appended >= reached);
    const busy = n % 2 === 0;
    const logged = house.errors.length;
    await (busy ? keepBusy(database.file!, 1_500) : fill(house, random() * 500));
    tell(`${n + 1} ${busy ? "kept busy by another process" : "full"}`);
    wrong.push(...(await finished(house, pass)), ...(await isWhole(house)));
    const words = busy ? "keeps the database busy" : "disk of the database is full";
    const strange = house.errors.slice(logged).filter((error) => !error.includes(words));
    wrong.push(...strange.map((error) => `logged: ${error}`));
    house.deliver(30);
  }
  wrong.push(...(await finished(house, await house.submit())));
  return { faults: times, ...house.stands(), wrong: [...wrong, ...house.seen.wrong] };
}
