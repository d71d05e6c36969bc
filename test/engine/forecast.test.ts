import { expect, test } from "vitest";
import { FolderError, UserError } from "../../engine/domain/errors.ts";
import type { EntryForecast, Forecast } from "../../engine/domain/forecast.ts";
import type { Item } from "../../engine/domain/item.ts";
import type { PassKind, PassSnapshot } from "../../engine/domain/pass.ts";
import { type Filters, noFilters } from "../../engine/domain/project.ts";
import type { Receipt } from "../../engine/domain/provider.ts";
import { type ForecastParts, makeForecaster } from "../../engine/forecast.ts";
import { type MemoryWorld, memoryWorld } from "../doubles/memory-world.ts";
import { adding, letter, opening, twisted } from "../doubles/twisted.ts";

const day = 24 * 60 * 60 * 1000;

test("what it says of every kind of pass is what the pass then does", async () => {
  await using world = await memoryWorld({ maxItemSize: 500 });
  const { system, clock, project } = world;
  const filters: Filters = { ...noFilters, exclude: ["Junk"], maxItemSize: 400 };
  await world.godwit.desk.projects.change(project.id, { filters });
  await world.add("anna", "bob");
  const deliver = (folder: string, n: number, facts: { age: number; flags?: string[] }) =>
    system.deliver("anna@old", folder, letter(n), {
      createdAt: clock.now() - facts.age * day,
      flags: facts.flags ?? [],
    });
  for (let n = 0; n < 14; n += 1) deliver("INBOX", n, { age: n >= 5 && n < 12 ? 200 : 10 });
  deliver("INBOX", 90, { age: 300, flags: ["\\Deleted"] });
  deliver("Work/2025", 1, { age: 300 });
  deliver("Junk", 1, { age: 300 });
  deliver("Junk", 2, { age: 300 });
  system.deliver("anna@old", "INBOX", Buffer.alloc(450, "x"));
  system.deliver("bob@old", "INBOX", letter("b"));

  await foretold(world, "trial", filters, { anna: { items: 11, filtered: 8 } });
  await foretold(world, "prestage", filters, { anna: { items: 0, duplicates: 11 } }, 201);
  await foretold(world, "prestage", filters, { anna: { items: 2, duplicates: 11 } }, 100);
  await foretold(world, "full", filters, { anna: { items: 2, duplicates: 13, filtered: 4 } });
  deliver("INBOX", 91, { age: 0 });
  deliver("New", 92, { age: 0 });
  system.flag("anna@old", "INBOX", 3, ["\\Seen"]);
  system.flag("anna@old", "INBOX", 4, ["\\Deleted"]);
  await foretold(world, "delta", filters, { anna: { items: 2, duplicates: 15, changed: 2 } });
  await foretold(world, "delta", filters, { anna: { items: 0, duplicates: 17, changed: 2 } });
  await foretold(world, "retry", filters, { anna: { items: 0 } });
});

test("a retry is foretold by what failed and by folders that are owed", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  for (let n = 1; n <= 4; n += 1) world.system.deliver("anna@old", "INBOX", letter(n));
  for (let n = 1; n <= 3; n += 1) world.system.deliver("anna@old", "Work", letter(n));
  world.system.deliver("anna@old", "Clean", letter(1));
  const refusing = twisted(world, {
    source: opening((open, path) => {
      if (path === "Work") throw new FolderError("locked");
      return open;
    }),
    target: adding((into, items) => refuse(into.add, items, [2, 4])),
  });
  const full = await world.pass("full", { works: refusing });
  expect(full.counters).toMatchObject({ migrated: 3, failed: 5 });
  // What failed and has gone since, nobody can bring.
  world.system.remove("anna@old", "INBOX", 4);

  await foretold(world, "retry", noFilters, { anna: { items: 4, duplicates: 0 } });
  await foretold(world, "retry", noFilters, { anna: { items: 0, duplicates: 0 } });
});

