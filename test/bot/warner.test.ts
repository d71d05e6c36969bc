import { describe, expect, test } from "vitest";
import { ChatError, type Surface } from "../../bot/surface.ts";
import { makeWarner } from "../../bot/warner.ts";
import { presets } from "../../engine/domain/policy.ts";
import type { Project } from "../../engine/domain/project.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";

const hour = 60 * 60 * 1000;
const day = 24 * hour;
const windows = /Windows of deltas end soon|The window of deltas is over/;
const short = /Licenses run out/;

describe("the end of a window", () => {
  test("is spoken of two weeks, a week, three days and a day before, and when it came, once each", async () => {
    await using world = await carried(["anna"]);
    const { tick, until } = await watched(world);

    const told: number[] = [];
    for (; world.clock.now() < until + 20 * day; world.clock.advance(6 * hour)) {
      const before = Math.ceil((until - world.clock.now()) / day);
      for (const _line of await tick()) told.push(before || 0);
    }

    expect(told).toEqual([14, 7, 3, 1, 0]);
  });

  test("names who it is for, when, and what to type", async () => {
    await using world = await carried(["anna", "bob"]);
    const { tick, until } = await watched(world);
    world.clock.advance(until - 14 * day - world.clock.now());
    expect(await tick()).toEqual([]);
    world.clock.advance(hour);

    const [line, ...others] = await tick();

    expect(others).toEqual([]);
    expect(line?.text).toMatch(
      /^Windows of deltas end soon: anna@old\.example, bob@old\.example, the first at .*Type `delta` before\.$/,
    );
    world.clock.advance(15 * day);
    expect((await tick()).map(({ text }) => text)).toEqual([
      "The window of deltas is over for anna@old.example, bob@old.example.",
    ]);
  });

  test("is told in each linked channel", async () => {
    await using world = await carried(["anna"]);
    const { tick, until, project } = await watched(world);
    await world.desk.projects.link("local:second", project.id);
    // Nobody speaks there in this process.
    await world.desk.projects.link("slack:C1", project.id);
    world.clock.advance(until - 7 * day - world.clock.now() + hour);

    const lines = await tick();

    expect(channels(lines)).toEqual(["local:main", "local:second"]);
    expect(new Set(lines.map(({ text }) => text)).size).toBe(1);
    // One that is linked later hears of what is still to come as well.
    await world.desk.projects.link("local:third", project.id);
    world.clock.advance(hour);
    expect(channels(await tick())).toEqual(["local:third"]);
  });

  test("is not told again after a restart", async () => {
    await using world = await carried(["anna"]);
    const { tick, until } = await watched(world);
    world.clock.advance(until - 3 * day - world.clock.now() + hour);
    expect(await tick()).toHaveLength(1);

    const again = await watched(world);

    expect(await again.tick()).toEqual([]);
    world.clock.advance(2 * day);
    expect(await again.tick()).toHaveLength(1);
  });

  test("is nothing to a project that is closed or whose windows never end", async () => {
    await using world = await carried(["anna"]);
    const { tick, until, project } = await watched(world);
    const { projects } = world.desk;
    world.clock.advance(until - day - world.clock.now() + hour);
    await projects.change(project.id, { closed: true });
    expect(await tick()).toEqual([]);
    await projects.change(project.id, { closed: false, policy: presets.rackspace });
    world.clock.advance(hour);
    expect(await tick()).toEqual([]);

    await projects.change(project.id, { policy: presets.cloudiway });
    world.clock.advance(hour);

    expect(await tick()).toHaveLength(1);
  });
});

test("a window is spoken of by itself after another's is over", async () => {
  await using world = await carried(["anna"]);
  await world.say("add bob@old.example bob@new.example");
  world.clock.advance(20 * day);
  await carry(world, "bob");
  const { tick, until } = await watched(world);
  world.clock.advance(until + hour - world.clock.now());
  expect(await tick()).toHaveLength(1);

  const told: number[] = [];
  for (; world.clock.now() < until + 30 * day; world.clock.advance(6 * hour)) {
    const before = Math.ceil((until + 20 * day - world.clock.now()) / day);
    for (const { text } of await tick()) if (text.includes("bob@")) told.push(before || 0);
  }

  expect(told).toEqual([14, 7, 3, 1, 0]);
});

