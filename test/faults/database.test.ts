import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Item } from "../../engine/domain/item.ts";
import type { Entry } from "../../engine/domain/project.ts";
import { sqliteFolder } from "../db/books.ts";
import { type MemoryWorld, memoryWorld } from "../doubles/memory-world.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { terminate } from "./database.ts";
import { fill, isWhole, keepBusy } from "./database-file.ts";
import { limitedHouse } from "./disk.ts";
import { finished, openHouse } from "./house.ts";
import { watched } from "./watched.ts";

// The database's own faults (F6), under engines that carry small batches all the while.

const mailboxes = 6;
const letters = 24;
const clean = { carried: mailboxes * letters, lost: 0, duplicated: 0, foreign: 0 };

describe("two engines of one PostgreSQL carry everything once, while", () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres[Symbol.asyncDispose]());

  test.each<[what: string, times: number, fault: (url: string) => Promise<unknown>]>([
    ["the sessions of the ledger are ended", 4, (url) => terminate(url, "godwit")],
    ["the sessions that hold the locks are ended", 4, (url) => terminate(url, "godwit locks")],
    ["the database is killed and comes back", 2, () => postgres.cut()],
  ])("%s", async (_, times, fault) => {
    const url = await postgres.fresh();
    await using house = await openHouse({ url, mailboxes, letters });
    const pass = await house.submit();
    for (let n = 1; n <= times; n += 1) {
      // Spread over the pass, each in the middle of something.
      const reached = Math.floor((n * mailboxes * letters) / (times + 2));
      await expect.poll(() => house.seen.appended, { timeout: 20_000 }).toBeGreaterThan(reached);
      await fault(url);
    }

    expect(await finished(house, pass)).toEqual([]);
    expect(house.stands()).toEqual(clean);
    expect(house.seen.wrong).toEqual([]);
  });
});

describe("an engine on an SQLite file carries everything once, sends nothing without its intent and says why it waits, while", () => {
  test.each([
    [
      "another process keeps the file busy",
      "UnavailableError: Another process keeps the database busy.",
      (_: unknown, file: string) => keepBusy(file, 1_500),
    ],
    [
      "the disk is full",
      "UnavailableError: The disk of the database is full",
      (house: Parameters<typeof fill>[0]) => fill(house, 200),
    ],
  ])("%s", async (_, words, fault) => {
    await using folder = await sqliteFolder();
    const size = { mailboxes, letters, engines: 1, letterMs: 15 };
    await using house = await openHouse({ url: folder.fresh(), ...size });
    const { database } = house.books;
    await database.knex.raw("pragma busy_timeout = 20");
    const pass = await house.submit();
    await expect.poll(() => house.seen.appended).toBeGreaterThan(10);

    await fault(house, database.file!);

    expect(await finished(house, pass)).toEqual([]);
    expect(house.stands()).toEqual(clean);
    expect(house.seen.wrong).toEqual([]);
    expect(house.errors.length).toBeGreaterThan(0);
    expect(house.errors.filter((error) => !error.startsWith(words))).toEqual([]);
    expect(await isWhole(house)).toEqual([]);
  });

  test("its process may let no file grow", async () => {
    const { tally, errors } = await limitedHouse({ seed: 1 });

    expect(tally).toEqual({ ...clean, faults: 1, carried: 160, wrong: [] });
    expect(errors[0]).toContain("The database's file cannot be read or written.");
  });
});

/** An engine's works under the watch, for one mailbox. */
function watchOver(world: MemoryWorld, entry: Entry) {
  const wrong: string[] = [];
  const works = watched(world.works, [entry], {
    letterMs: 0,
    appended: () => {},
    wrong: (words) => void wrong.push(words),
  });
  return { works, wrong };
}

test("the watch over the engines sees a letter that nobody intended, of an entry nobody owns", async () => {
  await using world = await memoryWorld();
  const [anna] = await world.add("anna");
  const { works, wrong } = watchOver(world, anna!);
  const { target } = await world.works.projects.addresses(anna!.id);
  const folder = await (await works.providers.memory.target(target)).open("INBOX");

  await Array.fromAsync(folder.add(one()));

  expect(wrong).toEqual([
    "anna@new was sent a letter without an intent",
    "anna@new was sent a letter after its lock was lost",
  ]);
});

test("it is not misled by an engine that asks again for an entry it owns", async () => {
  await using world = await memoryWorld();
  const [anna] = await world.add("anna");
  const { works, wrong } = watchOver(world, anna!);
  await using owned = await works.owners.take(anna!.id);
  const { target } = await works.projects.addresses(anna!.id);
  const into = await (await works.providers.memory.target(target)).open("INBOX");
  const row = await works.ledger.folder(anna!.id, "INBOX", owned!.fence);
  const { uidValidity: targetUidValidity, uidNext: floor } = into.state;
  const at = { target: "INBOX", targetUidValidity, floor, run: null, repairs: false };
  await works.ledger.intend({ folder: row.id, uidValidity: 1, uids: [1], ...at }, owned!.fence);

  expect(await works.owners.take(anna!.id)).toBeNull();
  await Array.fromAsync(into.add(one()));

  expect(wrong).toEqual([]);
});

async function* one(): AsyncGenerator<Item> {
  const facts = { uid: 1, createdAt: 0, flags: [], modseq: null, identity: null, size: 6 };
  yield { ...facts, body: body() };
}

async function* body(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("a: b\r\n");
}
