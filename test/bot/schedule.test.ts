import { afterEach, expect, test } from "vitest";
import { makeCrier } from "../../bot/crier.ts";
import { ChatError } from "../../bot/surface.ts";
import { localPerson } from "../../bot/surfaces/local/chat.ts";
import { graceMs, startDue } from "../../engine/ticker.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";
import { letter } from "../doubles/twisted.ts";

const hour = 60 * 60 * 1000;
let world: ChatWorld;
afterEach(() => world[Symbol.asyncDispose]());

const passes = () => world.desk.passes.recent(1, 10);
const as = (name: string) => ({ person: localPerson(name) });

async function house(licenses = 10): Promise<void> {
  world = await chatWorld({ people: ["anna", "bob"], licenses });
  for (const who of ["anna", "bob"]) world.system.deliver(`${who}@old.example`, "INBOX", letter(1));
}

/** What is due starts, and is told. */
async function tick(surface = world.surface): Promise<string> {
  const before = await world.desk.transcript.last();
  await startDue(world.desk, ["local:owner"]);
  await makeCrier(world.desk, [surface]).tick();
  const lines = await world.desk.transcript.after(before, 100);
  return lines.map(({ text }) => text).join("\n");
}

test("a pass starts at its time, once, in the zone of the project, and not before", async () => {
  await house();
  expect(await world.hear('full --at "2026-11-20 22:00" --yes')).toMatch(
    /Schedule 1 by local:owner: Full pass of acme, 2 mailboxes, 2 licenses, starts at 2026-11-20 22:00 \(Europe\/Berlin\), in 9 h/,
  );
  expect(await world.hear("schedule list")).toMatch(
    /1 +2026-11-20 22:00 \(Europe\/Berlin\) +9 h +Full pass of all mailboxes +local:owner/,
  );
  world.clock.advance(9 * hour - 1000);
  await tick();
  expect(await passes()).toEqual([]);

  world.clock.advance(1000);
  await Promise.all([startDue(world.desk, ["local:owner"]), startDue(world.desk, ["local:owner"])]);
  await tick();

  expect((await passes()).map(({ kind, startedBy }) => [kind, startedBy])).toEqual([
    ["full", "local:owner"],
  ]);
  await world.carry();
  expect((await passes())[0]?.counters.migrated).toBe(2);
  expect(await world.hear("schedule list")).toContain("Nothing is scheduled in acme");
});

test("whoever scheduled it must still be an operator when its time comes", async () => {
  await house();
  const bo = { person: { id: "local:bo", name: "bo", guest: false } };
  await world.say("roles grant bo operator");
  await world.say("verify");
  await world.run();
  expect((await world.say('full anna* --at "in 1h" --yes', bo)).result).toBe("accepted");
  expect((await world.say('full bob* --at "in 2h" --yes', bo)).result).toBe("accepted");
  world.clock.advance(hour);
  await tick();
  await world.say("roles revoke bo");
  world.clock.advance(hour);

  expect(await tick()).toContain(
    "local:bo may no longer run passes here: without a role for it in this project, and not in the GODWIT_OWNERS of the process that asked. Nothing was started.",
  );
  expect((await passes()).map(({ kind }) => kind)).toEqual(["full", "verify"]);
});

test("one that uses licenses shows its plan first, and `start` puts it in the calendar", async () => {
  await house();
  const plan = await world.hear('prestage 30d --at "tomorrow 18:00"');
  expect(plan, "thirty times 24 hours before its start").toContain(
    "mail before 2026-10-22 19:00 (Europe/Berlin)",
  );
  expect(plan).toContain("Type `start 1`");
  expect(await world.desk.schedules.open(1)).toEqual([]);

  const text = await world.hear("start 1");

  expect(text).toContain("Plan 1, pre-stage of acme: scheduled by local:owner");
  expect(text).toContain("Schedule 1 by local:owner");
  expect((await world.desk.schedules.open(1)).map(({ request }) => request.limit)).toEqual([
    { days: 30 },
  ]);
});

