import { afterEach, expect, test } from "vitest";
import { FolderError } from "../../engine/domain/errors.ts";
import type { PassKind } from "../../engine/domain/pass.ts";
import { makeForecaster } from "../../engine/forecast.ts";
import type { Works } from "../../engine/works.ts";
import type { MemoryWorld } from "../doubles/memory-world.ts";
import {
  adding,
  annas,
  cutAfter,
  gone,
  letter,
  opening,
  there,
  twisted,
} from "../doubles/twisted.ts";

let world: MemoryWorld;
afterEach(() => world[Symbol.asyncDispose]());

const consumed = async () => (await world.godwit.desk.licenses.balance(world.project.id)).consumed;

test("repair makes no second copy of what was moved where the new system rewrites what it stores", async () => {
  world = await annas(1);
  const works = twisted(world, {
    target: adding(async function* (into, items) {
      yield* into.add(
        (async function* () {
          for await (const item of items) {
            yield {
              ...item,
              body: (async function* () {
                yield Buffer.from("X-MS-Exchange-Organization: yes\r\n");
                yield* item.body;
              })(),
            };
          }
        })(),
      );
    }),
  });
  await world.pass("full", { works });
  const [one] = world.system.letters("anna@new", "INBOX");
  world.system.move("anna@new", "INBOX", one!.uid, "Mine");
  await world.pass("repair", { works });
  expect(there(world, "Mine") + there(world)).toBe(1);
});

test("a remigrated mailbox that somebody filled before anything was carried is refused", async () => {
  world = await annas(2);
  await world.pass("full");
  const [entry] = await world.godwit.desk.projects.entries(world.project.id);
  const copies = world.system.letters("anna@new", "INBOX").map(({ bytes }) => bytes);
  for (const { uid } of [...world.system.letters("anna@new", "INBOX")]) {
    world.system.remove("anna@new", "INBOX", uid);
  }
  await world.godwit.desk.remigrations.begin({
    project: world.project.id,
    because: "target",
    reason: "x",
    by: "x",
    approvedBy: null,
    acceptsDuplicates: false,
    entries: [{ entry: entry!.id, target: null }],
    ticks: [],
  });
  // A try that carried nothing: the first batch is refused by the old system.
  const broken = twisted(world, {
    source: opening((open) => ({
      ...open,
      async *read(uids) {
        if (uids.length > 0) throw new FolderError("NO");
        yield* open.read([]);
      },
    })),
  });
  await world.pass("full", { works: broken });
  expect(there(world)).toBe(0);
  // A backup comes back.
  for (const bytes of copies) world.system.deliver("anna@new", "INBOX", bytes);
  await world.pass("full");
  expect(there(world)).toBe(2);
});

test("a repair that broke makes a later full pass use no license for what the trial carried", async () => {
  world = await annas(3);
  await world.pass("trial");
  for (const { uid } of [...world.system.letters("anna@new", "INBOX")]) {
    world.system.remove("anna@new", "INBOX", uid);
  }
  const works = twisted(world, { target: cutAfter(3, gone()) });
  const broken: Works = { ...works, settings: { ...works.settings, tries: 1 } };
  await world.pass("repair", { works: broken });
  await world.pass("full");
  expect(there(world)).toBe(3);
  expect(await consumed()).toBe(0);
});

test("a forecast of a repair says at most how many it would put back", async () => {
  world = await annas(3);
  await world.pass("full");
  const [one] = world.system.letters("anna@new", "INBOX");
  world.system.move("anna@new", "INBOX", one!.uid, "Mine");
  const { desk } = world.godwit;
  const forecaster = makeForecaster({
    ledger: world.works.ledger,
    projects: desk.projects,
    providers: world.works.providers,
    log: { error() {} },
    within: () => new AbortController().signal,
    atOnce: 1,
  });
  const { filters } = await desk.projects.byId(world.project.id);
  const entries = await desk.projects.entries(world.project.id);
  const kind: PassKind = "repair";
  const said = await forecaster.ask({ kind, limit: null, filters, entries });
  const done = await world.pass("repair");
  expect(said.entries[0]?.items).toBe(1);
  expect(done.runs[0]?.counters).toMatchObject({ migrated: 0, duplicates: 3 });
});

test("a repair of two folders in one place leaves no twin of a batch in doubt", async () => {
  world = await annas(2);
  world.system.deliver("anna@old", "Two", letter(1));
  world.system.deliver("anna@old", "Two", letter(2));
  const { desk } = world.godwit;
  const { filters } = await desk.projects.byId(world.project.id);
  await desk.projects.change(world.project.id, {
    filters: { ...filters, map: { INBOX: "All", Two: "All" } },
  });
  await world.pass("full");
  expect(there(world, "All")).toBe(4);
  for (const { uid } of [...world.system.letters("anna@new", "All")]) {
    world.system.remove("anna@new", "All", uid);
  }
  const works = twisted(world, { target: cutAfter(2, new FolderError("NO") as never) });
  await world.pass("repair", { works });
  await world.pass("delta");
  await world.pass("repair");
  await world.pass("repair");
  expect(there(world, "All")).toBe(4);
});
