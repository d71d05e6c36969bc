import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FencedError, UserError } from "../../engine/domain/errors.ts";
import { ended, type Passes, type PassKind } from "../../engine/domain/pass.ts";
import { type Policy, presets } from "../../engine/domain/policy.ts";
import type { Entry, EntryId, Project } from "../../engine/domain/project.ts";
import {
  type Begun,
  carry,
  completed,
  endpoint,
  failed,
  item,
  newEntry,
  own,
  passOver,
  paused,
  stopped,
} from "../contracts/books.ts";
import { openBooks } from "../db/books.ts";
import { freshDatabases } from "../db/databases.ts";
import { type LicenseModel, licenseModel, type RunModel } from "./model.ts";
import { naivePasses, type OpenedBooks, passOf, planOf } from "./starts.ts";

// Random interleavings of all that moves licenses, by three processes' worth of books on one database, with
// a model of the rules beside them. A failure prints its seed and path: give both to `fc.assert` to see it again.

const day = 24 * 60 * 60 * 1000;
const names = ["anna", "bob", "cleo"];
const ends = { completed, failed, stopped, paused };

type Op =
  | { do: "grant"; door: number; count: number }
  | { do: "start"; door: number; mask: number; kind: PassKind; planned: boolean; asked: boolean }
  | { do: "begin"; door: number; pick: number }
  | { do: "write" | "crash" | "ghost"; pick: number }
  | { do: "end"; pick: number; how: keyof typeof ends }
  | { do: "resume"; door: number; pick: number }
  | { do: "stop"; door: number; pick: number; whole: boolean }
  | { do: "days"; days: number };

const pick = fc.nat(99);
const door = fc.nat(2);
// Mostly few mailboxes, so that their passes follow each other.
const masks = fc
  .uniqueArray(fc.nat(names.length - 1), { minLength: 1, maxLength: 3 })
  .map((chosen) => chosen.reduce((mask, n) => mask + 2 ** n, 0));
const is = <T extends string>(what: T) => fc.constant(what);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ do: is("grant"), door, count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: is("start"),
      door,
      mask: masks,
      kind: fc.constantFrom<PassKind>(
        "full",
        "full",
        "delta",
        "delta",
        "prestage",
        "retry",
        "trial",
        "verify",
      ),
      planned: fc.boolean(),
      asked: fc.boolean(),
    }),
  },
  { weight: 9, arbitrary: fc.record({ do: is("begin"), door, pick }) },
  { weight: 9, arbitrary: fc.record({ do: is("write"), pick }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: is("end"),
      pick,
      how: fc.constantFrom<keyof typeof ends>(
        "completed",
        "completed",
        "completed",
        "failed",
        "stopped",
        "paused",
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: is("crash"), pick }) },
  { weight: 1, arbitrary: fc.record({ do: is("ghost"), pick }) },
  { weight: 2, arbitrary: fc.record({ do: is("resume"), door, pick }) },
  { weight: 1, arbitrary: fc.record({ do: is("stop"), door, pick, whole: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: is("days"), days: fc.integer({ min: 1, max: 20 }) }) },
);

