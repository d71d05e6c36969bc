import { describe, expect, test } from "vitest";
import type { PassRequest } from "../../engine/domain/plan.ts";
import { type Hours, noWindows, type Windows } from "../../engine/domain/window.ts";
import { startEngine } from "../../engine/engine.ts";
import { memoryQueue } from "../../engine/queues/memory.ts";
import { preview, submit } from "../../engine/submit.ts";
import { closedUntil, closesAt } from "../../engine/windows.ts";
import { type MemoryWorld, memoryWorld } from "../doubles/memory-world.ts";
import { adding, letter, twisted } from "../doubles/twisted.ts";

const berlin = "Europe/Berlin";
const daily = [1, 2, 3, 4, 5, 6, 7];
const hours = (days: number[], from: number, to: number): Hours => ({
  days,
  from: from * 60,
  to: to * 60,
});
const only = (...all: Hours[]): Windows => ({ hours: all, blackout: [] });
/** Weekdays 19:00-07:00, and the whole weekend. */
const evenings = only(hours([1, 2, 3, 4, 5], 19, 7), hours([6, 7], 0, 24));
const without = (windows: Windows, from: string, to = from): Windows => ({
  ...windows,
  blackout: [...windows.blackout, { from, to }],
});
const utc = (at: number | null) => (at === null ? null : new Date(at).toISOString().slice(0, 16));

describe("when a project may carry", () => {
  // 2026-11-25 is a Wednesday; Berlin is an hour ahead of UTC in winter and two in summer.
  test.each([
    ["no windows", only(), "2026-11-25T11:00", null, null],
    ["in the day, until the evening", evenings, "2026-11-25T11:00", "2026-11-25T18:00", null],
    ["a moment before", evenings, "2026-11-25T17:59", "2026-11-25T18:00", null],
    ["at the opening", evenings, "2026-11-25T18:00", null, "2026-11-26T06:00"],
    ["after midnight", evenings, "2026-11-26T05:59", null, "2026-11-26T06:00"],
    ["at the edge", evenings, "2026-11-26T06:00", "2026-11-26T18:00", null],
    [
      "Monday's morning is Sunday's evening, and Sunday has none",
      evenings,
      "2026-11-30T05:00",
      "2026-11-30T18:00",
      null,
    ],
    [
      "Friday's evening, the weekend and its end are one",
      evenings,
      "2026-11-27T20:00",
      null,
      "2026-11-29T23:00",
    ],
    [
      "a range over midnight belongs to the day it begins on",
      only(hours([5], 22, 6)),
      "2026-11-27T05:00",
      "2026-11-27T21:00",
      null,
    ],
    ["all day and every day", only(hours(daily, 0, 24)), "2026-11-25T11:00", null, null],
    [
      "hours that overlap are one",
      only(hours([3], 8, 12), hours([3], 10, 14)),
      "2026-11-25T08:00",
      null,
      "2026-11-25T13:00",
    ],
    [
      "a blackout is whole days of the zone",
      without(only(), "2026-12-24", "2026-12-26"),
      "2026-12-23T23:00",
      "2026-12-26T23:00",
      null,
    ],
    [
      "a blackout that comes closes",
      without(only(), "2026-12-24", "2026-12-26"),
      "2026-12-20T12:00",
      null,
      "2026-12-23T23:00",
    ],
    [
      "the hours of the evening before a blackout end at midnight",
      without(evenings, "2026-12-24", "2026-12-26"),
      "2026-12-23T18:00",
      null,
      "2026-12-23T23:00",
    ],
    [
      "blackouts behind each other are one",
      without(without(evenings, "2026-11-25"), "2026-11-26"),
      "2026-11-25T18:00",
      "2026-11-26T23:00",
      null,
    ],
    [
      "a blackout of years ends",
      without(evenings, "2026-01-01", "2029-12-31"),
      "2026-11-25T11:00",
      "2029-12-31T23:00",
      null,
    ],
    // The clocks go forward on 2027-03-28 at 02:00 and back on 2026-10-25 at 03:00.
    [
      "a night the clocks go forward is an hour shorter",
      only(hours(daily, 19, 7)),
      "2027-03-27T18:00",
      null,
      "2027-03-28T05:00",
    ],
    [
      "a night the clocks go back is an hour longer",
      only(hours(daily, 19, 7)),
      "2026-10-24T17:00",
      null,
      "2026-10-25T06:00",
    ],
    [
      "what the clocks leave out begins when they are past it",
      only(hours(daily, 2.5, 6)),
      "2027-03-28T00:30",
      "2027-03-28T01:00",
      null,
    ],
    [
      "hours that are left out whole come the next day",
      only(hours(daily, 2.25, 2.75)),
      "2027-03-28T00:30",
      "2027-03-29T00:15",
      null,
    ],
    [
      "what comes twice begins the first time",
      only(hours(daily, 2.5, 6)),
      "2026-10-25T00:30",
      null,
      "2026-10-25T05:00",
    ],
    [
      "what comes twice ends the first time",
      only(hours(daily, 22, 2.5)),
      "2026-10-25T00:30",
      "2026-10-25T21:00",
      null,
    ],
  ])("%s", (_, windows, at, opens, closes) => {
    const now = Date.parse(`${at}Z`);
    expect(utc(closedUntil(windows, berlin, now))).toBe(opens);
    expect(utc(closesAt(windows, berlin, now))).toBe(closes);
  });

  test("a zone that left a day out, and one whose clocks change at midnight", () => {
    const samoa = closedUntil(
      only(hours(daily, 19, 20)),
      "Pacific/Apia",
      Date.parse("2011-12-30T07:00Z"),
    );
    expect(utc(samoa), "the 30th was none").toBe("2011-12-31T05:00");
    const beirut = closedUntil(
      only(hours([7], 0, 24)),
      "Asia/Beirut",
      Date.parse("2026-03-28T12:00Z"),
    );
    expect(utc(beirut)).toBe("2026-03-28T22:00");
  });
});

