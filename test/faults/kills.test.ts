import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Dovecot, startDovecot } from "../servers/dovecot.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { killAt } from "./kills.ts";
import { killAtRandom } from "./kills-random.ts";
import { killRepairAt } from "./kills-repair.ts";

let old: Dovecot;
let fresh: Dovecot;

beforeAll(async () => {
  [old, fresh] = await Promise.all([startDovecot(), startDovecot({ location: "maildir" })]);
});
afterAll(async () => {
  await Promise.all([old[Symbol.asyncDispose](), fresh[Symbol.asyncDispose]()]);
});

const clean = { lost: [], duplicated: [], foreign: [] };

describe("an engine killed (F1)", () => {
  test.each([
    ["before intend", 1],
    ["before intend", 3],
    ["after intend", 1],
    ["after intend", 3],
    ["before append", 1],
    ["before append", 30],
    ["after append", 1],
    ["after append", 30],
    ["after append", 60],
    ["before settle", 1],
    ["before settle", 3],
    ["during settle", 1],
    ["during settle", 3],
    ["after settle", 1],
    ["after settle", 3],
    ["during look", 1],
    ["after create", 1],
    ["after create", 3],
  ])("%s, the %i. time: nothing is lost or twice", async (point, nth) => {
    const user = `${point.replace(" ", "-")}-${nth}`;
    const outcome = await killAt(old, fresh, { point, nth, user });

    expect(outcome.kills, "it was killed").toBe(point === "during look" ? 2 : 1);
    expect(outcome.verdict).toMatchObject(clean);
    expect(outcome.verdict.present).toBeGreaterThan(60);
    expect(outcome).toMatchObject({ gaps: 0, touched: [] });
  });
});

describe("an engine killed while it repairs", () => {
  test.each([
    ["after intend", 1, false],
    ["after append", 7, false],
    ["before settle", 2, false],
    ["during settle", 1, false],
    ["after settle", 1, false],
    ["after append", 7, true],
    ["before settle", 1, true],
  ])("%s, the %i. time (stopped: %s): everything is there once", async (point, nth, stopped) => {
    const user = `repair-${point.replace(" ", "-")}-${nth}-${stopped}`;
    const outcome = await killRepairAt(old, fresh, { point, nth, user, stopped });

    expect(outcome.kills, "it was killed").toBe(1);
    expect(outcome.after).toEqual(outcome.before);
    expect(outcome).toMatchObject({ moved: 3, consumed: 1 });
  });

  test("one that looks at nothing before it repeats makes second copies: the control", async () => {
    const at = { point: "before settle", nth: 1, user: "repair-blind", stopped: false };
    const outcome = await killRepairAt(old, fresh, { ...at, blind: true });

    const extra = [...outcome.after].filter(
      ([sha, times]) => times > (outcome.before.get(sha) ?? 0),
    );
    expect(extra.length).toBeGreaterThan(0);
  });
});

describe("an engine killed (F1, on PostgreSQL)", () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(async () => {
    await postgres[Symbol.asyncDispose]();
  });

  test.each([
    ["before intend", 3],
    ["after intend", 1],
    ["after append", 30],
    ["before settle", 1],
    ["during settle", 1],
    ["after settle", 3],
    ["during look", 1],
  ])("%s, the %i. time: nothing is lost or twice", async (point, nth) => {
    const user = `pg-${point.replace(" ", "-")}-${nth}`;
    const databaseUrl = await postgres.fresh();
    const outcome = await killAt(old, fresh, { point, nth, user, databaseUrl });

    expect(outcome.kills, "it was killed").toBe(point === "during look" ? 2 : 1);
    expect(outcome.verdict).toMatchObject(clean);
    expect(outcome).toMatchObject({ gaps: 0, touched: [] });
  });
});

describe("an engine killed at random (F2, the short form)", () => {
  test("60 kills over three passes: nothing is lost or twice, the source is untouched", async () => {
    const outcome = await killAtRandom(old, fresh, {
      kills: 60,
      letters: 600,
      seed: 20261121,
      user: "random",
    });

    expect(outcome.kills).toBe(60);
    expect(outcome.verdict).toMatchObject(clean);
    expect(outcome.wrong).toEqual([]);
  }, 240_000);
});