/** Each step is done at once by whoever it names; then all is compared. */
const story = fc.record({
  licenses: fc.integer({ min: 0, max: 12 }),
  passesPerLicense: fc.constantFrom<Policy["passesPerLicense"]>(1, 2, "unlimited"),
  deltaWindowDays: fc.constantFrom(null, 10),
  overLimit: fc.constantFrom<Policy["overLimit"]>("ask", "consume", "block"),
  steps: fc.array(fc.array(op, { minLength: 1, maxLength: 5, size: "max" }), {
    minLength: 10,
    maxLength: 50,
    size: "max",
  }),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

type Doors = OpenedBooks[];
const asTheyAre = (books: OpenedBooks): Passes => books.passes;

let projects = 0;

/** Plays a story in a project of its own and compares after every step. */
async function play(told: Story, opened: Doors, passesOf = asTheyAre): Promise<void> {
  const doors = opened.map((books) => ({ ...books, passes: passesOf(books) }));
  const [books] = doors as [OpenedBooks];
  const { clock } = books;
  const preset = { ...presets.rackspace, preset: "custom" } as const;
  const { passesPerLicense, deltaWindowDays, overLimit } = told;
  projects += 1;
  const [old, fresh] = await books.projects.endpoints();
  const project = await books.projects.create({
    name: `acme ${projects}`,
    sourceEndpoint: old!.id,
    targetEndpoint: fresh!.id,
    policy: { ...preset, passesPerLicense, deltaWindowDays, overLimit },
    zone: "Europe/Berlin",
  });
  const entries = await books.projects.add(
    project.id,
    names.map((name) => newEntry(name)),
  );
  if (told.licenses > 0) await books.licenses.grant(project.id, told.licenses, "test", "order");
  const sources = new Map(entries.map(({ id, source }) => [id, source]));
  const model = licenseModel(project.policy, sources, told.licenses);
  const stage: Stage = {
    doors,
    project,
    entries,
    model,
    held: new Map(),
    ghosts: [],
    takes: new Map(),
  };
  try {
    for (const step of told.steps) {
      for (const one of step) if (one.do === "days") clock.set(clock.now() + one.days * day);
      const acts = cast(step, stage);
      const results = await Promise.all(acts.map((act) => act(acts.length === 1)));
      for (const { apply } of results.sort((a, b) => a.rank - b.rank)) apply();
      await compare(stage);
    }
    await finish(stage);
  } finally {
    for (const { begun } of stage.held.values()) await begun[Symbol.asyncDispose]();
  }
}

interface Held {
  begun: Begun;
  by: OpenedBooks;
  take: number;
}

interface Stage {
  doors: Doors;
  project: Project;
  entries: Entry[];
  model: LicenseModel;
  /** Runs an owner has now. */
  held: Map<RunModel, Held>;
  /** Owners that died, and may not know. */
  ghosts: { held: Held; run: RunModel }[];
  takes: Map<EntryId, number>;
}

/** Does it, and answers what the model is to be told; those with a lower rank happened before. */
type Act = (alone: boolean) => Promise<{ rank: number; apply: () => void }>;

/** Who does what in a step: each run has one owner's act in it, and people may steer meanwhile. */
function cast(step: Op[], stage: Stage): Act[] {
  const { model, held } = stage;
  const taken = new Set<RunModel>();
  const choose = (n: number, may: (run: RunModel) => boolean) => {
    const all = model.runs.filter((run) => !taken.has(run) && may(run));
    const run = all[n % Math.max(1, all.length)];
    if (run !== undefined) taken.add(run);
    return run;
  };
  const castOne = (one: Op): Act[] => {
    const at = "door" in one ? stage.doors[one.door]! : stage.doors[0]!;
    switch (one.do) {
      case "days":
        return [];
      case "grant":
        return [() => grant(one.count, at, stage)];
      case "start":
        return [(alone) => start(one, at, stage, alone)];
      case "begin": {
        const idle = ({ state }: RunModel) => state === "queued" || state === "processing";
        const run = choose(one.pick, (may) => idle(may) && !held.has(may));
        return run === undefined ? [] : [() => begin(run, at, stage)];
      }
      case "write": {
        const run = choose(one.pick, (may) => held.has(may));
        return run === undefined ? [] : [() => write(run, stage)];
      }
      case "end": {
        const run = choose(one.pick, (may) => held.has(may));
        return run === undefined ? [] : [() => end(run, one.how, stage)];
      }
      case "crash": {
        const run = choose(one.pick, (may) => held.has(may));
        return run === undefined ? [] : [() => crash(run, stage)];
      }
      case "ghost": {
        const late = stage.ghosts.filter(
          ({ held: { take }, run }) => take < stage.takes.get(run.entry)!,
        );
        const ghost = late[one.pick % Math.max(1, late.length)];
        return ghost === undefined ? [] : [() => haunt(ghost)];
      }
      case "resume": {
        const run = choose(one.pick, ({ state }) => state === "paused");
        return run === undefined ? [] : [() => resume(run, at, stage)];
      }
      case "stop": {
        const active = model.runs.filter(({ state }) => state !== "ended");
        const run = active[one.pick % Math.max(1, active.length)];
        return run === undefined ? [] : [() => stop(run, one.whole, at, stage)];
      }
    }
  };
  return step.flatMap(castOne);
}

async function grant(count: number, at: OpenedBooks, { project, model }: Stage) {
  await at.licenses.grant(project.id, count, "test", "more");
  return { rank: 0, apply: () => model.grant(count) };
}

async function start(
  { mask, kind, planned, asked }: Op & { do: "start" },
  at: OpenedBooks,
  stage: Stage,
  alone: boolean,
): ReturnType<Act> {
  const { project, model } = stage;
  const now = at.clock.now();
  const chosen = stage.entries.filter((_, n) => (mask & (2 ** n)) !== 0);
  // Without a plan everything reserves, as an engine would that forgot to look.
  const counting = (["full", "delta", "prestage"] as PassKind[]).includes(kind) ? kind : "full";
  const foreseen = alone ? foresee(chosen, planned ? kind : counting, planned, asked, stage) : null;
  try {
    const selection = chosen.map(({ source }) => source);
    const pass = planned
      ? passOf(await planOf(at, project.id, { kind, selection }, asked))
      : passOver(project, chosen, { kind: counting });
    const id = await at.passes.submit(pass);
    const { runs } = await at.passes.snapshot(id);
    const started = runs.map(({ id: run, entry }) => {
      const { license } = pass.entries.find((one) => one.entry === entry)!;
      return { run, entry, license };
    });
    expect(runs.length, "all or none").toBe(pass.entries.length);
    if (alone) {
      expect(started.map(({ entry, license }) => ({ entry, license }))).toEqual(foreseen);
    }
    return { rank: 6, apply: () => model.start(pass.kind, id, started, now) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).toContain("Nothing was started");
    const [, needed, free, short] =
      /Uses (\d+) licenses, (-?\d+) free: (\d+) short/.exec(error.message) ?? [];
    if (needed !== undefined) {
      expect(Number(free)).toBeGreaterThanOrEqual(0);
      expect(Number(needed) - Number(free)).toBe(Number(short));
    }
    if (alone) expect(foreseen, error.message).toBeNull();
    // Nothing for the model: the comparison shows that nothing was written.
    return { rank: 6, apply() {} };
  }
}

/** Who would start with which license, by the rules; null where nothing may. */
function foresee(
  chosen: Entry[],
  kind: PassKind,
  planned: boolean,
  asked: boolean,
  { model, doors }: Stage,
): { entry: EntryId; license: "none" | "reserve" }[] | null {
  const now = doors[0]!.clock.now();
  const given = chosen.flatMap<{ entry: EntryId; license: "none" | "reserve" }>(({ id: entry }) => {
    if (!planned) return { entry, license: "reserve" };
    const license = model.foresee(kind, entry, asked, now);
    return license === null ? [] : { entry, license };
  });
  const wanting = given.filter(({ license }) => license === "reserve");
  const wrong = ({ entry }: { entry: EntryId }) => model.busy(entry) || model.within(entry, now);
  const refused = !planned && wanting.some(wrong);
  return given.length === 0 || refused || wanting.length > model.balance().free ? null : given;
}

async function begin(run: RunModel, at: OpenedBooks, { entries, model, held, takes }: Stage) {
  const entry = entries.find(({ id }) => id === run.entry)!;
  const owned = await own(at, entry);
  const take = (takes.get(run.entry) ?? 0) + 1;
  takes.set(run.entry, take);
  const began = await at.passes.begin(run.run, owned.fence);
  if (began) {
    const folder = await at.ledger.folder(entry.id, "INBOX", owned.fence);
    const leave = () => owned[Symbol.asyncDispose]();
    const { pass, run: id } = run;
    const begun = { pass, run: id, fence: owned.fence, folder, [Symbol.asyncDispose]: leave };
    held.set(run, { begun, by: at, take });
  } else await owned[Symbol.asyncDispose]();
  // Where somebody stopped it at the same moment: before, and it did not begin; or after.
  return { rank: 1, apply: () => model.begin(run, began, at.clock.now()) };
}

let uid = 0;

async function write(run: RunModel, { model, held }: Stage) {
  const { by, begun } = held.get(run)!;
  await carry(by, begun, [item(++uid)]);
  return { rank: 2, apply: () => model.write(run) };
}

async function end(run: RunModel, how: keyof typeof ends, { model, held }: Stage) {
  const { by, begun } = held.get(run)!;
  if (how === "paused") await by.passes.control(run.pass, "pause", "test", run.entry);
  await by.passes.end(run.run, ends[how], begun.fence);
  await begun[Symbol.asyncDispose]();
  held.delete(run);
  return { rank: 3, apply: () => model.end(run, how, by.clock.now()) };
}

async function crash(run: RunModel, { held, ghosts }: Stage) {
  const dead = held.get(run)!;
  await dead.begun[Symbol.asyncDispose]();
  held.delete(run);
  ghosts.push({ held: dead, run });
  return { rank: 3, apply() {} };
}

async function haunt({ held: { by, begun }, run }: Stage["ghosts"][number]) {
  await expect(carry(by, begun, [item(++uid)])).rejects.toThrow(FencedError);
  await expect(by.passes.end(run.run, failed, begun.fence)).rejects.toThrow(FencedError);
  return { rank: 3, apply() {} };
}

async function resume(run: RunModel, at: OpenedBooks, { model }: Stage) {
  await at.passes.control(run.pass, "run", "test", run.entry);
  return { rank: 4, apply: () => model.resume(run) };
}

async function stop(run: RunModel, whole: boolean, at: OpenedBooks, { model }: Stage) {
  await at.passes.control(run.pass, "stop", "test", whole ? undefined : run.entry);
  const touched = model.runs.filter((one) => (whole ? one.pass === run.pass : one === run));
  return {
    rank: 5,
    apply: () => {
      for (const one of touched) model.stop(one, at.clock.now());
    },
  };
}

/** The books say what the rules say, whoever asks. */
async function compare({ doors, project, model }: Stage): Promise<void> {
  const [, second] = doors as [OpenedBooks, OpenedBooks];
  const balance = await second.licenses.balance(project.id);
  expect(balance.free).toBeGreaterThanOrEqual(0);
  expect(balance.reserved).toBeGreaterThanOrEqual(0);
  expect(balance.reserved + balance.consumed + balance.free).toBe(balance.owned);
  expect(balance).toEqual(model.balance());

  const history = await second.licenses.history(project.id, 10_000);
  const sum = (kind: string) =>
    history.filter((line) => line.kind === kind).reduce((total, { count }) => total + count, 0);
  const [reserved, consumed, released] = ["reserve", "consume", "release"].map(sum) as [
    number,
    number,
    number,
  ];
  expect(balance).toMatchObject({
    owned: sum("grant"),
    consumed,
    reserved: reserved - consumed - released,
  });
  // A pass has one run of an entry.
  const of = (kind: string) =>
    history.filter((line) => line.kind === kind).map(({ entry, pass }) => `${entry} ${pass}`);
  const closed = [...of("consume"), ...of("release")];
  expect(new Set(closed).size, "consumed or released, and once").toBe(closed.length);
  expect(new Set(of("reserve")).size).toBe(of("reserve").length);
  const lines = history.map(({ kind, count, entry, pass }) =>
    kind === "grant" ? `grant ${count}` : `${kind} ${entry} ${pass}`,
  );
  const expected = model.moves.filter((line) => line !== "grant 0");
  expect(lines.sort()).toEqual(expected.sort());

  const entries = await second.projects.entries(project.id);
  expect(
    entries.map(({ id, license, passesUsed: used, firstSuccessAt: firstSuccess, trialUsed }) => ({
      ...{ id, license, used, firstSuccess, trialUsed },
    })),
  ).toEqual(model.facts());
  const { knex } = second.database;
  const ids = await knex("passes").where({ project_id: project.id }).pluck<number[]>("id");
  expect(ids.sort((a, b) => a - b)).toEqual(
    [...new Set(model.runs.map(({ pass }) => pass))].sort((a, b) => a - b),
  );
  const runs = await knex("runs")
    .whereIn("pass_id", ids)
    .orderBy("id")
    .select("id", "state", "reserved");
  expect(
    runs.map(({ id, state, reserved: own }) => [id, ended(state) ? "ended" : state, Boolean(own)]),
  ).toEqual(
    [...model.runs]
      .sort((a, b) => a.run - b.run)
      .map(({ run, state, reserved: own }) => [run, state, own]),
  );
}

/** Everything that has not ended is stopped, and nothing stays reserved. */
async function finish(stage: Stage): Promise<void> {
  const { doors, model, held, project } = stage;
  const [books] = doors as [OpenedBooks];
  for (const run of [...held.keys()]) (await crash(run, stage)).apply();
  for (const run of model.runs) {
    if (run.state !== "ended") (await stop(run, true, books, stage)).apply();
  }
  // Those whose owner died end with the next one.
  for (const run of model.runs) {
    if (run.state !== "ended") (await begin(run, doors.at(-1)!, stage)).apply();
  }
  await compare(stage);
  expect((await books.licenses.balance(project.id)).reserved).toBe(0);
  const states = await books.database
    .knex("passes")
    .where({ project_id: project.id })
    .pluck<Parameters<typeof ended>[0][]>("state");
  expect(states.filter((state) => !ended(state))).toEqual([]);
}

async function openDoors(url: string): Promise<Doors> {
  const first = await openBooks(url);
  const again = async () => (await first.again()) as OpenedBooks;
  const doors = [first, await again(), await again()];
  await first.projects.addEndpoint(endpoint("old"));
  await first.projects.addEndpoint(endpoint("new"));
  return doors;
}

const close = async (doors: Doors) => {
  for (const one of doors) await one[Symbol.asyncDispose]();
};

function properties(fresh: () => Promise<string>, numRuns: number, timeLimit: number): void {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors(await fresh());
  });
  afterAll(() => close(doors));

  test("licenses stay right through any interleaving of starts, writes, ends, crashes and stops", async () => {
    await fc.assert(
      fc.asyncProperty(story, (told) => play(told, doors)),
      { numRuns, interruptAfterTimeLimit: timeLimit },
    );
  });

  test("the same comparison finds out starts that take no turns", async () => {
    const racing = [0, 1, 2].map((n): Op => {
      return { do: "start", door: n, mask: 2 ** n, kind: "full", planned: false, asked: true };
    });
    const policy = { passesPerLicense: 2, deltaWindowDays: null, overLimit: "ask" } as const;
    const told = { licenses: 1, ...policy, steps: [racing] };
    await play(told, doors);

    // More is reserved than there is: the first thing that is compared.
    await expect(play(told, doors, naivePasses)).rejects.toThrow(
      /-\d to be greater than or equal to 0/,
    );
  });
}

describe("on SQLite", () => properties(freshDatabases("sqlite"), 30, 14_000));

describe("on PostgreSQL", () => properties(freshDatabases("postgres"), 15, 10_000));
