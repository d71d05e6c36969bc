import { describe, expect, test } from "vitest";
import { dice } from "../doubles/letters.ts";
import { growthOf, type Rule, type Sample } from "./growth.ts";
import { logWrong, passesWrong } from "./judge.ts";
import { processFigures } from "./samples.ts";

// What the soak says of an hour, by made-up hours: those that are in order pass, and each planted leak is seen.

const minute = 60_000;
const mega = 1024 * 1024;

/** A sample each ten seconds, as the soak takes them. */
function lasting(minutes: number, value: (at: number) => number): Sample[] {
  return Array.from({ length: minutes * 6 }, (_, n) => ({
    at: n * 10_000,
    value: value(n * 10_000),
  }));
}

/** What a process without leaks shows: it grows while it warms up, and swings for ever. */
function healthy(seed: number) {
  const random = dice(seed);
  const warm = (at: number) => 1 - Math.exp(-at / (2 * minute));
  return {
    resident: (at: number) => (90 + 80 * warm(at) + 25 * random()) * mega,
    live: (at: number) => (34 + 8 * warm(at) + 1.5 * random()) * mega,
    descriptors: () => 26 + Math.floor(random() * 12),
  };
}

const verdict = (samples: Sample[], rule: Rule) => growthOf(samples, rule).verdict;
const { "resident bytes": resident, "live heap bytes": live, descriptors } = processFigures;

describe("an hour of a process without leaks is flat", () => {
  test.each([1, 2, 3])("whatever it swings by (%s)", (seed) => {
    const process = healthy(seed);
    expect(verdict(lasting(60, process.resident), resident)).toBe("flat");
    expect(verdict(lasting(60, process.live), live)).toBe("flat");
    expect(verdict(lasting(60, process.descriptors), descriptors)).toBe("flat");
  });

  test("with a spike in the middle", () => {
    const spike = (at: number) =>
      healthy(6).live(at) + (at > 30 * minute && at < 34 * minute ? 20 * mega : 0);
    expect(verdict(lasting(60, spike), live)).toBe("flat");
  });
});

describe("a planted leak is seen in an hour", () => {
  // By the soak's own figures: an engine carries some 15,000 mails and 200 passes an hour.
  const perHour = { mails: 15_000, passes: 200 };
  const leaking = (value: (at: number) => number, each: number) => (at: number) =>
    value(at) + (at / (60 * minute)) * each;

  test.each<[what: string, Rule, "resident" | "live" | "descriptors", perHour: number]>([
    ["200 bytes a mail that somebody holds", live, "live", 200 * perHour.mails],
    ["20 KB a pass that somebody holds", live, "live", 20 * 1024 * perHour.passes],
    ["a socket a pass", descriptors, "descriptors", perHour.passes],
    ["a socket every tenth pass", descriptors, "descriptors", perHour.passes / 10],
    ["30 MB an hour beside the heap", resident, "resident", 30 * mega],
  ])("%s", (_, rule, figure, each) => {
    const process = healthy(7);
    expect(verdict(lasting(60, leaking(process[figure], each)), rule)).toBe("grows");
  });

  test("memory that is taken at once, late", () => {
    const late = (at: number) => healthy(8).resident(at) + (at > 52 * minute ? 90 * mega : 0);
    expect(verdict(lasting(60, late), resident)).toBe("grows");
  });
});

test("of memory nothing is said after a few minutes, of sockets it is", () => {
  const process = healthy(9);
  expect(verdict(lasting(5, process.resident), resident)).toBe("short");
  expect(verdict(lasting(5, process.live), live)).toBe("short");
  expect(
    verdict(
      lasting(5, (at) => 26 + at / 10_000),
      descriptors,
    ),
  ).toBe("grows");
  expect(verdict([], descriptors)).toBe("short");
});

test("a pass is in order when it completed, or was stopped by somebody", () => {
  const pass = (id: number, state: string) => ({ id, project: "acme", state });
  const passes = [
    pass(1, "completed"),
    pass(2, "stopped"),
    pass(3, "stopped"),
    pass(4, "failed"),
    pass(5, "processing"),
    pass(6, "completed_with_errors"),
  ];
  expect(passesWrong(passes, new Set([2]))).toEqual([
    "pass 3 of acme is stopped",
    "pass 4 of acme is failed",
    "pass 5 of acme is processing",
    "pass 6 of acme is completed_with_errors",
  ]);
});

describe("a log is in order", () => {
  const at = Date.parse("2026-11-21T12:00:00Z");
  const line = (facts: object) =>
    JSON.stringify({ level: "error", time: new Date(at).toISOString(), msg: "told", ...facts });
  const away = [{ from: at - 5_000, until: at - 1_000 }];

  test("with warnings, and with errors of a database that was away or lost", () => {
    expect(logWrong(line({ level: "warn" }), [])).toEqual([]);
    expect(logWrong(line({}), away)).toEqual([]);
    const err = { message: "Client was closed and is not queryable" };
    expect(logWrong(line({ err }), [])).toEqual([]);
  });

  test("and not with others", () => {
    expect(logWrong(line({}), [])).toHaveLength(1);
    expect(logWrong(line({ reference: "0a1b2c3d" }), away)).toHaveLength(1);
    expect(logWrong(line({ level: "warn", reference: "0a1b2c3d" }), [])).toHaveLength(1);
    expect(logWrong("TypeError: what pino did not write", away)).toHaveLength(1);
  });
});