test("what the new server does not take is foretold apart", async () => {
  await using world = await memoryWorld({ maxItemSize: 100 });
  await world.add("anna");
  world.system.deliver("anna@old", "INBOX", letter(1));
  world.system.deliver("anna@old", "INBOX", Buffer.alloc(101, "x"));
  world.system.deliver("anna@old", "INBOX", Buffer.alloc(100, "x"));

  const bytes = letter(1).length + 100;
  await foretold(world, "full", noFilters, { anna: { items: 2, bytes, tooLarge: 1 } });
  await foretold(world, "retry", noFilters, { anna: { items: 0, tooLarge: 1 } });
});

test("letters of a renumbered folder are foretold apart, and the pass finds them carried", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  for (let n = 1; n <= 3; n += 1) world.system.deliver("anna@old", "INBOX", letter(n));
  world.system.deliver("anna@old", "Work", letter("w"));
  await world.pass("full");
  world.system.renumber("anna@old", "INBOX");

  const { entries } = await ask(world, "delta");
  expect(entries[0]).toMatchObject({ renumbered: 3, items: 0, duplicates: 1, problem: null });

  const pass = await world.pass("delta");
  expect(pass.counters).toMatchObject({ migrated: 0, duplicates: 4 });
  expect((await ask(world, "delta")).entries[0]).toMatchObject({ renumbered: 0, duplicates: 4 });
});

test("what was moved at the source is foretold as a second copy", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  for (let n = 1; n <= 3; n += 1) world.system.deliver("anna@old", "INBOX", letter(n));
  world.system.folder("anna@old", "Work");
  expect((await ask(world, "full")).entries[0]).toMatchObject({ items: 3, moved: 0 });
  await world.pass("full");
  world.system.move("anna@old", "INBOX", 2, "Work");
  world.system.deliver("anna@old", "Work", letter(2));

  expect((await ask(world, "delta")).entries[0]).toMatchObject({ items: 2, moved: 1 });
  const nameless = opening((open) => ({ ...open, identities: async () => null }));
  const { providers } = twisted(world, { source: nameless });
  expect((await ask(world, "delta", { providers })).entries[0]).toMatchObject({
    items: 2,
    moved: null,
  });
});

test("folders that stand as they were left are not opened", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  for (const folder of ["INBOX", "Work", "Work/2025"]) {
    world.system.deliver("anna@old", folder, letter(folder));
  }
  const opened: string[] = [];
  const counting = opening((open, path) => {
    opened.push(path);
    return open;
  });
  const { providers } = twisted(world, { source: counting });
  const asked = async (kind: PassKind) => {
    opened.length = 0;
    const { entries } = await ask(world, kind, { providers });
    return { opened: opened.toSorted(), ...entries[0]! };
  };
  expect((await asked("full")).opened).toEqual(["INBOX", "Work", "Work/2025"]);
  await world.pass("full");

  expect(await asked("delta")).toMatchObject({ opened: [], items: 0, duplicates: 3 });
  expect(await asked("retry")).toMatchObject({ opened: [], items: 0, duplicates: 0 });
  world.system.deliver("anna@old", "Work", letter(2));
  expect(await asked("delta")).toMatchObject({ opened: ["Work"], items: 1, duplicates: 3 });
});

test("when the time is over, who hangs is left out and the others are not", async () => {
  await using world = await memoryWorld();
  const [bob, anna, carl, dora] = await world.add("bob", "anna", "carl", "dora");
  for (const one of [bob, anna, carl, dora]) {
    world.system.deliver(one!.source, "INBOX", letter(1));
  }
  const over = new AbortController();
  const never = new Promise<never>(() => {});
  const memory: ForecastParts["providers"]["memory"] = {
    source: async (address) => {
      // The last to be asked: by then the two before it are known.
      if (address.mailbox === "dora@old") over.abort();
      if (address.mailbox === "dora@old" || address.mailbox === "bob@old") return never;
      return world.system.source(address);
    },
    target: world.system.target,
  };

  const forecast = await ask(world, "full", {
    providers: { imap: memory, memory },
    within: () => over.signal,
    atOnce: 2,
  });

  expect(forecast.of).toBe(4);
  expect(forecast.entries.map(({ entry, items }) => [entry, items])).toEqual([
    [anna!.id, 1],
    [carl!.id, 1],
  ]);
  const none = await ask(world, "full", { within: () => AbortSignal.abort() });
  expect(none).toEqual({ entries: [], of: 4 });
});

