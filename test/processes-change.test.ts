import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { migrate, migrations, openDatabase, type Step } from "../db/open.ts";
import { openCommandLine, type Working } from "./servers/command-line.ts";
import { type Gate, openGate } from "./servers/gate.ts";
import { freePort } from "./servers/postgres.ts";
import { ask, fullPass, type Several, setUp, startSeveral, verdicts } from "./servers/several.ts";

// Processes that come, go and grow old while a pass is under way.

let several: Several;
/** Before the new system: while it is silent, every batch on its way there waits. */
let gate: Gate;
beforeAll(async () => {
  several = await startSeveral();
});
afterAll(() => several[Symbol.asyncDispose]());
beforeEach(async () => {
  gate = await openGate(several.fresh);
});
afterEach(() => gate[Symbol.asyncDispose]());

const onceEach = (people: string[], letters: number) =>
  people.map((name) => ({ name, lost: [], duplicated: [], present: letters }));

/** How often each run was told to have ended, and how. */
const endings = `
  select concat_ws(' ', count(*), body::json ->> 'state') from news
  where body::json ->> 'type' = 'entry ended' group by body::json ->> 'entry', body::json ->> 'state'`;

/** A busy machine starts a process in many seconds. */
const patience = { timeout: 60_000, interval: 20 };

test("engines that join carry their share, and one that is killed or told to stop leaves its own to the others", {
  timeout: 180_000,
}, async () => {
  const people = Array.from({ length: 20 }, (_, n) => `user${n}`);
  const letters = 60;
  const env = await setUp(several, people, letters);
  await using line = await openCommandLine(env);
  const at = (sql: string) => ask(env.DATABASE_URL, sql);
  const engine = async () => {
    const port = await freePort();
    const process = line.start(["engine"], { GODWIT_HEALTH_PORT: String(port) });
    await process.says("A Godwit engine carries for");
    return { ...process, carries: () => carriedBy(port) };
  };
  const bot = line.start(["bot", "--no-page"]);
  await bot.says("Godwit's bot serves");
  for (const typed of fullPass(several, people, gate.port)) bot.type(typed);
  const begun = (least: number) =>
    expect
      .poll(async () => (await at("select 1 from intents")).length, patience)
      .toBeGreaterThanOrEqual(least);

  const leaves = await engine();
  await begun(1);
  gate.silence();
  const [killed, stays] = await Promise.all([engine(), engine()]);
  for (const one of [killed, stays]) await expect.poll(one.carries, patience).toBe(4);
  gate.open();
  await begun(4);
  gate.silence();

  killed.kill("SIGKILL");
  const last = await engine();
  await expect.poll(last.carries, patience).toBe(4);
  leaves.kill("SIGTERM");
  gate.open();
  expect(await leaves.ended).toMatchObject({ code: 0, stderr: "" });
  await bot.says(/Full pass of acme: completed\./);

  await ended(stays, last, bot);
  expect(await at(endings)).toEqual(Array(20).fill("1 completed"));
  expect(await verdicts(several, people)).toEqual(onceEach(people, letters));
});

/** Migrations of versions to come: one that adds, and one that takes away what this version uses. */
const adds: Step = [
  "9001_hues",
  {
    async up(knex) {
      await knex.schema.alterTable("runs", (table) => {
        table.integer("hue").notNullable().defaultTo(0);
      });
      await knex.schema.alterTable("items", (table) => {
        table.text("hue");
      });
    },
    down: async () => {},
  },
];
const takes: Step = [
  "9002_without_steps_since_9001",
  { up: (knex) => knex.schema.dropTable("board_steps"), down: async () => {} },
];

test("a newer version adds to the database in the middle of a pass; engines carry on, start again on it, and are told when that is over", {
  timeout: 180_000,
}, async () => {
  const people = ["ada", "bea"];
  const letters = 150;
  const env = await setUp(several, people, letters);
  await using line = await openCommandLine(env);
  await using newer = await openDatabase(env.DATABASE_URL);
  const bot = line.start(["bot", "--no-page"]);
  const engine = line.start(["engine"]);
  await bot.says("Godwit's bot serves");
  await engine.says("A Godwit engine carries for");
  for (const typed of fullPass(several, people, gate.port)) bot.type(typed);
  const begun = () => ask(env.DATABASE_URL, "select 1 from intents");
  await expect.poll(begun, patience).not.toEqual([]);
  gate.silence();

  await migrate(newer, [...migrations, adds]);
  const restarted = line.start(["engine"]);
  await restarted.says("A Godwit engine carries for");
  expect(await ask(env.DATABASE_URL, "select state from runs where state = 'completed'")).toEqual(
    [],
  );
  gate.open();
  await bot.says(/Full pass of acme: completed\./);
  await ended(engine, restarted, bot);

  expect(await ask(env.DATABASE_URL, endings)).toEqual(Array(2).fill("1 completed"));
  expect(await verdicts(several, people)).toEqual(onceEach(people, letters));
  await migrate(newer, [...migrations, adds, takes]);
  const { code, stderr } = await line.godwit(["engine"]);
  expect(code).toBe(1);
  expect(stderr).toContain(
    "in a way this version cannot live with (9002_without_steps_since_9001). Nothing was changed now. Start that version",
  );
});

async function ended(...processes: Working[]): Promise<void> {
  for (const one of processes) one.kill("SIGTERM");
  for (const one of processes) expect(await one.ended).toMatchObject({ code: 0, stderr: "" });
}

/** How many runs the engine that answers there says it carries. */
async function carriedBy(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  return Number(/^godwit_runs_active(?:\{.*\})? (\d+)/m.exec(await answer.text())?.[1]);
}
