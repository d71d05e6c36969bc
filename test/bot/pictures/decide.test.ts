import { describe, expect, test } from "vitest";
import { timeTicks, valueTicks } from "../../../bot/pictures/axis.ts";
import { heatMap } from "../../../bot/pictures/heat-rows.ts";
import { stepsOf } from "../../../bot/pictures/license-use.ts";
import { outlookOf } from "../../../bot/pictures/outlook.ts";
import { pointsOf } from "../../../bot/pictures/over-time.ts";
import * as words from "../../../bot/wording/pictures.ts";
import type { EntryForecast } from "../../../engine/domain/forecast.ts";
import type { Movement } from "../../../engine/domain/license.ts";
import type { PassSums } from "../../../engine/domain/pass.ts";
import { bigProject } from "./made-up.ts";

const second = 1000;
const start = Date.UTC(2026, 10, 20, 12);

function pass(change: Partial<PassSums>): PassSums {
  return {
    ...{ id: 1, kind: "full", state: "completed", migrated: 100, bytes: 1000 },
    ...{ startedAt: start, endedAt: start + 10 * second },
    ...change,
  };
}

function mailbox(change: Partial<EntryForecast>): EntryForecast {
  const none = { duplicates: 0, filtered: 0, tooLarge: 0, moved: 0, changed: 0, renumbered: 0 };
  return { entry: 1, items: 0, bytes: 0, ...none, free: null, problem: null, ...change };
}

describe("rows of the heat map", () => {
  const made = bigProject(1000, 12);
  const map = heatMap(made.project, made.entries, made.passes, 11);

  test("mailboxes whose latest ended pass failed come first, then those it left failures in", () => {
    const outcomes = map.rows.map(({ outcome }) => outcome);
    const failed = outcomes.lastIndexOf("failed");
    const failures = outcomes.lastIndexOf("failures");
    expect(failed).toBeGreaterThan(0);
    expect(outcomes.slice(0, failed + 1)).not.toContain("completed");
    expect(new Set(outcomes.slice(failed + 1, failures + 1))).toEqual(new Set(["failures"]));
    expect(new Set(outcomes.slice(failures + 1))).toEqual(new Set(["completed"]));
  });

  test("forty have a row and the rest one together, and nobody's items are lost", () => {
    expect(map.rows).toHaveLength(40);
    expect(map.rest?.count).toBe(960);
    const sums = map.columns.map((_, at) =>
      [...map.rows, map.rest!].reduce((sum, { cells }) => sum + (cells[at]?.migrated ?? 0), 0),
    );
    expect(sums).toEqual(made.passes.map(({ counters }) => counters.migrated));
    expect(map.rest?.cells.map((cell) => cell?.state).slice(3, 5)).toEqual(["failed", "failed"]);
  });

  test("one more than forty has a row of its own", () => {
    const { project, entries, passes } = bigProject(41, 2);
    const { rows, rest } = heatMap(project, entries, passes, 1);
    expect([rows.length, rest]).toEqual([41, null]);
  });

  test("a mailbox that was in no pass has its row, and one that left the list keeps its own", () => {
    const { project, entries, passes } = bigProject(3, 2);
    const others = [...entries.slice(0, 2), { id: 99, source: "new@old.example" }];
    const { rows } = heatMap(project, others, passes, 1);
    expect(rows.map(({ name }) => name).sort()).toEqual(
      [...entries.map(({ source }) => source), "new@old.example"].sort(),
    );
    expect(rows.find(({ name }) => name === "new@old.example")?.cells).toEqual([null, null]);
    expect(words.heatMapAlt(heatMap(project, others, passes.slice(0, 1), 1))).toMatch(
      /By the latest pass of each: 1 completed; 2 in none of these passes\.$/,
    );
  });

  test("in words: who failed by name, how many more, what runs", () => {
    const alt = words.heatMapAlt(map);
    expect(alt).toMatch(
      /^Passes by mailbox: 1\u202f000 mailboxes, 12 passes, the last of them pass 12, delta\./,
    );
    expect(alt).toMatch(/failed: anna\.novak330@old\.example, .* and \d+ more; with failures: /);
    expect(alt).toMatch(/; \d+ under way; \d+ completed\.$/);
    expect(alt.length).toBeLessThan(1000);
  });
});