test("a mailbox that cannot be opened says why, and the others are foretold", async () => {
  await using world = await memoryWorld();
  const [anna, bob, carl] = await world.add("anna", "bob", "carl");
  for (const one of [anna, bob, carl]) {
    world.system.deliver(one!.source, "INBOX", letter(1));
  }
  const memory: ForecastParts["providers"]["memory"] = {
    source: world.system.source,
    target: async (address) => {
      if (address.mailbox === "anna@new") throw new UserError("new refused the login\r\nfor anna.");
      if (address.mailbox === "bob@new") throw new TypeError("hunter2 is not a function");
      return world.system.target(address);
    },
  };
  const logged: unknown[] = [];
  const log = { error: (facts: Record<string, unknown>) => void logged.push(facts.entry) };

  const { entries } = await ask(world, "full", { providers: { imap: memory, memory }, log });

  expect(entries.map(({ items, problem }) => [items, problem])).toEqual([
    [0, expect.stringMatching(/^new refused the login\s+for anna\.$/)],
    [0, "an error of Godwit's own"],
    [1, null],
  ]);
  // A fault of ours alone is for the log.
  expect(logged).toEqual([bob!.id]);
});

/** What it says of the world's entries; that writes nothing, at neither end and in no table. */
async function ask(
  world: MemoryWorld,
  kind: PassKind,
  change: Partial<ForecastParts> = {},
  { limit = null, filters = noFilters }: { limit?: number | null; filters?: Filters } = {},
): Promise<Forecast> {
  const { ledger, projects, providers } = world.works;
  const forecaster = makeForecaster({
    ledger,
    projects,
    providers,
    log: { error: (facts) => expect.unreachable(String(facts.err)) },
    within: () => new AbortController().signal,
    atOnce: 2,
    ...change,
  });
  const entries = await projects.entries(world.project.id);
  const before = await everything(world);
  const forecast = await forecaster.ask({ kind, limit, filters, entries });
  expect(await everything(world)).toEqual(before);
  return forecast;
}

/** Asks, carries the pass, and holds the two against each other and against what is expected of anna. */
async function foretold(
  world: MemoryWorld,
  kind: PassKind,
  filters: Filters,
  { anna }: { anna: Partial<EntryForecast> },
  days?: number,
): Promise<void> {
  const limit = days === undefined ? null : world.clock.now() - days * day;
  const forecast = await ask(world, kind, {}, { limit, filters });
  expect(forecast.entries[0], kind).toMatchObject(anna);
  const { runs } = await world.pass(kind, days === undefined ? {} : { days });
  expect(forecast.entries.map(said), kind).toEqual(runs.map(done));
}

function said({ entry, items, bytes, duplicates, filtered, tooLarge, changed }: EntryForecast) {
  return { entry, items, bytes, duplicates, filtered, tooLarge, changed };
}

function done({ entry, counters }: PassSnapshot["runs"][number]): ReturnType<typeof said> {
  const { migrated: items, bytes, duplicates, filtered, failed: tooLarge, changed } = counters;
  return { entry, items, bytes, duplicates, filtered, tooLarge, changed };
}

/** Every table and every mailbox. */
async function everything({ godwit, system }: MemoryWorld) {
  const { knex } = godwit.database;
  const names = await knex("sqlite_master").where({ type: "table" }).pluck<string[]>("name");
  const tables = await Promise.all(
    names.map(async (name) => [name, await knex(name).select<unknown[]>()] as const),
  );
  const mailboxes = ["anna", "bob"].flatMap((name) => [`${name}@old`, `${name}@new`]);
  const mail = mailboxes.map((mailbox) =>
    system.paths(mailbox).map((path) => [mailbox, path, [...system.letters(mailbox, path)]]),
  );
  return structuredClone({ tables, mail });
}

/** Refuses these UIDs and adds the others. */
async function* refuse(
  add: (items: AsyncIterable<Item>) => AsyncIterable<Receipt>,
  items: AsyncIterable<Item>,
  uids: number[],
): AsyncGenerator<Receipt> {
  for await (const item of items) {
    if (uids.includes(item.uid)) {
      yield { outcome: "refused", uid: item.uid, reason: "no", full: false };
    } else {
      yield* add(
        (async function* () {
          yield item;
        })(),
      );
    }
  }
}
