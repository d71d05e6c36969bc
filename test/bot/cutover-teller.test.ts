import { expect, test } from "vitest";
import { type CutoverTeller, makeCutoverTeller } from "../../bot/cutover-teller.ts";
import { ChatError, type Surface } from "../../bot/surface.ts";
import { watchDue } from "../../engine/cutover.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";
import { minute } from "../doubles/watched.ts";

const before = ["mx.old.example"];
const after = ["mx.new.example"];
const refused = new ChatError("not in the channel", "refused");
const unreachable = new ChatError("no answer", "unreachable");

async function open(): Promise<ChatWorld> {
  const world = await chatWorld({ start: Date.parse("2026-11-23T09:00:00Z"), people: ["anna"] });
  world.dns.names(before, 300);
  return world;
}

/** Time goes by, the DNS is asked, and this teller tells. */
async function later(world: ChatWorld, teller: CutoverTeller, ms = minute): Promise<void> {
  world.clock.advance(ms);
  await watchDue(world.desk);
  await teller.tick();
}

const tellerOn = (world: ChatWorld, change: Partial<Surface> = {}) =>
  makeCutoverTeller(world.desk, [{ ...world.surface, ...change }]);

const said = async (world: ChatWorld, kind: string, begins: string) =>
  (await world.lines()).filter((line) => line.kind === kind && line.text.startsWith(begins));
const cards = (world: ChatWorld) => said(world, "post", "Cutover of old.example");
const offers = (world: ChatWorld) => said(world, "post", "MX of ");

/** The card's own post happens so. */
async function watchedBy(world: ChatWorld, post: Surface["post"]): Promise<void> {
  const { surface } = world;
  const own = surface.post;
  surface.post = post;
  await world.say("cutover watch old.example");
  surface.post = own;
}

test("new hosts that have no address are told aloud and are no move; with an address they are", async () => {
  await using world = await open();
  await world.say("cutover watch old.example");
  const teller = tellerOn(world);
  const answer = {
    outcome: "answered" as const,
    hosts: [{ host: "mx.nwe.example", preference: 10 }],
  };
  const sight = {
    authoritative: [{ server: "ns1", ...answer, ttl: 300 }],
    resolvers: [{ server: "192.0.2.53", ...answer, ttl: 300 }],
  };
  world.dns.says({ ...sight, missing: ["mx.nwe.example"] });
  await later(world, teller);

  const aloud = (await world.lines()).filter(({ extra }) => extra.aloud === true);
  expect(aloud.map(({ text }) => text.split("\n")[0])).toEqual([
    "The MX of old.example names nobody that has an address: mail for the domain goes nowhere (seen at 10:01).",
  ]);
  expect(await offers(world)).toEqual([]);
  expect(await world.desk.cutovers.live()).toMatchObject([{ state: "watching" }]);

  world.dns.says(sight);
  await later(world, teller);
  expect(await offers(world)).toHaveLength(1);
  expect(await world.desk.cutovers.live()).toMatchObject([{ state: "moved" }]);
});

test("a card that the channel refused is posted a minute later, once", async () => {
  await using world = await open();
  await watchedBy(world, () => Promise.reject(refused));
  const teller = tellerOn(world);
  await later(world, teller, minute / 2);
  expect(await cards(world)).toEqual([]);

  for (let n = 0; n < 4; n += 1) await later(world, teller);

  expect(await cards(world)).toHaveLength(1);
});

test.each<[what: string, find: Surface["find"] | null, posted: number]>([
  ["is found by its key, not posted twice, and kept as things stand", null, 1],
  ["is posted again where the platform cannot be asked", async () => null, 2],
])("a card whose answer was lost %s", async (_, find, posted) => {
  await using world = await open();
  const { post } = world.surface;
  await watchedBy(world, async (...told) => {
    await post(...told);
    throw unreachable;
  });
  expect(await cards(world)).toHaveLength(1);
  const teller = tellerOn(world, find === null ? {} : { find });
  for (let n = 0; n < 3; n += 1) await later(world, teller);
  world.dns.names(after, 300);
  await later(world, teller);

  const all = await cards(world);
  expect(all).toHaveLength(posted);
  const [edit] = await said(world, "edit", "Cutover of old.example (acme): MX moved");
  expect(edit?.thread).toBe(all.at(-1)?.thread);
});

