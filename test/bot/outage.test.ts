import { afterEach, expect, test } from "vitest";
import { makeNarrator } from "../../bot/narrator.ts";
import { ChatError, type Surface } from "../../bot/surface.ts";
import type { TranscriptLine } from "../../engine/domain/thread.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";

let world: ChatWorld;
afterEach(() => world?.[Symbol.asyncDispose]());

type Act = "post" | "edit" | "reply";

/** The channel with faults in front of it: `fault` may answer an error for what is tried. */
function faulty(fault: (act: Act) => { error: ChatError; after?: boolean } | null): Surface {
  const { surface } = world;
  const through = async <Said>(act: Act, work: () => Promise<Said>): Promise<Said> => {
    const planned = fault(act);
    if (planned === null) return work();
    if (planned.after === true) await work();
    throw planned.error;
  };
  return {
    ...surface,
    post: (...said) => through("post", () => surface.post(...said)),
    edit: (...said) => through("edit", () => surface.edit(...said)),
    reply: (...said) => through("reply", () => surface.reply(...said)),
  };
}

const narratorOn = (surface: Surface) =>
  makeNarrator({ desk: world.desk, surfaces: [surface], clock: world.clock });

const limited = (retryAfterMs: number) => new ChatError("slow down", "limited", { retryAfterMs });
const unreachable = new ChatError("no answer", "unreachable");

function mail(who: string, count: number): void {
  for (let n = 0; n < count; n += 1) {
    world.system.deliver(
      `${who}@old.example`,
      "INBOX",
      Buffer.from(`Subject: ${n}\r\n\r\nhi\r\n`),
      {
        createdAt: world.clock.now() - (n + 1) * 24 * 60 * 60 * 1000,
      },
    );
  }
}

async function told(kind?: TranscriptLine["kind"]): Promise<string[]> {
  const lines = (await world.lines()).filter((line) => line.thread.split(":").length === 3);
  return lines
    .filter((line) => (kind === undefined ? line.kind !== "private" : line.kind === kind))
    .map((line) => line.text);
}

async function newLines(since: number): Promise<TranscriptLine[]> {
  return (await world.desk.transcript.after(since, 1000)).filter((line) => line.kind !== "private");
}

test("a platform that is down for an hour stops no pass, and is told everything in order after", async () => {
  world = await chatWorld({ people: ["anna"] });
  mail("anna", 3);
  let down = true;
  const narrator = narratorOn(faulty(() => (down ? { error: unreachable } : null)));
  const before = await world.desk.transcript.last();
  await world.say("full --yes");
  await narrator.tick();
  await world.run();
  for (let minute = 0; minute < 60; minute += 1) {
    world.clock.advance(60_000);
    await narrator.tick();
  }
  expect((await world.desk.passes.snapshot(1)).state).toBe("completed");
  expect(await newLines(before)).toEqual([]);

  down = false;
  world.clock.advance(5 * 60_000);
  await narrator.tick();

  const lines = await newLines(before);
  expect(lines.map((line) => line.kind)).toEqual([
    "post",
    "reply",
    "reply",
    "reply",
    "reply",
    "pass",
  ]);
  expect(lines[0]?.text).toMatch(/: completed\n/);
  expect(lines[1]?.text).toMatch(/^Started/);
  expect(lines.at(-2)?.text).toMatch(/^Full pass of acme: completed/);
});

test("on a rate limit stale progress is dropped, and what must be said waits as long as was asked", async () => {
  world = await chatWorld({ people: ["anna"] });
  mail("anna", 3);
  await world.say("full --yes");
  const tried: Act[] = [];
  let limit = true;
  const narrator = narratorOn(
    faulty((act) => {
      tried.push(act);
      return limit && act === "reply" ? { error: limited(30_000) } : null;
    }),
  );
  const before = await world.desk.transcript.last();
  await narrator.tick();
  await world.run();
  await narrator.tick();
  expect(tried).toEqual(["post", "reply"]);
  world.clock.advance(29_000);
  limit = false;
  await narrator.tick();
  expect(tried).toEqual(["post", "reply"]);
  world.clock.advance(1_000);
  await narrator.tick();
  const lines = await newLines(before);
  // One drawing for all that happened meanwhile.
  expect(lines.filter((line) => line.kind === "edit")).toHaveLength(1);
  expect(lines.filter((line) => line.kind === "reply")).toHaveLength(4);
});

test("an edit that is limited holds up no news, and the last edit always arrives", async () => {
  world = await chatWorld({ people: ["anna", "bob"] });
  mail("anna", 2);
  await world.say("full anna@old.example --yes");
  let limit = true;
  const narrator = narratorOn(
    faulty((act) => (limit && act === "edit" ? { error: limited(20_000) } : null)),
  );
  await narrator.tick();
  await world.run();
  await narrator.tick();
  expect((await told("reply")).length).toBeGreaterThan(1);
  expect(await told("edit")).toEqual([]);
  limit = false;
  world.clock.advance(20_000);
  await narrator.tick();
  expect((await told("edit")).at(-1)).toMatch(/: completed\n/);
  expect((await told("reply")).at(-1)).toMatch(/^Full pass of acme: completed/);
});

