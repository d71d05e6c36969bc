import { afterEach, describe, expect, test } from "vitest";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";

let world: ChatWorld;
afterEach(() => world[Symbol.asyncDispose]());

const people = (count: number) => Array.from({ length: count }, (_, n) => `p${n + 1}`);

test("what uses licenses shows its plan and waits for its start", async () => {
  world = await chatWorld({ people: ["anna", "bob"] });
  await world.say("project set after 2020-01-01");
  const { lines, passes, result } = await world.say("prestage 90d");
  expect([result, passes]).toEqual(["accepted", []]);
  const [plan] = lines;
  expect(plan?.kind).toBe("post");
  for (const part of [
    "Pre-stage of acme, mail before 2026-08-22 14:00 (Europe/Berlin), 2 mailboxes",
    "anna@old.example, bob@old.example",
    "the limit replaces the project's own after 2020-01-01 00:00 (Europe/Berlin)",
    "uses 2, 10 free",
    "passes left: 10",
    "rackspace: 10 passes a license (prestage, full, delta count), over the limit ask",
    "Type `start 1` or `cancel 1`",
  ]) {
    expect(plan?.text).toContain(part);
  }
  expect(plan?.extra.buttons).toEqual([
    { label: "Start", command: "start 1", style: "primary" },
    { label: "Cancel", command: "cancel 1" },
  ]);
});

test("start runs the plan once, and its message says who chose", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("prestage 90d");
  const started = await world.say("start 1");
  expect(started.passes).toEqual([1]);
  expect(started.lines.find((line) => line.kind === "edit")?.text).toBe(
    "Plan 1, pre-stage of acme: started by local:owner at 13:00:00 as pass 1.",
  );
  expect(await world.hear("start 1")).toMatch(
    /Plan 1 was started by local:owner at 13:00:00 already/,
  );
});

test("two who start one plan at once start one pass", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("prestage 90d");
  const both = await Promise.all([world.say("start 1"), world.say("start 1")]);
  expect(both.map((one) => one.result).sort()).toEqual(["accepted", "refused"]);
  expect(await world.desk.passes.recent(1, 10)).toHaveLength(1);
});

test("cancel drops it", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("full");
  expect(await world.hear("cancel 1")).toMatch(/cancelled by local:owner/);
  expect((await world.say("start 1")).result).toBe("refused");
});

test("after 15 minutes it is gone", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("full");
  world.clock.advance(15 * 60_000);
  expect(await world.hear("start 1")).toMatch(/older than 15 minutes/);
});

describe("a plan that is no longer true starts nothing and says what changed", () => {
  test.each([
    ["add bob@old.example bob@new.example", "the mailboxes"],
    ['licenses add 1 --note "more"', "the licenses"],
    ["project set maxItemSize 25MB", "the filters"],
    ["project set overLimit block", "the policy"],
  ])("%s", async (typed, changed) => {
    world = await chatWorld({ people: ["anna"] });
    await world.say("prestage 90d anna*,*");
    await world.say(typed);
    const { result, lines } = await world.say("start 1");
    expect(result).toBe("refused");
    expect(lines[0]?.text).toContain(`${changed}`);
    expect(lines[0]?.text).toContain("Type `prestage 90d anna* *` again");
    expect(await world.desk.passes.recent(1, 10)).toEqual([]);
  });
});

test("a plan belongs to the person and the channel it was shown to", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("full");
  await world.desk.projects.link("local:other", 1);
  expect(await world.hear("start 1", { channel: "local:other" })).toMatch(/No plan 1 waits here/);
  expect((await world.say("start 1")).result).toBe("accepted");
});

test("short of licenses, nothing starts, with `--yes` too", async () => {
  world = await chatWorld({ people: people(3), licenses: 1 });
  for (const typed of ["full", "full --yes"]) {
    const { result, lines } = await world.say(typed);
    expect(result).toBe("refused");
    expect(lines[0]?.text).toMatch(/Uses 3 licenses, 1 free: 2 short.*`licenses add 2 --note/);
  }
  expect(await world.desk.passes.recent(1, 10)).toEqual([]);
});

test("a dry run shows the whole plan of any pass and starts nothing", async () => {
  world = await chatWorld({ people: ["anna"] });
  for (const typed of ["verify", "trial", "prestage 90d", "full", "delta", "retry"]) {
    const { lines, passes } = await world.say(
      `${typed} --dry-run --yes`.replace("verify --dry-run --yes", "verify --dry-run"),
    );
    expect(lines.map((line) => line.kind)).toEqual(["private"]);
    expect(lines[0]?.text).toMatch(/policy: .*dry run: nothing was started/s);
    expect(passes).toEqual([]);
  }
});

test("the plan of the first delta says that it is no synchronisation, later ones do not", async () => {
  world = await chatWorld({ people: ["anna"] });
  expect(await world.hear("delta --dry-run")).toMatch(/migration, not synchronisation/);
  await world.say("delta --yes");
  await world.carry();
  expect(await world.hear("delta --dry-run")).not.toMatch(/synchronisation/);
});

test("a long list of mailboxes is folded, numbers are grouped", async () => {
  world = await chatWorld({ people: people(42), licenses: 12_000 });
  expect(await world.hear("full --dry-run")).toMatch(
    /42 mailboxes[\s\S]*p40@old\.example and 2 more[\s\S]*12\u202f000 free/,
  );
});

test("the same command while its pass runs makes no second pass", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("delta --yes");
  const { result, lines } = await world.say("delta --yes");
  expect(result).toBe("refused");
  expect(lines[0]?.text).toMatch(/Already running in pass 1.*`status 1`/);
  expect(await world.desk.passes.recent(1, 10)).toHaveLength(1);
});

test("one event delivered twice is one command", async () => {
  world = await chatWorld({ people: ["anna"] });
  const twice = { eventId: "event-1" };
  const first = await world.say("delta --yes", twice);
  const second = await world.say("delta --yes", twice);
  expect(second.passes).toEqual(first.passes);
  expect(second.lines).toEqual([]);
});

test("a fault of ours shows a reference, no stack, and the log has the cause", async () => {
  world = await chatWorld({ people: ["anna"] });
  world.desk.passes.recent = () => Promise.reject(new Error("disk I/O error at /srv/godwit.db"));
  const { result, lines } = await world.say("status");
  expect(result).toBe("failed");
  expect(lines[0]?.text).toMatch(/reference [0-9a-f]{8}/);
  expect(lines[0]?.text).not.toMatch(/disk|\/srv/);
  expect(world.logged).toEqual(["a command failed Error: disk I/O error at /srv/godwit.db"]);
});

test("every command is in the audit as it was understood", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("delta anna@old.example --yes");
  await world.say("delta --nonsense");
  const lines = (await world.desk.audit.recent(null, 3)).concat(
    await world.desk.audit.recent(1, 3),
  );
  const did = lines.map((line) => [line.who, line.did, line.outcome]);
  expect(did).toContainEqual(["local:owner", "delta anna@old.example --yes", "done"]);
  expect(
    did.some(([, what, outcome]) => what?.includes("not understood") && outcome === "refused"),
  ).toBe(true);
});
