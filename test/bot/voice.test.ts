import { afterEach, expect, test } from "vitest";
import { startNarrating } from "../../bot/narrating.ts";
import { makeNarrator } from "../../bot/narrator.ts";
import type { Voice } from "../../engine/domain/project.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";

let world: ChatWorld;
afterEach(() => world?.[Symbol.asyncDispose]());

async function repliesTold(voice: Voice): Promise<{ text: string; aloud: unknown }[]> {
  const people = Array.from({ length: 8 }, (_, n) => `p${n}`);
  world = await chatWorld({ people });
  for (const who of people) {
    world.system.deliver(`${who}@old.example`, "INBOX", Buffer.from("Subject: x\r\n\r\nx\r\n"), {
      createdAt: world.clock.now(),
    });
  }
  expect(await world.hear(`channel ${voice}`)).toContain(`now told ${voice}`);
  await world.say("full --yes");
  await world.carry();
  const replies = (await world.lines()).filter((line) => line.kind === "reply");
  return replies.map((line) => ({ text: line.text, aloud: line.extra.aloud }));
}

test("a quiet channel is told the end, and that in the thread alone", async () => {
  const told = await repliesTold("quiet");
  expect(told).toHaveLength(1);
  expect(told[0]?.text).toMatch(/^Full pass of acme: completed/);
  expect(told[0]?.aloud).toBeUndefined();
});

test("a normal channel is told what happens, folded, and notices the end", async () => {
  const told = await repliesTold("normal");
  expect(told).toHaveLength(4);
  expect(told.map((one) => one.aloud === true)).toEqual([false, false, false, true]);
});

test("a verbose channel is told each mailbox by itself", async () => {
  const told = await repliesTold("verbose");
  expect(told.filter((one) => /is done/.test(one.text))).toHaveLength(8);
});

test("of two bots on one database one tells, and the other takes over when it goes", async () => {
  world = await chatWorld({ people: ["anna"] });
  const { desk, surface, clock } = world;
  let free = true;
  const seats = {
    async take() {
      if (!free) return null;
      free = false;
      return {
        lost: new AbortController().signal,
        async [Symbol.asyncDispose]() {
          free = true;
        },
      };
    },
  };
  const told = { one: 0, other: 0 };
  const log = { info() {}, error: (facts: object) => expect(facts).toBeNull() };
  const start = (name: keyof typeof told) => {
    const narrator = makeNarrator({ desk, surfaces: [surface], clock });
    const counting = {
      async tick() {
        told[name] += 1;
        await narrator.tick();
      },
    };
    // Between two looks the other one has its turn.
    const turn = { now: clock.now, sleep: () => new Promise<void>((go) => setImmediate(go)) };
    return startNarrating([counting], "narrator-local", seats, turn, log);
  };
  const one = start("one");
  const other = start("other");
  await world.say("full --yes");
  await expect.poll(() => told.one).toBeGreaterThan(3);
  expect(told.other).toBe(0);
  await one[Symbol.asyncDispose]();
  await world.run();
  // A look that began before the run ended may have missed its end.
  const { other: before } = told;
  await expect.poll(() => told.other).toBeGreaterThan(before + 1);
  await other[Symbol.asyncDispose]();
  const ends = (await world.lines()).filter((line) => /^Full pass of acme: comp/.test(line.text));
  expect(ends.filter((line) => line.kind === "reply")).toHaveLength(1);
});

test("a bot whose seat is lost tells no more until it has one again", async () => {
  const lost = new AbortController();
  const told: number[] = [];
  let taken = 0;
  const seats = {
    async take() {
      taken += 1;
      // Somebody else has it for a while.
      if (taken > 1 && taken < 10) return null;
      return {
        lost: taken === 1 ? lost.signal : new AbortController().signal,
        async [Symbol.asyncDispose]() {},
      };
    },
  };
  const turn = { now: () => 0, sleep: () => new Promise<void>((go) => setImmediate(go)) };
  const log = { info() {}, error: (facts: object) => expect(facts).toBeNull() };
  const speaker = { tick: async () => void told.push(taken) };
  await using _bot = startNarrating([speaker], "narrator-local", seats, turn, log);
  await expect.poll(() => told.length).toBeGreaterThan(3);

  lost.abort();

  await expect.poll(() => told.at(-1)).toBe(10);
  expect(told.filter((during) => during > 1 && during < 10)).toEqual([]);
});
