import { afterEach, describe, expect, test } from "vitest";
import { nextTime, readRecurrence } from "../../bot/recurrence.ts";
import { makeReminding } from "../../bot/reminding.ts";
import { ChatError } from "../../bot/surface.ts";
import { localPerson } from "../../bot/surfaces/local/chat.ts";
import { startDue } from "../../engine/ticker.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";
import { letter } from "../doubles/twisted.ts";

const zone = "Europe/Berlin";
let opened: ChatWorld | null = null;
let world: ChatWorld;
afterEach(async () => {
  await opened?.[Symbol.asyncDispose]();
  opened = null;
});

/** A Friday, 13:00 in Berlin; anna was carried, and has new mail since. */
async function house(): Promise<void> {
  world = await chatWorld({ people: ["anna"] });
  opened = world;
  world.system.deliver("anna@old.example", "INBOX", letter(1));
  await world.say("full --yes");
  await world.carry();
  world.system.deliver("anna@old.example", "INBOX", letter(2));
}

/** What the channel hears at this moment. */
async function tick(surface = world.surface): Promise<string> {
  const before = await world.desk.transcript.last();
  await startDue(world.desk, ["local:owner"]);
  await makeReminding(world.desk, [surface]).tick();
  const lines = await world.desk.transcript.after(before, 100);
  return lines.map(({ kind, text }) => `${kind}: ${text}`).join("\n");
}

const until = (at: string) => world.clock.advance(Date.parse(at) - world.clock.now());
const passes = () => world.desk.passes.recent(1, 10);

describe("what recurs", () => {
  test.each([
    ["weekdays 18:00", "0 18 * * 1-5"],
    ["every weekday 18:00", "0 18 * * 1-5"],
    ["daily 22:30", "30 22 * * *"],
    ["every day 06:05", "5 6 * * *"],
    ["every mon,thu 07:30", "30 7 * * 1,4"],
    ["every Sunday 09:00", "0 9 * * 0"],
  ])("%s", (typed, cron) => {
    expect(readRecurrence(typed)?.cron).toBe(cron);
  });

  test("what is none, and days and times that there are not", () => {
    expect(readRecurrence("tomorrow 18:00")).toBeNull();
    expect(() => readRecurrence("every moonday,xyz 18:00")).toThrow(/“moonday” is no day/);
    expect(() => readRecurrence("every month 18:00")).toThrow(/“month” is no day/);
    expect(() => readRecurrence("daily 25:00")).toThrow(/no 25:00 in a day/);
  });

  test("it keeps its hour when the clocks change", () => {
    const friday = Date.UTC(2026, 9, 23, 15);
    const next = nextTime("0 18 * * 1-5", zone, friday) ?? 0;
    const monday = nextTime("0 18 * * 1-5", zone, next) ?? 0;
    expect([next, monday].map((at) => new Date(at).toISOString())).toEqual([
      "2026-10-23T16:00:00.000Z",
      "2026-10-26T17:00:00.000Z",
    ]);
  });
});

test("at its time the channel is asked, with what has gathered since and what it would use", async () => {
  await house();
  expect(await world.hear("remind weekdays 18:00 delta")).toMatch(
    /Reminder 1 by local:owner: Delta of all mailboxes, weekdays 18:00; asks in this channel, next at 2026-11-20 18:00/,
  );
  until("2026-11-20T16:59:59Z");
  expect(await tick()).toBe("");
  until("2026-11-20T17:00:00Z");

  const asked = await tick();

  expect(asked).toMatch(/^post: Reminder 1: Delta of all mailboxes/);
  expect(asked).toContain("Since pass 1 (full pass, 2026-11-20 13:00 (Europe/Berlin)):");
  expect(asked).toContain("expected: 1 item, ");
  expect(asked).toContain("licenses it would use: 0");
  const [line] = (await world.lines()).slice(-1);
  expect(line?.extra.buttons).toEqual([
    { label: "Run delta now", command: "remind run 1", style: "primary" },
    { label: "Snooze", command: "remind snooze 1" },
    { label: "Skip", command: "remind skip 1" },
  ]);
  expect(await tick(), "once").toBe("");
});

test("`run` starts the pass, and the buttons die with the name of who pressed", async () => {
  await house();
  await world.say("remind weekdays 18:00 delta");
  until("2026-11-20T17:00:00Z");
  await tick();
  await world.say("roles grant bo operator");
  const bo = { person: localPerson("bo") };

  const { lines, passes: started } = await world.say("remind run 1", bo);

  expect(started).toEqual([2]);
  expect(lines.find(({ kind }) => kind === "edit")?.text).toBe(
    "Reminder 1: run by local:bo at 18:00:00.",
  );
  expect(await world.hear("remind skip 1")).toMatch(/waits for no answer/);
  await world.carry();
  expect((await passes())[0]?.counters.migrated).toBe(1);
});

