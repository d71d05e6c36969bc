import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../engine/domain/errors.ts";
import type { Movement } from "../../engine/domain/license.ts";
import type { Owned } from "../../engine/domain/owner.ts";
import type { RunId } from "../../engine/domain/pass.ts";
import { planPass } from "../../engine/domain/plan.ts";
import { type Policy, presets } from "../../engine/domain/policy.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import { acme, type Books, completed, failed, item, passOver } from "../contracts/books.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { openBooks, sqliteFolder } from "./books.ts";

// The books of licenses under whatever people and machines do, by two engines on one database.

const small: Policy = { ...presets.rackspace, preset: "custom", passesPerLicense: 2 };
const people = ["anna", "bob", "carl", "dora"];

/** One thing that happens; the numbers choose among what there is at that moment. */
const step = fc.oneof(
  fc.record({ do: fc.constant("grant" as const), count: fc.integer({ min: 1, max: 2 }) }),
  fc.record({
    do: fc.constant("start" as const),
    who: fc.integer({ min: 1, max: 15 }),
    kind: fc.constantFrom("prestage" as const, "full" as const, "delta" as const),
    /** By both engines at the same moment. */
    both: fc.boolean(),
  }),
  fc.record({
    do: fc.constantFrom("begin" as const, "write" as const, "end" as const, "fail" as const),
    at: fc.nat(7),
  }),
  fc.record({
    do: fc.constantFrom("crash" as const, "stop" as const, "pause" as const, "resume" as const),
    at: fc.nat(7),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** A project, and the runs that two engines have begun. */
interface Stage {
  project: Project;
  doors: [Books, Books];
  begun: Map<RunId, { owned: Owned; entry: number; door: Books }>;
  granted: number;
  uid: number;
}

async function play(stage: Stage, one: Step, turn: number): Promise<void> {
  const door = stage.doors[turn % 2] as Books;
  switch (one.do) {
    case "grant":
      stage.granted += one.count;
      await door.licenses.grant(stage.project.id, one.count, "test", "order");
      return;
    case "start":
      if (!one.both) await start(stage, door, one);
      else await Promise.all(stage.doors.map((each) => start(stage, each, one)));
      return;
    case "begin":
      await begin(stage, door, one.at);
      return;
    case "stop":
    case "pause":
    case "resume": {
      const passes = await door.passes.recent(stage.project.id, 8);
      const pass = passes[one.at % Math.max(1, passes.length)];
      const want = one.do === "resume" ? "run" : one.do;
      if (pass !== undefined) await door.passes.control(pass.id, want, "test");
      return;
    }
    case "write":
    case "end":
    case "fail":
    case "crash": {
      const all = [...stage.begun];
      const run = all[one.at % Math.max(1, all.length)];
      if (run !== undefined) await goOn(stage, one.do, ...run);
    }
  }
}

/** As `submit` does: planned by what stands there, refused where that is short or out of date. */
async function start(
  { project }: Stage,
  door: Books,
  { who, kind, both }: Extract<Step, { do: "start" }>,
): Promise<void> {
  const entries = await door.projects.entries(project.id);
  const chosen = entries.filter((_, at) => (who & (1 << at)) !== 0);
  const before = await door.licenses.balance(project.id);
  try {
    const request = {
      kind,
      limit: kind === "prestage" ? { days: 1 } : null,
      selection: chosen.map(({ source }) => source),
      types: null,
    };
    const plan = planPass(request, project, entries, before, door.clock.now(), true);
    await door.passes.submit({
      ...passOver(project, []),
      kind,
      entries: plan.entries.map(({ entry, license }) => ({ entry: entry.id, license })),
    });
    expect(plan.short, "what is short does not start").toBe(0);
    const after = await door.licenses.balance(project.id);
    if (!both) {
      expect(after.reserved - before.reserved, "all or none").toBe(plan.licensesNeeded);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (both) return;
    expect(await door.licenses.balance(project.id), "a refusal writes nothing").toEqual(before);
  }
}

async function begin({ begun }: Stage, door: Books, at: number): Promise<void> {
  const waiting = (await door.passes.waiting(20)).filter((run) => !begun.has(run));
  const run = waiting[at % Math.max(1, waiting.length)];
  if (run === undefined) return;
  const { entry } = await door.passes.job(run);
  const owned = await door.owners.take(entry);
  if (owned === null) return;
  if (await door.passes.begin(run, owned.fence)) begun.set(run, { owned, entry, door });
  else await owned[Symbol.asyncDispose]();
}

async function goOn(
  stage: Stage,
  what: "write" | "end" | "fail" | "crash",
  run: RunId,
  { owned, entry, door }: { owned: Owned; entry: number; door: Books },
): Promise<void> {
  const { fence } = owned;
  if (what === "write") {
    const folder = await door.ledger.folder(entry, "INBOX", fence);
    stage.uid += 1;
    const { uid } = stage;
    const intent = await door.ledger.intend(
      {
        folder: folder.id,
        uidValidity: 1,
        uids: [uid],
        target: "INBOX",
        targetUidValidity: 1,
        floor: 1,
        run,
        repairs: false,
      },
      fence,
    );
    const counters = (await door.passes.snapshot((await door.passes.job(run)).pass)).counters;
    await door.ledger.settle(
      {
        run,
        intent,
        folder: folder.id,
        uidValidity: 1,
        items: [item(uid)],
        failed: [],
        counters: { ...counters, listed: counters.listed + 1, migrated: counters.migrated + 1 },
      },
      fence,
    );
    return;
  }
  // An engine that dies says nothing; its lock goes with it.
  if (what !== "crash") await door.passes.end(run, what === "end" ? completed : failed, fence);
  stage.begun.delete(run);
  await owned[Symbol.asyncDispose]();
}

/** What must hold after whatever happened. */
async function holds({ project, doors, granted }: Stage): Promise<void> {
  const [books, other] = doors;
  const balance = await books.licenses.balance(project.id);
  const { owned, reserved, consumed, free } = balance;
  expect(owned).toBe(granted);
  expect(Math.min(reserved, consumed, free), "nothing below nothing").toBeGreaterThanOrEqual(0);
  expect(reserved + consumed + free).toBe(owned);
  expect(await other.licenses.balance(project.id), "seen alike").toEqual(balance);
  const history = await other.licenses.history(project.id, 10_000);
  const sum = (kind: Movement["kind"]) =>
    history.reduce((all, one) => all + (one.kind === kind ? one.count : 0), 0);
  expect([sum("grant"), sum("consume")]).toEqual([owned, consumed]);
  expect(sum("reserve") - sum("consume") - sum("release")).toBe(reserved);
  for (const moves of byRun(history)) {
    expect(moves, "a reservation ends once").toMatch(/^reserve(,(consume|release))?$/);
  }
}

/** What happened to each run's reservation, oldest first. */
function byRun(history: Movement[]): string[] {
  const own = history.toReversed().filter(({ pass }) => pass !== null);
  const groups = Map.groupBy(own, ({ pass, entry }) => `${pass} ${entry}`);
  return [...groups.values()].map((all) => all.map(({ kind }) => kind).join(","));
}

/** Everything that runs comes to its end. */
async function finish(stage: Stage): Promise<void> {
  for (const [run, one] of [...stage.begun]) await goOn(stage, "end", run, one);
  const [books] = stage.doors;
  for (const pass of await books.passes.recent(stage.project.id, 100)) {
    await books.passes.control(pass.id, "stop", "test");
  }
  for (let round = 0; round < 50; round += 1) await begin(stage, books, 0);
  for (const [run, one] of [...stage.begun]) await goOn(stage, "end", run, one);
}

async function property(fresh: () => Promise<string>, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      await using books = await openBooks(await fresh());
      await using other = await books.again();
      const { project } = await acme(books, people, { licenses: 3, policy: small });
      const stage: Stage = {
        project,
        doors: [books, other as Books],
        begun: new Map(),
        granted: 3,
        uid: 0,
      };
      try {
        for (const [turn, one] of steps.entries()) {
          await play(stage, one, turn);
          await holds(stage);
        }
      } finally {
        await finish(stage);
      }
      await holds(stage);
      expect((await books.licenses.balance(project.id)).reserved, "all have ended").toBe(0);
      const kept = (await books.projects.entries(project.id)).every(within);
      expect(kept, "no license holds more passes than it has").toBe(true);
    }),
    { numRuns: runs, interruptAfterTimeLimit: 60_000, endOnFailure: true },
  );
}

function within({ passesUsed }: Entry): boolean {
  return passesUsed <= 2;
}

describe("under random starts, crashes, stops and releases by two engines", () => {
  let postgres: Postgres;
  let folder: Awaited<ReturnType<typeof sqliteFolder>>;
  beforeAll(async () => {
    [postgres, folder] = await Promise.all([startPostgres(), sqliteFolder()]);
  });
  afterAll(async () => {
    await postgres[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  test("the balance is never negative and never off, on SQLite", async () => {
    await property(async () => folder.fresh(), 25);
  }, 120_000);

  test("the balance is never negative and never off, on PostgreSQL", async () => {
    await property(() => postgres.fresh(), 8);
  }, 120_000);

  test("books that forget one release are found out: the control", async () => {
    await using books = await openBooks(folder.fresh());
    const { project, entries } = await acme(books, people, { licenses: 3, policy: small });
    await books.passes.submit(passOver(project, entries.slice(0, 2)));
    await using other = await books.again();
    const stage: Stage = {
      project,
      doors: [books, other as Books],
      begun: new Map(),
      granted: 3,
      uid: 0,
    };
    await holds(stage);
    // Consumed without a reservation of its own, as a naive engine would after a crash.
    await books.database.knex("license_movements").insert({
      project_id: project.id,
      kind: "consume",
      count: 3,
      by: "test",
      entry_id: entries[3]!.id,
      run_id: null,
      pass_id: 1,
      note: null,
      at: 1,
    });

    await expect(holds(stage)).rejects.toThrow(/nothing below nothing|a reservation ends once/);
  });

  test("who reads the balance and then reserves takes more than there are: the control", async () => {
    await using books = await openBooks(await postgres.fresh());
    const { project, entries } = await acme(books, people, { licenses: 2 });
    const naive = async (entry: Entry) => {
      if ((await books.licenses.balance(project.id)).free < 1) return;
      await books.database.knex("license_movements").insert({
        project_id: project.id,
        kind: "reserve",
        count: 1,
        by: "test",
        entry_id: entry.id,
        run_id: null,
        pass_id: null,
        note: null,
        at: 1,
      });
    };
    await Promise.all(entries.map(naive));

    expect((await books.licenses.balance(project.id)).free).toBeLessThan(0);
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
});