test("a question whose answer was lost is found by its key and not asked twice", async () => {
  await using world = await open();
  await world.say("cutover watch old.example");
  let lost = true;
  const { surface } = world;
  const teller = tellerOn(world, {
    async post(...told) {
      const thread = await surface.post(...told);
      if (!lost) return thread;
      lost = false;
      throw unreachable;
    },
  });
  world.dns.names(after, 300);
  for (let n = 0; n < 4; n += 1) await later(world, teller);

  expect(lost).toBe(false);
  expect(await offers(world)).toHaveLength(1);
});

test.each([
  ["that somebody deleted is not edited again until it changes", refused, [1, 1, 2]],
  ["that was not reached is edited until it is", unreachable, [1, 4, 5]],
])("a card %s", async (_, error, [first, still, changed]) => {
  await using world = await open();
  await world.say("cutover watch old.example");
  let tried = 0;
  const teller = tellerOn(world, {
    edit() {
      tried += 1;
      return Promise.reject(error);
    },
  });
  await later(world, teller);
  expect(tried).toBe(first);
  for (let n = 0; n < 3; n += 1) await later(world, teller);
  expect(tried).toBe(still);

  world.dns.names(before, 120);
  await later(world, teller);
  expect(tried).toBe(changed);
});

test.each(["edit", "post"] as const)(
  "a limited %s is left alone as long as the platform asks, and nothing is lost",
  async (act) => {
    await using world = await open();
    await world.say("cutover watch old.example");
    const { surface } = world;
    const until = world.clock.now() + 11 * minute;
    let tried = 0;
    const limited = (said: () => Promise<unknown>): Promise<never> => {
      tried += 1;
      const retryAfterMs = until - world.clock.now();
      if (retryAfterMs <= 0) return said() as Promise<never>;
      return Promise.reject(new ChatError("slow down", "limited", { retryAfterMs }));
    };
    const teller = tellerOn(world, {
      [act]: (...told: unknown[]) =>
        limited(() => (surface[act] as (...told: unknown[]) => Promise<unknown>)(...told)),
    });
    world.dns.names(after, 300);
    await later(world, teller);
    const first = tried;
    for (let n = 0; n < 9; n += 1) await later(world, teller);
    expect([first, tried]).toEqual([1, 1]);

    // Nothing new is seen meanwhile.
    for (let n = 0; n < 8; n += 1) {
      world.clock.advance(minute);
      await teller.tick();
    }

    expect(tried).toBeGreaterThan(1);
    expect(await offers(world)).toHaveLength(1);
    const edits = await said(world, "edit", "Cutover of old.example (acme):");
    expect(edits.at(-1)?.text).toMatch(/^Cutover of old\.example \(acme\): MX moved at 10:01/);
  },
);

test("an error in one cutover keeps no other from being told, and is not swallowed", async () => {
  await using world = await open();
  for (const domain of ["old", "third"]) await world.say(`cutover watch ${domain}.example`);
  const { desk, surface } = world;
  const cutovers = {
    ...desk.cutovers,
    late: (n: number) => (n === 1 ? Promise.reject(new Error("power cut")) : desk.cutovers.late(n)),
  };
  world.dns.names(after, 300);
  world.clock.advance(minute);
  await watchDue(desk);

  const torn = makeCutoverTeller({ ...desk, cutovers }, [surface]);
  await expect(torn.tick()).rejects.toThrow("power cut");

  const domains = async () =>
    (await offers(world)).map(({ text }) => /^MX of (\S+)/.exec(text)?.[1]);
  expect(await domains()).toEqual(["third.example"]);
  await makeCutoverTeller(desk, [surface]).tick();
  expect(await domains(), "the control").toEqual(["third.example", "old.example"]);
});