describe("the outlook", () => {
  const asked = (entries: EntryForecast[], of = entries.length) => ({ entries, of });

  test("is reckoned from the time passes took, where two ran at once only once", () => {
    const passes = [
      pass({}),
      pass({ startedAt: start + 5 * second, endedAt: start + 20 * second }),
      // Days between passes are no part of the pace.
      pass({ startedAt: start + 86_400_000, endedAt: start + 86_400_000 + 20 * second }),
    ];
    const left = asked([mailbox({ items: 30, bytes: 300 })]);
    expect(outlookOf(left, passes, start)).toEqual({
      ...{ type: "left", items: 30, bytes: 300, doneAt: start + 4 * second },
    });
    // Large items take their time.
    const large = asked([mailbox({ items: 30, bytes: 3000 })]);
    expect(outlookOf(large, passes, start)).toMatchObject({ doneAt: start + 40 * second });
  });

  test("names no end where there was no pace, or not everybody could be asked", () => {
    const left = [mailbox({ items: 30, bytes: 300 }), mailbox({ entry: 2, items: 1, bytes: 1 })];
    const failed = [left[0]!, mailbox({ entry: 2, problem: "refused" })];
    expect(outlookOf(asked(left), [pass({ migrated: 0, bytes: 0 })], start)).toMatchObject({
      doneAt: null,
    });
    const some = { type: "at least", items: 30, bytes: 300, asked: 1 };
    expect(outlookOf(asked(failed), [pass({})], start)).toEqual({ ...some, of: 2 });
    expect(outlookOf(asked([left[0]!], 9), [pass({})], start)).toEqual({ ...some, of: 9 });
    expect(outlookOf(asked(failed.slice(1)), [pass({})], start)).toEqual({ type: "unknown" });
    expect(outlookOf(asked([mailbox({})]), [pass({})], start)).toEqual({ type: "nothing left" });
  });
});

test("what was carried is added up, evenly over each pass, up to now", () => {
  const now = start + 15 * second;
  const passes = [
    pass({}),
    pass({ startedAt: start + 5 * second, endedAt: null, migrated: 50, bytes: 0 }),
    pass({ startedAt: null, migrated: 0 }),
  ];
  expect(pointsOf(passes, now)).toEqual([
    { at: start, items: 0, bytes: 0 },
    { at: start + 5 * second, items: 50, bytes: 500 },
    { at: start + 10 * second, items: 125, bytes: 1000 },
    { at: now, items: 150, bytes: 1000 },
  ]);
});

test("licenses are followed back from what is owned and used now, however far the books reach", () => {
  const line = { by: "local:owner", entry: null, pass: null, note: null };
  const history: Movement[] = [
    { ...line, at: start + 3, kind: "release", count: 1 },
    { ...line, at: start + 2, kind: "consume", count: 1 },
    { ...line, at: start + 1, kind: "reserve", count: 2 },
    { ...line, at: start, kind: "grant", count: 5 },
  ];
  const balance = { owned: 12, consumed: 4, reserved: 0, free: 8 };
  expect(stepsOf(balance, history, start + 9)).toEqual([
    { at: start, owned: 12, consumed: 3 },
    { at: start + 2, owned: 12, consumed: 4 },
    { at: start + 9, owned: 12, consumed: 4 },
  ]);
});

test("axes have round figures, and times of the project's zone", () => {
  expect(valueTicks(13_351_990, 3, 10)).toEqual([0, 5_000_000, 10_000_000, 15_000_000]);
  expect(valueTicks(7 * 1024 ** 3, 3, 1024)).toEqual([0, 5, 10].map((gb) => gb * 1024 ** 3));
  expect(valueTicks(0, 3, 10)).toEqual([0, 1]);
  const labels = (hours: number, zone: string) =>
    timeTicks(start, start + hours * 3_600_000, zone, 6).map(({ label }) => label);
  expect(labels(12, "Europe/Berlin")).toEqual(["15:00", "18:00", "21:00", "21 Nov"]);
  expect(labels(12, "Asia/Tokyo")).toEqual(["21:00", "21 Nov", "03:00", "06:00", "09:00"]);
  expect(labels(24 * 30, "Europe/Berlin")).toHaveLength(4);
});
