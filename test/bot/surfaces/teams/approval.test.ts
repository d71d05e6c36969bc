import { afterEach, expect, test } from "vitest";
import { openTeams, type TeamsPlatform } from "../../../../bot/surfaces/teams/open.ts";
import { type ChatWorld, chatWorld } from "../../../doubles/chat-world.ts";
import {
  type FakeMember,
  type FakeTeams,
  type Kept,
  startFakeTeams,
} from "../../../servers/teams.ts";
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

const day = 24 * 60 * 60 * 1000;
const member = (id: string, name: string): FakeMember => ({
  ...bo,
  id: `29:${id}`,
  aadObjectId: `aad-${id}`,
  name,
  email: `${id}@corp.example`,
});
const cy = member("cy", "Cy Cole");
const mal = member("mal", "Mal Moore");

let world: ChatWorld;
let fake: FakeTeams;
let side: TeamsSide;

afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

/** A channel about acme where adding licenses takes two; ana, bo and cy own it, mal is nobody there. */
async function open(): Promise<void> {
  fake = await startFakeTeams();
  fake.members.push(ana, bo, cy, mal);
  const opened: TeamsPlatform[] = [];
  world = await chatWorld({
    people: ["anna"],
    owners: ["teams:aad-ana"],
    platforms: [
      async (desk, clock) => {
        const log = { warn() {}, error: (facts: object) => void world.logged.push(String(facts)) };
        const none = { appId: null, appPassword: null, port: 0 };
        const parts = { contacts: desk.contacts, clock, log, tenantId: tenant };
        const platform = await openTeams({ ...none, ...parts });
        opened.push(platform);
        return platform;
      },
    ],
  });
  side = teamsSide(opened[0]?.url() ?? "", fake);
  await type("link acme");
  for (const { aadObjectId } of [bo, cy]) {
    await world.desk.people.grant(1, `teams:${aadObjectId}`, "owner", "teams:aad-ana");
  }
  await type("project set secondPerson.grants on");
}

/** Types it in the channel as ana and waits for what is said to it. */
async function type(text: string): Promise<Kept> {
  world.clock.advance(5000);
  const before = fake.messages.length;
  await side.mention(text);
  await until(() => fake.messages.length > before);
  return fake.messages.at(-1)!;
}

async function ask(n: number): Promise<Kept> {
  const card = await type('licenses add 5 --note "order 4712"');
  expect(card.conversation).toBe(channelId);
  expect(readCard(card.activity.attachments).buttons).toEqual(["Approve", "Deny"]);
  expect(drawn(card, "Approve")).toEqual({ command: `approve ${n}` });
  return card;
}

/** What a button in a card brings back, as the card has it. */
function drawn({ activity }: Kept, label: string): { command: string; place?: string } {
  const [attachment] = activity.attachments as { content: { actions?: unknown[] } }[];
  const actions = (attachment?.content.actions ?? []) as {
    type: string;
    title: string;
    data: { command: string };
  }[];
  const found = actions.find(({ title }) => title === label);
  if (found?.type !== "Action.Execute") throw new Error(`There is no button ${label}.`);
  return found.data;
}

/** Presses what was drawn, and answers what is shown to the presser. */
async function press(
  { command, place }: { command: string; place?: string },
  { id }: Kept,
  who: FakeMember,
): Promise<string> {
  const at = { root: id, message: id, as: who };
  const response = await side.press(command, { ...at, ...(place === undefined ? {} : { place }) });
  expect(response.status).toBe(200);
  return ((await response.json()) as { value: string }).value;
}

const owned = async () => (await world.desk.licenses.balance(1)).owned;

test("a request in Teams is approved by the press of a second person, once, within its day", async () => {
  await open();
  const card = await ask(1);
  const [approve, deny] = [drawn(card, "Approve"), drawn(card, "Deny")];

  expect(await press(approve, card, mal)).toMatch(/needs the role operator, and you have none/);
  expect(await press(deny, card, mal)).toMatch(/needs the role operator, and you have none/);
  expect(await press(approve, card, ana)).toMatch(/You asked for request 1 yourself/);
  expect(await owned()).toBe(10);
  expect([card.edits, readCard(card.activity.attachments).buttons.length]).toEqual([0, 2]);

  world.clock.advance(60_000);
  await press(approve, card, bo);
  expect(readCard(card.activity.attachments)).toEqual({
    text: expect.stringMatching(
      /^Request 1, 5 licenses for acme \(order 4712\), by Ana Alvarez: approved by Bo Berg at \d\d:\d\d:\d\d\.$/,
    ),
    buttons: [],
  });
  const done = fake.messages.at(-1)!;
  expect(done.conversation).toBe(channelId);
  expect(readCard(done.activity.attachments).text).toMatch(
    /^5 licenses added to acme by Ana Alvarez/,
  );
  expect(await owned()).toBe(15);

  // Their client showed the old card a little longer.
  expect(await press(deny, card, cy)).toMatch(/Request 1 was approved by Bo Berg at .* already/);
  expect(await owned()).toBe(15);

  const second = await ask(2);
  const both = drawn(second, "Approve");
  const told = await Promise.all([press(both, second, bo), press(both, second, cy)]);
  expect(told.filter((text) => /Request 2 was approved by .* already/.test(text))).toHaveLength(1);
  expect(await owned()).toBe(20);
  expect(readCard(second.activity.attachments).buttons).toEqual([]);

  const third = await ask(3);
  world.clock.advance(day);
  expect(await press(drawn(third, "Approve"), third, bo)).toMatch(
    /No request 3 waits here, or it is older than a day/,
  );
  expect(await owned()).toBe(20);
  expect(world.logged).toEqual([]);
});

test("a press that approves and one that denies at the same moment are one decision", async () => {
  await open();
  const card = await ask(1);
  const [approve, deny] = [drawn(card, "Approve"), drawn(card, "Deny")];
  const told = await Promise.all([press(approve, card, bo), press(deny, card, cy)]);
  expect(told.filter((text) => /already/.test(text))).toHaveLength(1);
  const { what } = (await world.desk.approvals.look(1))!.chosen!;
  expect(await owned()).toBe(what === "approve" ? 15 : 10);
  expect(readCard(card.activity.attachments).text).toMatch(
    what === "approve" ? /approved by Bo Berg/ : /denied by Cy Cole/,
  );
});

test("a guest who holds a role approves nothing", async () => {
  await open();
  const card = await ask(1);
  const guest = { ...member("gus", "Gus"), userRole: "guest" };
  fake.members.push(guest);
  await world.desk.people.grant(1, "teams:aad-gus", "owner", "teams:aad-ana");
  expect(await press(drawn(card, "Approve"), card, guest)).toMatch(/guest/);
  expect(await owned()).toBe(10);
});
