import { describe, expect, test } from "vitest";
import {
  type BoardFacts,
  type BoardStep,
  boardSteps,
  changeAt,
  isSafe,
  type StepNote,
  standings,
} from "../../engine/domain/board.ts";
import type { Cutover } from "../../engine/domain/cutover.ts";
import type { LateSums } from "../../engine/domain/late-mail.ts";
import type { Completed } from "../../engine/domain/pass.ts";
import type { Entry } from "../../engine/domain/project.ts";

const hour = 60 * 60_000;
const day = 24 * hour;
const now = Date.UTC(2026, 10, 28, 12);
const movedAt = now - 48 * hour;

const entry = (id: number, license: Entry["license"] = "none"): Entry => ({
  id,
  project: 1,
  source: `${id}@old.example`,
  target: `${id}@new.example`,
  workload: "mailbox",
  passesUsed: 0,
  trialUsed: false,
  license,
  firstSuccessAt: null,
  notReady: null,
  busyWith: null,
  lastState: null,
  closedAt: null,
  remigration: null,
  unchecked: false,
  succeeds: null,
});
const [anna, bo] = [entry(1), entry(2)];

const ttlSaid = (ttl: number): Pick<Cutover, "known"> => ({
  known: {
    phase: "old",
    sight: {
      at: now,
      authoritative: [{ server: "ns1", outcome: "answered", hosts: [], ttl }],
      resolvers: [],
      missing: [],
      aliases: [],
    },
    changedAt: null,
    oldUntil: null,
    stale: [],
  },
});

/** Watched, to be changed at no known time. */
const watching: Cutover = {
  n: 1,
  project: 1,
  channel: "local:main",
  person: "local:owner",
  domain: "old.example",
  old: ["mx.old.example"],
  wanted: [],
  plannedAt: null,
  quietHours: 24,
  at: now - 72 * hour,
  state: "watching",
  ...ttlSaid(86_400),
  told: "old",
  movedAt: null,
  movedBy: null,
  dueAt: now,
  mailDueAt: null,
  look: null,
  offer: null,
  safeAt: null,
  verdicts: 0,
};
const moved: Cutover = { ...watching, state: "moved", movedAt };
const safe: Cutover = {
  ...moved,
  known: { ...moved.known, phase: "new" },
  look: { at: now, mailboxes: 2, problems: [], left: 0 },
  safeAt: now - hour,
  verdicts: 1,
};
const over: Cutover = { ...safe, state: "ended" };
const late: LateSums = { mails: 0, mailboxes: 0, waiting: 0, lastAt: null, from: [] };

const of = (cutover: Cutover, ...entries: Entry[]) => ({ cutover, late, entries });
const facts = (change: Partial<BoardFacts> = {}): BoardFacts => ({
  entries: [anna, bo],
  free: 0,
  completed: [],
  cutovers: [],
  ...change,
});
const ran = (kind: Completed["kind"], startedAt: number, ...entries: Entry[]): Completed[] =>
  entries.map(({ id }) => ({ entry: id, kind, startedAt }));
const stands = (step: BoardStep, change: Partial<BoardFacts>, notes: StepNote[] = []) =>
  standings(facts(change), notes, now).find((one) => one.step === step)!;

