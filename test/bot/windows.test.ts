import { afterEach, expect, test } from "vitest";
import { makeReminding } from "../../bot/reminding.ts";
import { startDue } from "../../engine/ticker.ts";
import { carryRun } from "../../engine/worker.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";
import { adding, letter } from "../doubles/twisted.ts";

let world: ChatWorld;
afterEach(() => world[Symbol.asyncDispose]());

const hour = 60 * 60_000;
/** Three batches. */
const letters = 250;
const evenings = 'project set hours "weekdays 19:00-07:00, sat,sun 00:00-24:00"';

/** Monday 2026-11-23, 14:00 in Berlin. */
async function house(...lines: string[]): Promise<void> {
  world = await chatWorld({ start: Date.UTC(2026, 10, 23, 13), people: ["anna"] });
  for (let n = 1; n <= letters; n += 1) {
    world.system.deliver("anna@old.example", "INBOX", letter(n));
  }
  for (const line of lines) {
    expect([line, (await world.say(line)).result]).toEqual([line, "accepted"]);
  }
}

/** Carries what waits; when each batch was sent. At `until` the time is up, as an engine says it. */
async function carry(until: { batches: number; to: number } | null = null): Promise<string[]> {
  const sent: string[] = [];
  const over = new AbortController();
  const target = adding(async function* (into, items) {
    sent.push(new Date(world.clock.now()).toISOString().slice(0, 16));
    yield* into.add(items);
    if (sent.length !== until?.batches) return;
    world.clock.advance(until.to - world.clock.now());
    over.abort("window");
  });
  const imap = {
    source: world.system.source,
    target: async (...at: Parameters<typeof world.system.target>) =>
      target(await world.system.target(...at)),
  };
  const works = { ...world.works, providers: { ...world.works.providers, imap } };
  for (const run of await world.desk.passes.waiting(10)) await carryRun(run, works, over.signal);
  await world.narrator.tick();
  return sent;
}

const there = () => world.system.letters("anna@new.example", "INBOX").length;
const root = async () =>
  (await world.lines()).findLast((line) => line.text.startsWith("Full pass of acme:"))?.text;
const runs = async (pass = 1) => (await world.desk.passes.snapshot(pass)).runs;

test("a pass typed in the day waits, begins in the evening, is cut in the morning and goes on, all of it once", async () => {
  await house(evenings);
  const opens = world.clock.now() + 5 * hour;

  expect(await world.hear("full --yes")).toContain(
    "\nOutside its hours: begins 2026-11-23 19:00 (Europe/Berlin).",
  );
  expect(await carry()).toEqual([]);
  expect(await world.desk.passes.waiting(10)).toEqual([]);
  expect(await root()).toMatch(/queued\n.*\n.*waits for its hours, goes on at 2026-11-23 19:00/s);
  expect((await world.lines()).map(({ text }) => text)).toContain(
    "anna@old.example waits for its hours, goes on at 2026-11-23 19:00 (Europe/Berlin).",
  );

  world.clock.advance(5 * hour);
  const morning = opens + 12 * hour;
  expect(await carry({ batches: 1, to: morning })).toEqual(["2026-11-23T18:00"]);
  expect([there(), (await runs())[0]]).toMatchObject([
    100,
    { state: "queued", waiting: { for: "window", until: opens + 24 * hour } },
  ]);
  expect(await root()).toContain("waits for its hours, goes on at 2026-11-24 19:00");
  expect(await root(), "and can be steered").toContain("Type `pause 1` or `stop 1`.");

  world.clock.advance(12 * hour - 1);
  expect(await carry()).toEqual([]);
  world.clock.advance(1);
  expect(await carry()).toEqual(["2026-11-24T18:00", "2026-11-24T18:00"]);

  expect(await world.desk.passes.snapshot(1)).toMatchObject({
    state: "completed",
    counters: { listed: letters, failed: 0 },
  });
  expect(there()).toBe(letters);
  const said = (await world.lines()).filter(({ text }) => text.includes("anna@old.example waits"));
  expect(said, "each wait is told once").toHaveLength(2);
});

test("without hours the same pass carries at once", async () => {
  await house();
  expect(await world.hear("full --yes")).not.toContain("hours");
  expect(await carry()).toHaveLength(3);
  expect(there()).toBe(letters);
});

