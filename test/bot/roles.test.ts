import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../bot/commands/table.ts";
import type { Incoming } from "../../bot/surface.ts";
import { localSurface } from "../../bot/surfaces/local/surface.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";

/** What each command needs, said here once more so that a slip in the table is seen. */
const needs: [role: "anyone" | "viewer" | "operator" | "owner" | "everywhere", typed: string][] = [
  ["anyone", "help"],
  ["viewer", "status"],
  ["viewer", "report"],
  ["viewer", "list"],
  ["viewer", "list projects"],
  ["viewer", "project show"],
  ["viewer", "licenses"],
  ["viewer", "licenses history"],
  ["viewer", "licenses report"],
  ["viewer", "roles"],
  ["viewer", "remigration list"],
  ["viewer", "schedule list"],
  ["viewer", "remind list"],
  ["viewer", "cutover status"],
  ["viewer", "remigration show 1"],
  ["viewer", 'feedback "well done"'],
  ["operator", "link acme"],
  ["operator", "unlink"],
  ["operator", "channel"],
  ["operator", "add eve@old.example eve@new.example"],
  ["operator", "import"],
  ["operator", "verify"],
  ["operator", "trial"],
  ["operator", "prestage 90d"],
  ["operator", "full"],
  ["operator", "delta"],
  ["operator", "retry"],
  ["operator", "repair"],
  ["operator", "remigrate anna* --because config --reason x"],
  ["operator", "remigration tick 1 backup"],
  ["operator", "start 1"],
  ["operator", "cancel 1"],
  ["operator", "schedule cancel 1"],
  ["operator", "remind daily 18:00 delta"],
  ["operator", "remind run 1"],
  ["operator", "remind snooze 1"],
  ["operator", "remind skip 1"],
  ["operator", "remind cancel 1"],
  ["operator", "schedule move 1 18:00"],
  ["operator", "schedule run 1"],
  ["operator", "cutover watch old.example"],
  ["operator", "cutover done old.example"],
  ["operator", "cutover sweep"],
  ["operator", "cutover cancel old.example"],
  ["operator", "board"],
  ["operator", "board assign mx bo"],
  ["operator", "board tick mx"],
  ["operator", "board untick mx"],
  ["operator", "board remove"],
  ["operator", "approve 1"],
  ["operator", "deny 1"],
  ["operator", "pause"],
  ["operator", "resume"],
  ["operator", "stop"],
  ["operator", "project set zone UTC"],
  ["operator", "endpoint secret old anna@old.example"],
  ["owner", 'licenses add 1 --note "order 1"'],
  ["owner", "roles grant bo viewer"],
  ["owner", "roles revoke bo"],
  ["owner", "project close"],
  ["owner", "audit"],
  ["everywhere", "endpoint new x imaps://imap.example.net --login user"],
  ["everywhere", "endpoint set old imaps://imap.example.net"],
  ["everywhere", "endpoint list"],
  ["everywhere", "endpoint pace old 5"],
  ["everywhere", "endpoint secret old"],
  ["everywhere", "project new other --from old --to new"],
  ["everywhere", "queue"],
];

const ranks = ["anyone", "viewer", "operator", "owner", "everywhere"];

/** Who asks, and how far they get. */
const people = [
  { id: "U0", guest: false, given: null, rank: "anyone" },
  { id: "U1", guest: false, given: "viewer", rank: "viewer" },
  { id: "U2", guest: false, given: "operator", rank: "operator" },
  { id: "U3", guest: false, given: "owner", rank: "owner" },
  { id: "U4", guest: false, given: null, rank: "everywhere" },
  { id: "U5", guest: true, given: "owner", rank: "viewer" },
  // An owner of another project is nobody here.
  { id: "U6", guest: false, given: null, rank: "anyone" },
] as const;

/** A second platform, whose messages go into the same transcript. */
const elsewhere: Parameters<typeof chatWorld>[0] = {
  platforms: [
    async ({ transcript }) => ({
      surface: { ...localSurface(transcript), name: "elsewhere" },
      listen: async () => ({ [Symbol.asyncDispose]: async () => {} }),
      check: async () => "elsewhere",
    }),
  ],
  owners: ["local:U4", "elsewhere:U4"],
  people: ["anna"],
};

const afar = { readsThisMachine: false, cannotPost: null };