describe("a step stands as", () => {
  const afterwards = now - hour;
  const both = of(moved, anna, bo);

  test.each<[step: BoardStep, what: string, change: Partial<BoardFacts>, seen: [number, number]]>([
    ["ttl", "no domain is watched", {}, [0, 0]],
    ["ttl", "it is too long", { cutovers: [of(watching)] }, [0, 1]],
    ["ttl", "it is an hour", { cutovers: [of({ ...watching, ...ttlSaid(3600) })] }, [1, 1]],
    ["ttl", "it is a second more", { cutovers: [of({ ...watching, ...ttlSaid(3601) })] }, [0, 1]],
    ["ttl", "the MX has moved, and it matters no more", { cutovers: [of(moved)] }, [1, 1]],
    ["ttl", "one of two is low", { cutovers: [of(moved), of(watching)] }, [1, 2]],
    ["licenses", "there are none", {}, [0, 2]],
    ["licenses", "one is free", { free: 1 }, [1, 2]],
    [
      "licenses",
      "one is used and one free",
      { entries: [entry(1, "consumed"), bo], free: 1 },
      [2, 2],
    ],
    ["licenses", "one is reserved", { entries: [entry(1, "reserved"), bo] }, [1, 2]],
    ["licenses", "more are free than wanted", { free: 9 }, [2, 2]],
    ["licenses", "there are no mailboxes", { entries: [], free: 9 }, [0, 0]],
    ["verify", "one was verified", { completed: ran("verify", now, anna) }, [1, 2]],
    ["verify", "one was verified twice", { completed: ran("verify", now, anna, anna) }, [1, 2]],
    [
      "verify",
      "they were carried, which is none",
      { completed: ran("full", now, anna, bo) },
      [0, 2],
    ],
    ["prestage", "they were prestaged", { completed: ran("prestage", 0, anna, bo) }, [2, 2]],
    ["prestage", "they were carried whole", { completed: ran("full", 0, anna, bo) }, [2, 2]],
    ["prestage", "they were tried", { completed: ran("trial", 0, anna, bo) }, [0, 2]],
    ["mx", "it is watched", { cutovers: [of(watching)] }, [0, 1]],
    ["mx", "it has moved", { cutovers: [of(moved)] }, [1, 1]],
    ["mx", "its watch is over", { cutovers: [of(over)] }, [1, 1]],
    [
      "delta",
      "it ran before the change",
      { cutovers: [both], completed: ran("delta", movedAt - 1, anna, bo) },
      [0, 2],
    ],
    [
      "delta",
      "it ran at the change",
      { cutovers: [both], completed: ran("delta", movedAt, anna, bo) },
      [2, 2],
    ],
    [
      "delta",
      "it ran for one",
      { cutovers: [both], completed: ran("full", afterwards, bo) },
      [1, 2],
    ],
    [
      "delta",
      "it ran, then again",
      { cutovers: [both], completed: [...ran("delta", afterwards, bo), ...ran("delta", 0, bo)] },
      [1, 2],
    ],
    [
      "delta",
      "a pre-stage ran",
      { cutovers: [both], completed: ran("prestage", afterwards, anna, bo) },
      [0, 2],
    ],
    ["delta", "no domain is watched", { completed: ran("delta", afterwards, anna, bo) }, [0, 2]],
    [
      "delta",
      "one of its two domains is still to move",
      {
        cutovers: [of(moved, anna), of(watching, anna)],
        completed: ran("delta", afterwards, anna),
      },
      [0, 2],
    ],
    [
      "delta",
      "one belongs to no domain that is watched",
      { cutovers: [of(moved, anna)], completed: ran("delta", afterwards, anna, bo) },
      [1, 2],
    ],
    ["sweep", "the verdict is withheld", { cutovers: [of(moved)] }, [0, 1]],
    ["sweep", "the verdict is there", { cutovers: [of(safe)] }, [1, 1]],
    ["sweep", "the verdict was there when its watch ended", { cutovers: [of(over)] }, [1, 1]],
    ["sweep", "one of two has its verdict", { cutovers: [of(safe), of(moved)] }, [1, 2]],
    ["switch-off", "nobody can see it", { cutovers: [of(safe, anna, bo)] }, [0, 0]],
  ])("%s: %s", (step, _, change, [count, total]) => {
    const done = total > 0 && count === total;
    expect(stands(step, change)).toMatchObject({ count, of: total, done });
  });

  test("done where somebody says so, whatever is seen, and until they take it back", () => {
    const note: StepNote = { step: "ttl", owner: "bo", tickedBy: "anna", tickedAt: now, note: "" };
    const cutovers = [of(watching)];
    expect(stands("ttl", { cutovers }, [note])).toMatchObject({ done: true, count: 0, note });
    const untold = { ...note, tickedBy: null, tickedAt: null };
    expect(stands("ttl", { cutovers }, [untold])).toMatchObject({ done: false, note: untold });
    expect(stands("ttl", { cutovers }, [{ ...note, step: "mx" }])).toMatchObject({ done: false });
  });

  test("late once its time has come, counted from the change, unless it is done", () => {
    const planned = (plannedAt: number | null) => ({ cutovers: [of({ ...watching, plannedAt })] });
    const lateSteps = (plannedAt: number | null, notes: StepNote[] = []) =>
      standings(facts(planned(plannedAt)), notes, now)
        .filter((one) => one.late)
        .map(({ step }) => step);
    expect(lateSteps(null)).toEqual([]);
    expect(stands("ttl", planned(null)).dueAt).toBeNull();
    expect(lateSteps(now + 8 * day)).toEqual([]);
    expect(lateSteps(now + 7 * day), "to the second").toEqual([]);
    expect(lateSteps(now + 7 * day - 1000)).toEqual(["licenses", "verify"]);
    expect(lateSteps(now + day)).toEqual(["ttl", "licenses", "verify", "prestage"]);
    expect(lateSteps(now - 4 * day)).toEqual(boardSteps.map(({ step }) => step));
    const ticked = {
      step: "verify",
      owner: null,
      tickedBy: "bo",
      tickedAt: now,
      note: "",
    } as const;
    expect(lateSteps(now + 6 * day, [ticked])).toEqual(["licenses"]);
  });
});

test.each<[what: string, cutovers: Cutover[], at: number | null]>([
  ["nobody said, where nothing is watched", [], null],
  ["nobody said", [watching], null],
  ["it is planned", [{ ...watching, plannedAt: 5 }], 5],
  [
    "the first of several that are planned",
    [9, 5, 7].map((at) => ({ ...watching, plannedAt: at })),
    5,
  ],
  ["one is planned beside one nobody said", [watching, { ...watching, plannedAt: 5 }], 5],
  ["it was made, whatever was planned", [{ ...moved, plannedAt: 5 }], movedAt],
  ["one is made and one planned", [moved, { ...watching, plannedAt: 5 }], 5],
  ["one is made and one nobody said", [moved, watching], null],
  ["all are made: the last of them", [moved, { ...moved, movedAt: movedAt + 1 }], movedAt + 1],
  ["its watch is over", [over], movedAt],
])("when the MX is changed: %s", (_, cutovers, at) => {
  expect(changeAt(cutovers)).toBe(at);
});

test.each<[what: string, change: Partial<BoardFacts>, is: boolean]>([
  ["every mailbox belongs to one that is safe", { cutovers: [of(safe, anna, bo)] }, true],
  ["two that are safe have one each", { cutovers: [of(safe, anna), of(safe, bo)] }, true],
  ["no cutover is watched", {}, false],
  ["there is neither a mailbox nor a cutover", { entries: [] }, false],
  ["one mailbox belongs to none", { cutovers: [of(safe, anna)] }, false],
  ["one mailbox's is not safe", { cutovers: [of(safe, anna), of(moved, bo)] }, false],
  [
    "late mail waits since",
    { cutovers: [{ ...of(safe, anna, bo), late: { ...late, mails: 1, waiting: 1 } }] },
    false,
  ],
])("the old system may go: %s", (_, change, is) => {
  expect(isSafe(facts(change), now)).toBe(is);
});