test("of two who answer at once one does", async () => {
  await house();
  await world.say("remind weekdays 18:00 delta");
  until("2026-11-20T17:00:00Z");
  await tick();
  const both = await Promise.all([world.say("remind run 1"), world.say("remind run 1")]);
  expect(both.map(({ result }) => result).toSorted()).toEqual(["accepted", "refused"]);
  expect(await passes()).toHaveLength(2);
});

test("snoozed it comes an hour later, or when it was said; skipped, the next time", async () => {
  await house();
  await world.say("remind weekdays 18:00 delta");
  until("2026-11-20T17:00:00Z");
  await tick();
  expect(await world.hear("remind snooze 1")).toContain(
    "snoozed until 2026-11-20 19:00 (Europe/Berlin) by local:owner",
  );
  until("2026-11-20T18:00:00Z");
  expect(await tick()).toContain("Reminder 1: Delta");
  await world.say("remind snooze 1 tomorrow 09:00");
  until("2026-11-21T08:00:00Z");
  expect(await tick()).toContain("Reminder 1: Delta");
  await world.say("remind skip 1");
  until("2026-11-23T16:59:00Z");
  expect(await tick()).toBe("");
  until("2026-11-23T17:00:00Z");
  expect(await tick()).toContain("Reminder 1: Delta");
});

test("one unanswered reminder is not followed by a second: the next one folds it in", async () => {
  await house();
  await world.say("remind weekdays 18:00 delta");
  until("2026-11-20T17:00:00Z");
  await tick();
  // A weekend and a Monday with the machine off.
  until("2026-11-24T20:00:00Z");

  const told = await tick();

  expect(told.match(/post: Reminder 1/g)).toHaveLength(1);
  expect(told).toContain("Nobody has answered since 2026-11-20 18:00 (Europe/Berlin)");
  expect(told).toContain("edit: Reminder 1 was not answered; a newer one has taken its place.");
  expect((await world.desk.reminders.look(1))?.at).toBe(Date.parse("2026-11-25T17:00:00Z"));
});

test("one by itself puts the pass in the calendar, once, however many look", async () => {
  await house();
  await world.say("remind daily 22:00 delta --auto");
  until("2026-11-20T21:00:00Z");
  const two = [0, 1].map(() => makeReminding(world.desk, [world.surface]));
  await Promise.all(two.map((one) => one.tick()));
  await Promise.all([startDue(world.desk, ["local:owner"]), startDue(world.desk, ["local:owner"])]);

  expect(await passes()).toHaveLength(2);
  await world.carry();
  expect((await passes())[0]).toMatchObject({ kind: "delta", counters: { migrated: 1 } });
});

test("one that was set for once ends with its answer", async () => {
  await house();
  await world.say('remind "tomorrow 18:00" prestage 30d');
  until("2026-11-21T17:00:00Z");
  expect(await tick()).toContain("Reminder 1: Pre-stage 30d of all mailboxes");
  await world.say("remind skip 1");
  expect(await world.hear("remind list")).toContain("Nobody is reminded of anything");
});

test("a cancelled one never comes", async () => {
  await house();
  await world.say("remind weekdays 18:00 delta");
  expect(await world.hear("remind list")).toMatch(/1 +2026-11-20 18:00 .* weekdays 18:00 .* asks/);
  expect(await world.hear("remind cancel 1")).toContain("cancelled (by local:owner)");
  until("2026-11-20T17:00:00Z");
  expect(await tick()).toBe("");
  expect(await world.hear("remind cancel 1")).toMatch(/waits for no answer/);
});

test("a channel that cannot be reached is asked later", async () => {
  await house();
  await world.say("remind weekdays 18:00 delta");
  until("2026-11-20T17:00:00Z");
  const away = {
    ...world.surface,
    post: () => Promise.reject(new ChatError("away", "unreachable")),
  };
  expect(await tick(away)).toBe("");
  expect(await tick()).toContain("Reminder 1: Delta");
});

test("what could never run is refused when it is set", async () => {
  await house();
  expect(await world.hear("remind weekdays 18:00 delta ghost*")).toMatch(/No mailbox/);
  expect(await world.hear("remind weekdays 18:00 prestage soon")).toMatch(/is not a limit/);
  expect(await world.desk.reminders.open(1)).toEqual([]);
  await world.say("remind weekdays 18:00 delta");
  await world.say("project close --project acme");
  until("2026-11-20T17:00:00Z");
  expect(await tick()).toMatch(/It cannot run now: .*closed/);
});