test("a post whose answer was lost is looked for before it is repeated", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("full --yes");
  let lost = 2;
  const narrator = narratorOn(
    faulty((act) => {
      if (act === "edit" || lost === 0) return null;
      lost -= 1;
      return { error: unreachable, after: true };
    }),
  );
  for (let n = 0; n < 10; n += 1) {
    await narrator.tick();
    await world.run();
    world.clock.advance(60_000);
  }
  const texts = await told();
  expect(texts.filter((text) => text.startsWith("Started"))).toHaveLength(1);
  expect(texts.filter((text) => /^Full pass.*\n {2}/.test(text)).length).toBeGreaterThan(0);
  expect((await told("post")).filter((text) => text.startsWith("Full pass"))).toHaveLength(1);
});

test("where the platform cannot be asked, twice beats never", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("full --yes");
  let lost = true;
  const surface = faulty((act) => {
    if (act !== "post" || !lost) return null;
    lost = false;
    return { error: unreachable, after: true };
  });
  const narrator = narratorOn({ ...surface, find: async () => null });
  for (let n = 0; n < 3; n += 1) {
    await narrator.tick();
    world.clock.advance(60_000);
  }
  expect((await told("post")).filter((text) => text.startsWith("Full pass"))).toHaveLength(2);
});

test("a channel that takes nothing any more holds up no other channel", async () => {
  world = await chatWorld({ people: ["anna", "bob"] });
  await world.desk.projects.link("local:gone", 1);
  await world.say("full anna@old.example --yes", { channel: "local:gone" });
  await world.say("full bob@old.example --yes");
  const { surface } = world;
  const refused = new ChatError("the channel is archived", "refused");
  const narrator = narratorOn({
    ...surface,
    post: (channel, ...said) =>
      channel === "local:gone" ? Promise.reject(refused) : surface.post(channel, ...said),
  });
  await world.run();
  await narrator.tick();
  const ends = (await told("reply")).filter((text) => text.startsWith("Full pass of acme"));
  expect(ends).toHaveLength(1);
  expect(await world.desk.newsroom.live()).toEqual([1]);
});

test("a root message that somebody deleted holds up no news", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("full --yes");
  const refused = new ChatError("the message is gone", "refused");
  const narrator = narratorOn(faulty((act) => (act === "edit" ? { error: refused } : null)));
  await narrator.tick();
  await world.run();
  await narrator.tick();
  expect((await told("reply")).at(-1)).toMatch(/^Full pass of acme: completed/);
  expect(await world.desk.newsroom.live()).toEqual([]);
});

test("an answer that no channel takes changes nothing of what was done", async () => {
  world = await chatWorld({ people: ["anna"] });
  const { surface } = world;
  const { post } = surface;
  // The bot has this very surface.
  surface.post = () => Promise.reject(new ChatError("not in the channel", "refused"));
  const { result, lines } = await world.say("add bob@old.example bob@new.example");
  surface.post = post;
  expect(result).toBe("accepted");
  expect(lines.map((line) => line.kind)).toEqual(["private"]);
  expect(lines[0]?.text).toMatch(/^Added 1 mailbox/);
});

test("a thousand mailboxes in one pass: one root message, few edits, and a thread that folds", async () => {
  const people = Array.from({ length: 1000 }, (_, n) => `p${n}`);
  world = await chatWorld({ people: ["first"], licenses: 1001 });
  const { projects } = world.desk;
  await projects.add(
    1,
    people.map((who) => ({
      source: `${who}@old.example`,
      target: `${who}@new.example`,
      sourceUser: null,
      sourcePassword: null,
      targetUser: null,
      targetPassword: null,
    })),
  );
  for (const who of people) mail(who, 1);
  const before = await world.desk.transcript.last();
  await world.say("full --yes");
  const began = world.clock.now();
  // Two mailboxes a second, and a look at every second.
  const { passes } = world.desk;
  for (;;) {
    const waiting = await passes.waiting(2);
    if (waiting.length === 0) break;
    await world.run(2);
    world.clock.advance(1000);
    await world.narrator.tick();
  }
  const minutes = (world.clock.now() - began) / 60_000;
  const lines = await newLines(before);
  const of = (kind: TranscriptLine["kind"]) => lines.filter((line) => line.kind === kind);
  expect(minutes).toBeGreaterThan(8);
  expect(of("post")).toHaveLength(1);
  // The last edit does not wait for its turn.
  const edits = of("edit")
    .map((line) => line.at)
    .slice(0, -1);
  for (const at of edits) {
    expect(edits.filter((one) => one >= at && one < at + 60_000).length).toBeLessThanOrEqual(12);
  }
  // Two kinds of news, a round every half minute.
  expect(of("reply").length).toBeLessThan(minutes * 4 + 20);
  expect(of("reply").at(-1)?.text).toMatch(/1\u202f000 migrated/);
}, 120_000);