describe.each(["local", "elsewhere"])("on the surface %s", (surface) => {
  let world: ChatWorld;
  beforeAll(async () => {
    world = await chatWorld(elsewhere);
    const { desk } = world;
    const [acme] = await desk.projects.list();
    await desk.projects.link(`${surface}:main`, acme!.id);
    const other = await desk.projects.create({
      name: "globex",
      sourceEndpoint: acme!.sourceEndpoint.id,
      targetEndpoint: acme!.targetEndpoint.id,
      policy: acme!.policy,
      zone: "UTC",
    });
    await desk.people.grant(other.id, `${surface}:U6`, "owner", "local:owner");
    for (const { id, given } of people) {
      if (given !== null) await desk.people.grant(acme!.id, `${surface}:${id}`, given, "test");
    }
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const ask = (typed: string, { id, guest }: { id: string; guest: boolean }) =>
    world.say(typed, {
      surface,
      channel: `${surface}:main`,
      person: { id: `${surface}:${id}`, name: id, guest },
      capabilities: afar,
    } satisfies Partial<Incoming>);

  test.each(people)("$id ($rank) may do what that needs and nothing more", async (person) => {
    for (const [role, typed] of needs) {
      // Whoever has a role in any project may look at the list of theirs.
      const own = person.id === "U6" && ["list projects", 'feedback "well done"'].includes(typed);
      const may = own || ranks.indexOf(person.rank) >= ranks.indexOf(role);
      if (may && ranks.indexOf(role) > 1) continue;
      const { lines, result } = await ask(typed, person);
      const denied = /needs the role|is for those who stand in GODWIT_OWNERS/.test(
        lines.at(-1)?.text ?? "",
      );
      expect([typed, denied]).toEqual([typed, !may]);
      if (!may) expect(result).toBe("refused");
    }
  });

  test("an operator passes, an owner gives roles, and what is denied changes nothing", async () => {
    const operator = people[2];
    const may = needs.filter(([role]) => role === "operator").map(([, typed]) => typed);
    for (const typed of may) {
      const said = (await ask(typed, operator)).lines.map((line) => line.text).join("\n");
      expect([typed, said]).not.toEqual([typed, expect.stringContaining("needs the role")]);
      await world.desk.projects.link(`${surface}:main`, 1);
    }
    const before = await world.desk.people.grants(1);
    await ask("roles grant mallory owner", operator);
    expect(await world.desk.people.grants(1)).toEqual(before);
    await ask("roles grant mallory operator", people[3]);
    expect((await world.desk.people.grants(1)).map((one) => one.person)).toContain("local:mallory");
    await ask("roles revoke mallory", people[3]);
    expect(await world.desk.people.grants(1)).toEqual(before);
  });
});

test("every command is in the matrix", () => {
  const names = commands.map((one) => one.name);
  const typed = needs.map(([, line]) => line);
  expect(names.filter((name) => !typed.some((line) => line.startsWith(name)))).toEqual([]);
});

let world: ChatWorld;
afterEach(() => world?.[Symbol.asyncDispose]());

test("the right is asked for when a button is pressed, not when it was drawn", async () => {
  world = await chatWorld({ people: ["anna"] });
  const bo = { person: { id: "local:bo", name: "bo", guest: false } };
  await world.say("roles grant bo operator");
  await world.say("prestage 90d", bo);
  await world.say("roles revoke bo");
  expect(await world.hear("start 1", bo)).toMatch(/needs the role operator/);
  expect(await world.desk.passes.recent(1, 5)).toEqual([]);
});

test("a guest is given no more than a look", async () => {
  world = await chatWorld({
    people: ["anna"],
    platforms: [
      async ({ transcript }) => ({
        surface: {
          ...localSurface(transcript),
          name: "elsewhere",
          person: async (typed) => ({ id: `elsewhere:${typed}`, name: typed, guest: true }),
        },
        listen: async () => ({ [Symbol.asyncDispose]: async () => {} }),
        check: async () => "elsewhere",
      }),
    ],
  });
  const there = { surface: "elsewhere" };
  expect(await world.hear("roles grant gus operator", there)).toMatch(/guest.*can only look/);
  expect(await world.hear("roles grant gus viewer", there)).toMatch(/gus is now a viewer of acme/);
});

test("where the bot cannot post, nothing is done and it says what to do first", async () => {
  world = await chatWorld({ people: ["anna"] });
  const capabilities = { readsThisMachine: false, cannotPost: "I am not in this channel." };
  expect(await world.hear("verify", { capabilities })).toBe(
    "I am not in this channel. Nothing was done.",
  );
  expect((await world.say("help", { capabilities })).result).toBe("accepted");
});

test("the audit names who, what, what came of it and where it can be read", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("verify", { link: "https://chat.example/p1" });
  const [line] = (await world.say("audit")).lines;
  expect(line?.text).toMatch(/local:owner +verify +done/);
  expect(line?.extra.file).toMatchObject({
    content: expect.stringContaining("https://chat.example/p1"),
  });
});