test("a pass that waits for its hours is stopped, paused and resumed at once", async () => {
  await house(evenings, "full --yes");
  await carry();
  expect(await world.hear("resume 1")).toContain(
    "Pass 1 is not paused and waits for its hours, goes on at 2026-11-23 19:00",
  );
  await world.say("pause 1");
  expect(await runs()).toMatchObject([{ state: "paused", waiting: null }]);
  await world.say("resume 1");
  expect(await carry()).toEqual([]);
  expect(await runs()).toMatchObject([{ state: "queued", waiting: { for: "window" } }]);

  world.clock.advance(5 * hour);
  await carry({ batches: 1, to: world.clock.now() + 12 * hour });
  await world.say("stop 1");
  expect(await world.desk.passes.snapshot(1)).toMatchObject({
    state: "stopped",
    counters: { listed: 100, migrated: 100 },
  });
  world.clock.advance(12 * hour);
  expect(await carry()).toEqual([]);
});

test("hours that are cleared or changed while a pass waits hold at once", async () => {
  await house(evenings, "full --yes");
  await carry();
  await world.say('project set hours "daily 20:00-24:00"');
  expect(await world.desk.passes.waiting(10), "looked at anew").toEqual([1]);
  expect(await carry()).toEqual([]);
  expect(await root()).toContain("goes on at 2026-11-23 20:00");

  expect((await world.say("project set hours none")).lines[0]?.text).toContain(
    "hours: none, passes carry at any time",
  );
  expect(await carry()).toHaveLength(3);
});

test("a plan names the hours, when it begins and when it is cut", async () => {
  await house(evenings, 'project set blackout "2026-11-25..2026-11-26"');
  const plan = await world.hear("full");
  for (const part of [
    "  hours: weekdays 19:00-07:00, weekends 00:00-24:00",
    "  blackout: 2026-11-25..2026-11-26",
    "  outside its hours: begins 2026-11-23 19:00 (Europe/Berlin)",
    "  at 2026-11-24 07:00 (Europe/Berlin) it breaks off between two batches",
  ]) {
    expect(plan).toContain(part);
  }
  world.clock.advance(30 * hour);
  const evening = await world.hear("full");
  expect(evening).not.toContain("outside");
  expect(evening, "the night before a blackout").toContain("  at 2026-11-25 00:00 (Europe/Berlin)");
  expect(await world.hear("verify --dry-run")).not.toContain("hours");
});

test("a pass for a time outside the hours is put in the calendar, and says when it begins", async () => {
  await house(evenings);
  expect(await world.hear('full --at "tomorrow 12:00" --yes')).toContain(
    "Outside its hours: begins 2026-11-24 19:00 (Europe/Berlin).",
  );
  expect(await world.hear("schedule list")).toContain(
    "2026-11-24 12:00 (Europe/Berlin), outside its hours: begins 2026-11-24 19:00 (Europe/Berlin)",
  );
  world.clock.advance(22 * hour);
  await startDue(world.desk, ["local:owner"]);
  expect(await carry()).toEqual([]);
  world.clock.advance(7 * hour);
  expect(await carry()).toHaveLength(3);
});

test("a reminder by day says when the pass it asks for would begin", async () => {
  await house(evenings, "remind 15:00 full");
  world.clock.advance(hour);
  await makeReminding(world.desk, [world.surface]).tick();
  expect((await world.lines()).at(-1)?.text).toContain(
    "outside its hours: begins 2026-11-23 19:00 (Europe/Berlin)",
  );
});

test("many mailboxes that wait are told of in one, and wait for their turn when the hours have come", async () => {
  const people = ["a", "b", "c", "d", "e", "f"];
  world = await chatWorld({ start: Date.UTC(2026, 10, 23, 13), people });
  await world.say(evenings);
  await world.say("full --yes");
  await carry();
  const waits = (await world.lines())
    .filter(({ text }) => /wait/.test(text))
    .map((one) => one.text);
  expect(waits.at(-1)).toMatch(
    /^6 mailboxes wait for the project's hours and go on at 2026-11-23 19:00 \(Europe\/Berlin\): a@old/,
  );

  world.clock.advance(5 * hour);
  const [first] = await world.desk.passes.waiting(1);
  await carryRun(first!, world.works, new AbortController().signal);
  await world.narrator.tick();
  expect(await root()).toMatch(/^Full pass of acme: processing\n/);
  expect(await root()).not.toContain("hours");
});