/** Friday 2026-11-20, 13:00 in Berlin. */
const noon = Date.UTC(2026, 10, 20, 12);
const hour = 60 * 60_000;
const letters = 6;

async function begun(windows: Windows | null): Promise<MemoryWorld> {
  const world = await memoryWorld({ start: noon });
  await world.add("anna");
  for (let n = 1; n <= letters; n += 1) world.system.deliver("anna@old", "INBOX", letter(n));
  const { projects } = world.godwit.desk;
  if (windows !== null) await projects.change(world.project.id, { windows });
  const request: PassRequest = { kind: "full", limit: null, selection: [], types: null };
  const plan = await preview(request, world.project.id, false, world.godwit.desk);
  await submit(plan, { who: "test", thread: "test:1" }, world.godwit.desk);
  return world;
}

/** An engine with batches of one letter; after so many something happens, and the engine hears of it. */
function engineOf(world: MemoryWorld, event?: { after: number; happens(): unknown }) {
  let sent = 0;
  let happened = false;
  let heard = () => {};
  const works = twisted(world, {
    target: adding(async function* (into, items) {
      yield* into.add(items);
      sent += 1;
      if (sent !== event?.after) return;
      await event.happens();
      happened = true;
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }),
  });
  const { passes } = works;
  const watched = {
    ...works,
    settings: { ...works.settings, batch: { items: 1, bytes: 1_000_000 } },
    passes: {
      ...passes,
      async windows(runs: number[]) {
        const after = happened;
        const found = await passes.windows(runs);
        // The answer is acted on before the batch is let go.
        if (after) setImmediate(() => heard());
        return found;
      },
    },
  };
  return startEngine(watched, memoryQueue(), { concurrency: 1, lookMs: 5, wantedMs: 5 });
}

const runOf = async ({ godwit }: MemoryWorld) => (await godwit.desk.passes.snapshot(1)).runs[0]!;
const carried = ({ system }: MemoryWorld) =>
  system.letters("anna@new", "INBOX").map(({ bytes }) => bytes.toString());
const all = Array.from({ length: letters }, (_, n) => letter(n + 1).toString());

describe("an engine", () => {
  test("does not begin outside the hours, leaves a run at the edge and takes it again", async () => {
    await using world = await begun(evenings);
    {
      await using engine = engineOf(world);
      await expect.poll(async () => (await runOf(world)).waiting?.for).toBe("window");
      expect((await runOf(world)).waiting?.until).toBe(noon + 6 * hour);
      expect((await world.godwit.desk.passes.snapshot(1)).startedAt).toBeNull();
      await expect.poll(() => engine.busy(), { message: "it holds no place" }).toBe(false);
      expect(carried(world)).toEqual([]);
    }

    world.clock.set(noon + 6 * hour);
    const edge = noon + 62 * hour;
    {
      // Two letters are carried, then it is Monday.
      await using _engine = engineOf(world, { after: 2, happens: () => world.clock.set(edge) });
      await expect
        .poll(async () => (await runOf(world)).waiting)
        .toEqual({ for: "window", until: edge + 16 * hour });
      expect((await runOf(world)).state).toBe("queued");
      expect(carried(world)).toEqual(all.slice(0, 2));
      await using free = await world.godwit.works.owners.take((await runOf(world)).entry);
      expect(free, "the lock is free").not.toBeNull();
      expect(await world.works.passes.waiting(10)).toEqual([]);
    }

    world.clock.set(edge + 16 * hour);
    await using _engine = engineOf(world);
    await expect.poll(async () => (await runOf(world)).state).toBe("completed");
    expect(carried(world)).toEqual(all);
    expect((await runOf(world)).counters).toMatchObject({ migrated: letters, listed: letters });
  });

  test("without hours carries at once, through what would have been the edge", async () => {
    await using world = await begun(null);
    await using _engine = engineOf(world, {
      after: 2,
      happens: () => world.clock.set(noon + 68 * hour),
    });
    await expect.poll(async () => (await runOf(world)).state).toBe("completed");
    expect(carried(world)).toEqual(all);
  });

  test("hears of hours that are set while it carries, and of their end", async () => {
    await using world = await begun(null);
    const set = (windows: Windows) =>
      world.godwit.desk.projects.change(world.project.id, { windows });
    await using _engine = engineOf(world, { after: 2, happens: () => set(evenings) });
    await expect.poll(async () => (await runOf(world)).waiting?.for).toBe("window");
    expect(carried(world)).toEqual(all.slice(0, 2));

    await set(noWindows);

    await expect.poll(async () => (await runOf(world)).state).toBe("completed");
    expect(carried(world)).toEqual(all);
  });

  test("verifies at any hour, and holds every other kind of pass to them", async () => {
    await using world = await begun(evenings);
    await world.carry();
    await world.godwit.desk.passes.control(1, "stop", "test");
    expect((await world.pass("verify")).state).toBe("completed");
    expect((await world.pass("trial")).runs[0]?.waiting?.for).toBe("window");
  });
});
