import { expect, test, vi } from "vitest";
import { makeCrier } from "../../bot/crier.ts";
import { makeReminding } from "../../bot/reminding.ts";
import type { Queue } from "../../engine/domain/queue.ts";
import { startEngine } from "../../engine/engine.ts";
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { startDue } from "../../engine/ticker.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";
import { letter } from "../doubles/twisted.ts";
import { startRedis } from "../servers/redis.ts";

// Two weeks of a migration by a clock that is moved in steps of five minutes, over a change of the clocks, with a
// weekend on which nothing ran: everything comes once, nothing early, nothing is lost.

const step = 5 * 60_000;
const berlin = (at: number) =>
  new Intl.DateTimeFormat("sv-SE", {
    timeZone: "Europe/Berlin",
    dateStyle: "short",
    timeStyle: "short",
  }).format(at);

/** Carries what waits: by an engine that never looks by itself where there is a queue between processes. */
function carrying(world: ChatWorld, rings: boolean): AsyncDisposable & (() => Promise<void>) {
  const never = 24 * 60 * 60_000;
  const engine = rings
    ? startEngine(world.works, world.desk.queue, { concurrency: 2, lookMs: never, wantedMs: never })
    : null;
  const carry = async () => {
    if (engine === null) return world.run();
    await vi.waitFor(
      async () => {
        expect(await world.desk.passes.waiting(1)).toEqual([]);
        expect(engine.busy()).toBe(false);
      },
      { timeout: 10_000, interval: 10 },
    );
  };
  return Object.assign(carry, {
    [Symbol.asyncDispose]: async () => engine?.[Symbol.asyncDispose](),
  });
}

/** Goes on until then; what was said in the channel meanwhile, with its time. Each look is a process of its own. */
async function goOn(world: ChatWorld, carry: () => Promise<void>, end: string): Promise<string[]> {
  const heard: string[] = [];
  while (world.clock.now() < Date.parse(end)) {
    world.clock.advance(step);
    const before = await world.desk.transcript.last();
    await makeReminding(world.desk, [world.surface]).tick();
    await startDue(world.desk, ["local:owner"]);
    await makeCrier(world.desk, [world.surface]).tick();
    const lines = await world.desk.transcript.after(before, 50);
    for (const { kind, text } of lines) {
      if (kind === "post") heard.push(`${berlin(world.clock.now())} ${text.split("\n")[0]}`);
    }
    await carry();
  }
  return heard;
}

test.each([
  ["without Redis", false],
  ["with Redis, by its rings alone", true],
])("a fortnight of schedules, reminders, snoozes and a clock change, %s", async (_, withRedis) => {
  await using redis = withRedis ? await startRedis() : null;
  const queue: Queue | null =
    redis === null ? null : bullmqQueue(redis.url, { info() {}, warn() {} });
  // A Monday, 09:00 in Berlin; the clocks go back on Sunday the 25th.
  await using world = await chatWorld({
    start: Date.parse("2026-10-19T07:00:00Z"),
    people: ["anna"],
    ...(queue !== null && { queue }),
  });
  await using carry = carrying(world, queue !== null);
  const until = (at: ChatWorld, end: string) => goOn(at, carry, end);
  world.system.deliver("anna@old.example", "INBOX", letter(1), {
    createdAt: Date.parse("2026-01-01T00:00:00Z"),
  });
  for (const line of [
    'prestage 90d --at "tue 22:00" --yes',
    "remind weekdays 18:00 delta",
    "remind every sat,sun 08:00 delta --auto",
    'delta --at "2026-10-26 03:00" --yes',
    'remind "2026-10-30 12:00" verify',
  ]) {
    expect([line, (await world.say(line)).result]).toEqual([line, "accepted"]);
  }

  const monday = await until(world, "2026-10-19T20:00:00Z");
  expect(monday).toEqual(["2026-10-19 18:00 Reminder 1: Delta of all mailboxes"]);
  await world.say("remind snooze 1 22:30");
  expect(await until(world, "2026-10-20T12:00:00Z")).toEqual([
    "2026-10-19 22:30 Reminder 1: Delta of all mailboxes",
  ]);
  // Nobody answers that one: the next takes its place.
  expect(await until(world, "2026-10-20T17:00:00Z")).toEqual([
    "2026-10-20 18:00 Reminder 1: Delta of all mailboxes",
  ]);
  await world.say("remind snooze 1");
  // 19:00 in Berlin is now; the hour counts from here. At 22:00 the pre-stage.
  expect(await until(world, "2026-10-21T12:00:00Z")).toEqual([
    "2026-10-20 20:00 Reminder 1: Delta of all mailboxes",
  ]);
  await world.say("remind run 1");
  await carry();
  expect(await until(world, "2026-10-23T17:00:00Z")).toEqual([
    "2026-10-21 18:00 Reminder 1: Delta of all mailboxes",
    "2026-10-22 18:00 Reminder 1: Delta of all mailboxes",
    "2026-10-23 18:00 Reminder 1: Delta of all mailboxes",
  ]);
  await world.say("remind skip 1");

  // Off from Friday night to Sunday night: two mornings by themselves went by, and come once, too late.
  world.clock.advance(Date.parse("2026-10-25T20:00:00Z") - world.clock.now());
  expect(await until(world, "2026-10-25T20:05:00Z")).toEqual([
    expect.stringMatching(
      /^2026-10-25 21:05 Schedule 3, Delta .* due at 2026-10-24 08:00 .* missed/,
    ),
  ]);
  await world.say("schedule cancel 3");

  expect(await until(world, "2026-10-26T17:30:00Z"), "18:00 is an hour later by now").toEqual([
    "2026-10-26 18:00 Reminder 1: Delta of all mailboxes",
  ]);
  await world.say("remind skip 1");
  const rest = await until(world, "2026-11-02T08:00:00Z");
  expect(rest.filter((line) => line.includes("Reminder 1"))).toHaveLength(4);
  expect(rest.filter((line) => line.includes("Reminder 3"))).toEqual([
    "2026-10-30 12:00 Reminder 3: Verify of all mailboxes",
  ]);

  const passes = (await world.desk.passes.recent(1, 50)).toReversed();
  expect(passes.map(({ kind, createdAt }) => `${berlin(createdAt)} ${kind}`)).toEqual([
    "2026-10-20 22:00 prestage",
    "2026-10-21 14:00 delta",
    "2026-10-26 03:00 delta",
    "2026-10-31 08:00 delta",
    "2026-11-01 08:00 delta",
  ]);
  expect(passes.every(({ state }) => state === "completed")).toBe(true);
  expect(world.system.letters("anna@new.example", "INBOX")).toHaveLength(1);
});