test("are shown, can be typed again as they are shown, and who set them is on record", async () => {
  await house('project set blackout "2027-01-01, 2026-12-24 to 2026-12-26"');
  for (const [typed, shown] of [
    ["19:00-07:00", "daily 19:00-07:00"],
    ["weekdays 7pm-9pm", null],
    ["Mon-Fri 19:00 – 07:00, sat,Sunday 0:00-24:00", "weekdays 19:00-07:00, weekends 00:00-24:00"],
    ["fri-mon 22:00-00:00", "mon,fri,sat,sun 22:00-24:00"],
    ["mon,wed 08:00-12:30, weekends 00:00-00:00", "mon,wed 08:00-12:30, weekends 00:00-24:00"],
  ] as const) {
    const { result } = await world.say(`project set hours "${typed}"`);
    expect([typed, result]).toEqual([typed, shown === null ? "refused" : "accepted"]);
    if (shown === null) continue;
    expect(await world.hear("project show")).toContain(`hours: ${shown}\n`);
    await world.say(`project set hours "${shown}"`);
    expect(await world.hear("project show")).toContain(`hours: ${shown}\n`);
  }
  const show = await world.hear("project show");
  expect(show).toContain("blackout: 2026-12-24..2026-12-26, 2027-01-01\n");
  expect(show).toContain("closed now, opens 2026-11-25 08:00 (Europe/Berlin)\n");
  await world.say("project set hours none");
  const [last] = await world.desk.audit.recent(1, 1);
  expect(last).toMatchObject({ who: "local:owner", outcome: "done" });
  expect(last?.did).toContain("hours from mon,wed 08:00-12:30, weekends 00:00-24:00 to none");
});

test.each([
  ["hours evenings", /“evenings” has no hours.*project set hours "weekdays 19:00-07:00/],
  ["hours weekdays", /“weekdays” has no hours/],
  ['hours "moonday 19:00-07:00"', /names a day there is not, “moonday”/],
  ['hours "mon-wed-fri 19:00-07:00"', /names a day there is not/],
  ['hours "mon 19:00-25:00"', /names a time there is not, 25:00/],
  ['hours "mon 19:60-20:00"', /names a time there is not, 19:60/],
  ['hours "mon 19:00-19:00"', /is no stretch of time/],
  ['hours "mon 24:00-07:00"', /is no stretch of time/],
  ['hours "mon 19:00-20:00, 21:00-22:00"', /“21:00-22:00” does not say on which days/],
  ['hours ","', /has no hours/],
  ["blackout christmas", /“christmas” is neither a date .*project set blackout "2026-12-24/],
  ["blackout 2026-02-30", /is not in the calendar/],
  ["blackout 2026-12-26..2026-12-24", /ends before it begins/],
  [
    "blackout 2026-01-01..2029-12-31",
    /no pass could carry from 2026-11-23 until 2030-01-01.*project close/,
  ],
  [
    "blackout 2027-01-01..2027-12-31,2028-01-01..2028-12-31",
    /no pass could carry from 2027-01-01 until 2029-01-01/,
  ],
  [`hours "${Array.from({ length: 101 }, () => "mon 08:00-09:00").join(",")}"`, /more than 100/],
])("%s is refused, changes nothing and says what to type", async (setting, says) => {
  await house(evenings);
  const before = await world.desk.projects.byId(1);
  const { result, lines } = await world.say(`project set ${setting}`);
  expect([result, lines[0]?.text]).toEqual(["refused", expect.stringMatching(says)]);
  expect(lines[0]?.text).toContain("nothing was changed");
  expect(await world.desk.projects.byId(1)).toEqual(before);
});

test.each([
  ["each of 70 Fridays to come is refused", 70, "refused"],
  ["each of 10 Fridays is taken, the control", 10, "accepted"],
])("hours on Fridays alone, with a blackout on %s", async (_, fridays, result) => {
  const first = Date.UTC(2026, 10, 27);
  const dates = Array.from({ length: fridays }, (_, n) =>
    new Date(first + n * 7 * 24 * hour).toISOString().slice(0, 10),
  );
  await house(`project set blackout "${dates.join(",")}"`);
  const before = await world.desk.projects.byId(1);

  const said = await world.say('project set hours "fri 10:00-12:00"');

  expect([said.result, world.logged]).toEqual([result, []]);
  if (result === "accepted") return;
  expect(said.lines[0]?.text).toBe(
    "With these hours and dates no pass could carry within 400 days; nothing was changed. Type others, or `none`.",
  );
  expect(await world.desk.projects.byId(1)).toEqual(before);
});