test("a length is counted from the start, not from when it was typed", async () => {
  await house();
  await world.say("prestage 1d --at in --yes");
  await world.say('prestage 1d --at "in 2d" --yes');
  world.clock.advance(48 * hour);
  await tick();
  const [pass] = await passes();
  expect(pass?.limit).toBe(world.clock.now() - 24 * hour);
});

test("it can be moved, cancelled and run now, each said with who did it", async () => {
  await house();
  await world.say('delta --at "in 2h" --yes');
  expect(await world.hear('schedule move 1 "tomorrow 18:00"')).toBe(
    "Schedule 1 starts at 2026-11-21 18:00 (Europe/Berlin) (moved by local:owner).",
  );
  world.clock.advance(3 * hour);
  await tick();
  expect(await passes()).toEqual([]);
  await world.say("schedule run 1");
  await tick();
  expect(await passes()).toHaveLength(1);
  expect(await world.hear("schedule cancel 1")).toMatch(/has started as pass 1; type `status 1`/);

  await world.say('delta --at "in 2h" --yes');
  expect(await world.hear("schedule cancel 2")).toContain("cancelled (by local:owner)");
  world.clock.advance(3 * hour);
  await tick();
  expect(await passes()).toHaveLength(1);
  expect(await world.hear('schedule move 2 "in 2h"')).toContain("is cancelled already");
});

test("late by a restart it starts within a grace, and after that people are asked", async () => {
  await house();
  await world.say('delta anna* --at "in 1h" --yes');
  await world.say('delta bob* --at "in 2h" --yes');
  world.clock.advance(hour + graceMs);
  await tick();
  expect(await passes()).toHaveLength(1);

  world.clock.advance(hour + 1000);
  const told = await tick();

  expect(told).toMatch(/Schedule 2, Delta of bob\*, .* was missed.*`schedule run 2`/);
  expect(await tick(), "once").toBe("");
  expect(await passes()).toHaveLength(1);
  await world.say("schedule run 2");
  await tick();
  expect((await passes()).map(({ runs }) => runs[0]?.source)).toEqual([
    "bob@old.example",
    "anna@old.example",
  ]);
});

test("what cannot start is refused with its reason, in the channel it was typed in", async () => {
  await house(1);
  await world.say('full anna* --at "in 1h" --yes');
  await world.say('full bob* --at "in 2h" --yes');
  world.clock.advance(hour);
  await tick();
  await world.carry();
  world.clock.advance(hour);

  expect(await tick()).toMatch(/Schedule 2, .* did not start: Uses 1 license, 0 free: 1 short/);
  expect(await passes()).toHaveLength(1);
});

test("a channel that cannot be reached is told later", async () => {
  await house(1);
  await world.say('full bob* --at "in 1h" --yes');
  await world.say("project close --project acme");
  world.clock.advance(hour);
  const away = {
    ...world.surface,
    post: () => Promise.reject(new ChatError("away", "unreachable")),
  };
  expect(await tick(away)).toBe("");
  expect(await tick()).toMatch(/did not start: .*closed/);
});

test("a second person approves the moment that was shown, and what grew since is refused", async () => {
  await house();
  await world.say("roles grant bo operator");
  await world.say("project set secondPerson.passesOver 1");
  expect(await world.hear('delta --at "in 2h" --yes')).toContain("approve 1");
  const at = Math.floor((world.clock.now() + 2 * hour) / 60_000) * 60_000;
  world.clock.advance(hour);
  await world.say("approve 1", as("bo"));
  expect((await world.desk.schedules.open(1)).map((one) => [one.at, one.approvedBy])).toEqual([
    [at, "local:bo"],
  ]);

  await world.say("project set secondPerson.passesOver none");
  await world.say("approve 2", as("bo"));
  await world.say('delta --at "in 3h" --yes');
  await world.say("project set secondPerson.passesOver 1");
  world.clock.advance(hour);
  await tick();
  expect(await passes(), "approved, it starts").toHaveLength(1);
  await world.carry();
  world.clock.advance(2 * hour);
  expect(await tick()).toMatch(/more mailboxes by now than one person may start alone/);
});