describe("licenses that run out", () => {
  test("are spoken of after the first was used, and once for each number owned", async () => {
    await using world = await chatWorld({ people: ["anna", "bob", "carl"], licenses: 2 });
    const { tick } = await watched(world);
    // The plan says it before the first pass.
    expect(await tick()).toEqual([]);
    await carry(world, "anna");
    world.clock.advance(hour);
    expect((await tick()).map(({ text }) => text)).toEqual([
      'Licenses run out: 1 free, and 2 mailboxes have none yet. Type `licenses add 1 --note "order number"`.',
    ]);
    await carry(world, "bob");
    world.clock.advance(hour);
    expect(await tick()).toEqual([]);

    await world.say('licenses add 1 --note "order 4712"');
    world.clock.advance(hour);
    expect(await tick()).toEqual([]);
    await world.say("add dora@old.example dora@new.example");
    world.clock.advance(hour);
    expect((await tick()).map(({ text }) => text)).toEqual([expect.stringMatching(short)]);
    const again = await watched(world);
    expect(await again.tick()).toEqual([]);
  });
});

test("a channel that cannot be posted to is asked again at the next look, and the others are not", async () => {
  await using world = await carried(["anna"]);
  const refusing = new Set(["local:second"]);
  const asked: string[] = [];
  const surface: Surface = {
    ...world.surface,
    post(channel, message, key) {
      asked.push(channel);
      if (refusing.has(channel)) throw new ChatError("not now", "unreachable");
      return world.surface.post(channel, message, key);
    },
  };
  const { tick, until, project } = await watched(world, surface);
  await world.desk.projects.link("local:second", project.id);
  await world.desk.projects.link("local:third", project.id);
  world.clock.advance(until - 7 * day - world.clock.now() + hour);
  expect(channels(await tick())).toEqual(["local:main", "local:third"]);
  expect(asked.splice(0).toSorted()).toEqual(["local:main", "local:second", "local:third"]);
  // Not before an hour is over.
  world.clock.advance(hour - 1);
  await tick();
  expect(asked).toEqual([]);
  world.clock.advance(1);
  expect(await tick()).toEqual([]);
  expect(asked.splice(0)).toEqual(["local:second"]);

  refusing.clear();
  world.clock.advance(hour);

  expect(channels(await tick())).toEqual(["local:second"]);
  world.clock.advance(hour);
  expect(await tick()).toEqual([]);
});

test("a fault of ours is thrown, and its warning is told when it is mended", async () => {
  await using world = await carried(["anna"]);
  let broken = true;
  const surface: Surface = {
    ...world.surface,
    async post(...said) {
      if (broken) throw new TypeError("ours");
      return world.surface.post(...said);
    },
  };
  const { tick, until } = await watched(world, surface);
  world.clock.advance(until - day - world.clock.now() + hour);

  await expect(tick()).rejects.toThrow("ours");

  broken = false;
  world.clock.advance(hour);
  expect(await tick()).toHaveLength(1);
});

/** A world whose deltas end after 90 days, with these carried once. */
async function carried(people: string[]): Promise<ChatWorld> {
  const world = await chatWorld({ people });
  const [project] = await world.desk.projects.list();
  await world.desk.projects.change(project!.id, { policy: presets.cloudiway });
  for (const one of people) await carry(world, one);
  return world;
}

async function carry(world: ChatWorld, name: string): Promise<void> {
  world.system.deliver(
    `${name}@old.example`,
    "INBOX",
    Buffer.from(`Subject: ${name}\r\n\r\n1\r\n`),
  );
  expect((await world.say(`full ${name}@old.example --yes`)).result).toBe("accepted");
  await world.carry();
}

/** A warner of the world's own, what each of its looks says, and when the first window ends. */
async function watched(
  world: ChatWorld,
  surface: Surface = world.surface,
): Promise<{
  tick(): Promise<Awaited<ReturnType<ChatWorld["lines"]>>>;
  until: number;
  project: Project;
}> {
  const warner = makeWarner(world.desk, [surface], world.clock);
  const [project] = await world.desk.projects.list();
  const [first] = await world.desk.projects.entries(project!.id);
  return {
    project: project!,
    until: (first?.firstSuccessAt ?? 0) + 90 * day,
    async tick() {
      const before = await world.desk.transcript.last();
      await warner.tick();
      const lines = await world.desk.transcript.after(before, 1000);
      return lines.filter(({ text }) => windows.test(text) || short.test(text));
    },
  };
}

const channels = (lines: { thread: string }[]) =>
  lines.map(({ thread }) => thread.split(":").slice(0, 2).join(":")).toSorted();
