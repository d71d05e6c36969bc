import { afterEach, beforeEach, expect, test } from "vitest";
import type { Message } from "../../../bot/message.ts";
import { plainLine } from "../../../bot/surfaces/local/render.ts";
import type { TranscriptLine } from "../../../engine/domain/thread.ts";
import { type ChatWorld, chatWorld } from "../../doubles/chat-world.ts";

const day = 24 * 60 * 60 * 1000;

let world: ChatWorld;
beforeEach(async () => {
  world = await chatWorld({ people: ["anna", "bob"] });
  await world.say("link acme");
  mail("anna", 3, 100);
  mail("bob", 2, 20);
});
afterEach(() => world[Symbol.asyncDispose]());

function mail(who: string, count: number, days: number): void {
  for (let n = 0; n < count; n += 1) {
    const bytes = Buffer.from(`Subject: ${who} ${days}/${n}\r\n\r\nhi\r\n`);
    const createdAt = world.clock.now() - days * day + n;
    world.system.deliver(`${who}@old.example`, "INBOX", bytes, { createdAt });
  }
}

/** A pass that takes a minute. */
async function pass(text: string): Promise<void> {
  await world.say(text);
  for (let n = 0; n < 2; n += 1) {
    await world.run(1);
    world.clock.advance(60_000);
  }
  await world.narrator.tick();
}

function picturesIn(lines: TranscriptLine[]): NonNullable<Message["pictures"]> {
  return lines.flatMap(({ extra }) => (extra as unknown as Message).pictures ?? []);
}

test("a report asked for in a thread is told there, and then shown in pictures for everybody", async () => {
  await pass("prestage 90d --yes");
  const root = (await world.lines()).findLast(({ kind }) => kind === "post")!;
  const { lines } = await world.say("report", { thread: root.thread });

  expect(lines.map(({ kind, thread }) => [kind, thread])).toEqual([
    ["reply", root.thread],
    ["reply", root.thread],
  ]);
  expect(lines[0]?.text).toContain("anna@old.example  completed");
  expect(picturesIn(lines.slice(0, 1))).toEqual([]);
  const pictures = picturesIn(lines);
  expect(pictures.map(({ name }) => name)).toEqual(["passes.png", "over-time.png", "licenses.png"]);
  for (const { png, alt, width } of pictures) {
    expect(Buffer.from(png, "base64").subarray(1, 4).toString()).toBe("PNG");
    expect(width).toBeLessThanOrEqual(900);
    // What they show can be read where nothing is drawn.
    expect(lines[1]?.text).toContain(alt);
  }
  expect(plainLine(lines[1]!)).toContain("Passes by mailbox: 2 mailboxes, 1 pass");
});

test("anywhere else it is for the one who asked", async () => {
  await pass("prestage 90d --yes");
  const { lines } = await world.say("report");
  expect(lines.map((line) => [line.kind, line.for])).toEqual([
    ["private", "local:owner"],
    ["private", "local:owner"],
  ]);
});

test("what is left is asked for, and when it would be done reckoned from the passes before", async () => {
  await pass("prestage 90d --yes");
  expect(await world.hear("report")).toContain(
    "Carried over time: 3 items (81 bytes) since 2026-11-20 13:00 (Europe/Berlin). 2 items (50 bytes) are left; a pass that carries them now would be done about 2026-11-20 13:02 (Europe/Berlin)",
  );
  await pass("delta --yes");
  expect(await world.hear("report")).toContain("Nothing is left to carry");
});

test("where the mail servers cannot be asked in time, the picture says so and names no end", async () => {
  await pass("prestage 90d --yes");
  world.desk.forecaster.ask = async ({ entries }) => ({ entries: [], of: entries.length });
  const told = await world.hear("report");
  expect(told).toContain("What is left is not known: the mail servers could not be asked.");
  expect(told).not.toContain("would be done");
});

test("before anything was carried there is nothing to be shown", async () => {
  expect(await world.hear("report")).toContain("acme has had no pass yet");
  await pass("verify");
  const { lines } = await world.say("report");
  expect(lines).toHaveLength(1);
  expect(picturesIn(lines)).toEqual([]);
});

test("a report stands even where no picture can be made", async () => {
  await pass("prestage 90d --yes");
  world.desk.licenses.history = async () => {
    throw new Error("disk full");
  };
  const { lines } = await world.say("report");
  expect(lines[0]?.text).toContain("anna@old.example  completed");
  expect(lines[1]?.text).toMatch(/under the reference [0-9a-f]{8}/);
  expect(world.logged.join()).toContain("disk full");
});

test("scripts read what the pictures show, in the fields they know", async () => {
  await pass("prestage 90d --yes");
  const { printed } = await world.chat(["report"]);
  const lines = printed.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map((line) => Object.keys(line))).toEqual([
    ["kind", "text"],
    ["kind", "text"],
  ]);
  expect(lines[1]?.text).toContain("Licenses: 10 owned, 1 used");
  expect(printed.join()).not.toContain("iVBOR");
});
