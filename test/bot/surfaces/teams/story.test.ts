import { afterEach, expect, test } from "vitest";
import { openTeams, type TeamsPlatform } from "../../../../bot/surfaces/teams/open.ts";
import { type ChatWorld, chatWorld } from "../../../doubles/chat-world.ts";
import { type FakeTeams, startFakeTeams } from "../../../servers/teams.ts";
import {
  ana,
  bo,
  channelId,
  readCard,
  type TeamsSide,
  teamsSide,
  tenant,
} from "../../../servers/teams-side.ts";
import { until } from "./stage.ts";

let world: ChatWorld;
let fake: FakeTeams;
let side: TeamsSide;

afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

async function open(): Promise<void> {
  fake = await startFakeTeams();
  fake.members.push(ana, bo);
  const opened: TeamsPlatform[] = [];
  world = await chatWorld({
    people: ["anna"],
    owners: ["teams:aad-ana"],
    platforms: [
      async (desk, clock) => {
        const log = { warn() {}, error: (facts: object) => void world.logged.push(String(facts)) };
        const parts = { contacts: desk.contacts, clock, log };
        const none = { appId: null, appPassword: null, port: 0 };
        const platform = await openTeams({ ...none, ...parts, tenantId: tenant });
        opened.push(platform);
        return platform;
      },
    ],
  });
  side = teamsSide(opened[0]?.url() ?? "", fake);
  for (let n = 0; n < 5; n += 1) {
    const letter = Buffer.from(`Subject: <at>Bo</at> ${n}\r\n\r\nhello\r\n`);
    const createdAt = world.clock.now() - (n + 1) * 40 * 24 * 3_600_000;
    world.system.deliver("anna@old.example", "INBOX", letter, { createdAt });
  }
}

/** What stands in conversations whose id holds this. */
function read(part: string): string[] {
  const found = fake.messages.filter(({ conversation }) => conversation.includes(part));
  return found.map(({ activity }) => readCard(activity.attachments).text);
}

/** Types it in the channel and waits for what is said to it anywhere. */
async function type(text: string, how: { as?: typeof ana; root?: string } = {}): Promise<string> {
  world.clock.advance(5000);
  const before = fake.messages.length;
  await side.mention(text, how);
  await until(() => fake.messages.length > before);
  return readCard(fake.messages.at(-1)?.activity.attachments).text;
}

test("a project is linked, pre-staged, watched, finished and repeated in a channel of Teams", async () => {
  await open();
  expect(await type("link acme")).toContain("acme");
  expect(await type("add bert@old.example bert@new.example")).toContain("bert@old.example");

  const verified = fake.messages.length;
  await type("verify anna@old.example");
  await world.carry();
  const checked = fake.messages.slice(verified).map(({ activity }) => activity.attachments);
  expect(checked.map((card) => readCard(card).text).join("\n")).toMatch(
    /Verify of acme.*completed/s,
  );

  world.clock.advance(60_000);
  await type("prestage 90d anna@old.example");
  const plan = fake.messages.findLast(({ conversation }) => conversation === channelId);
  const { text, buttons } = readCard(plan?.activity.attachments);
  expect(text).toContain("anna@old.example");
  expect(buttons).toEqual(["Start", "Cancel"]);
  const start = /`?(start \d+)/.exec(text)?.[1] ?? "";

  // Two people press at once: one pass.
  const at = { root: plan?.id ?? "", message: plan?.id ?? "" };
  const presses = await Promise.all([side.press(start, at), side.press(start, at)]);
  expect(presses.map((response) => response.status)).toEqual([200, 200]);
  expect(readCard(plan?.activity.attachments).buttons).toEqual([]);
  expect(readCard(plan?.activity.attachments).text).toContain("Ana Alvarez");

  world.clock.advance(5000);
  await world.narrator.tick();
  const root = fake.messages.findLast(({ conversation }) => conversation === channelId)!;
  expect(readCard(root.activity.attachments).text).toContain("queued");
  world.clock.advance(10_000);
  await world.carry();
  expect(readCard(root.activity.attachments).text).toContain("completed");
  expect(root.edits).toBeGreaterThan(0);
  const thread = `${channelId};messageid=${root.id}`;
  expect(read(thread).join("\n")).toMatch(/A license is used for anna@old\.example; 9 free/);
  expect(world.system.letters("anna@new.example", "INBOX")).toHaveLength(3);

  // A late press of what was decided is told so, to whoever pressed.
  const late = await side.press(start, { ...at, as: ana });
  expect(((await late.json()) as { value: string }).value).toMatch(/already|no plan/i);

  world.clock.advance(60_000);
  await type("full anna@old.example --yes");
  await world.carry();
  const last = fake.messages.findLast(({ conversation }) => conversation === channelId)!;
  const done = readCard(last.activity.attachments).text;
  expect(done).toContain("completed");
  expect(done).toMatch(/3/);
  expect(world.system.letters("anna@new.example", "INBOX")).toHaveLength(5);

  world.clock.advance(60_000);
  await type("delta anna@old.example");
  await world.carry();
  const delta = fake.messages.findLast(({ conversation }) => conversation === channelId)!;
  expect(readCard(delta.activity.attachments).text).toMatch(/Delta of acme.*completed/s);
  expect(world.system.letters("anna@new.example", "INBOX")).toHaveLength(5);

  const status = await type("status", { root: last.id });
  expect(status).toContain("completed");
  expect(world.logged).toEqual([]);
});

test("mistakes, strangers and guests are answered in private, and nothing is done", async () => {
  await open();
  await type("link acme");
  const before = read(channelId).length;
  expect(await type("delt")).toContain("delta");
  expect(await type("full --yes", { as: bo })).toMatch(/operator/);
  const guest = { ...bo, id: "29:guest", aadObjectId: "aad-ana", userRole: "guest" };
  fake.members.push(guest);
  expect(await type("full --yes", { as: guest })).toMatch(/guest/i);
  expect(read(channelId)).toHaveLength(before);
  expect(read("a:29:bo")).toHaveLength(1);
  await world.carry();
  expect(world.system.letters("anna@new.example", "INBOX")).toHaveLength(0);
});

test("a password travels by a form alone", async () => {
  await open();
  await type("link acme");
  await type("endpoint secret old");
  const { conversation } = fake.messages.at(-1)!;
  expect(conversation).toBe("a:29:ana");
  const place = `teams:${encodeURIComponent(channelId)}`;
  const press = { command: "endpoint secret old", place, msteams: { type: "task/fetch" } };
  const opened = await side.task("fetch", press, { chat: "a:29:ana" });
  const form = JSON.stringify(await opened.json());
  expect(form).toContain('"style":"Password"');
  const [, field = ""] = /"type":"Input\.Text","id":"([^"]+)"/.exec(form) ?? [];
  const sent = { command: "endpoint secret old", place, form: true, [field]: "hunter2-canary" };
  const answered = await side.task("submit", sent, { chat: "a:29:ana" });
  expect(readCard(await answered.json()).text).toMatch(/sealed|kept|checked|stored/i);
  const said = JSON.stringify([fake.messages, world.logged, await world.lines()]);
  expect(said).not.toContain("hunter2");
});
