import type { Page as Tab } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { localPerson } from "../../../bot/surfaces/local/chat.ts";
import { servePage } from "../../../bot/surfaces/local/page/serve.ts";
import { wallClock } from "../../../engine/domain/clock.ts";
import { type ChatWorld, chatWorld } from "../../doubles/chat-world.ts";
import { hostile } from "../../doubles/hostile.ts";
import { type Browser, openBrowser } from "../../servers/browser.ts";

const day = 24 * 60 * 60 * 1000;

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser({ viewport: { width: 1000, height: 800 } });
});
afterAll(() => browser[Symbol.asyncDispose]());

let world: ChatWorld;
let stack: AsyncDisposableStack;
let url: string;
let tabs: Tab[];
let complaints: string[];

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  world = stack.use(await chatWorld({ people: ["anna"] }));
  for (const line of [
    "roles grant bo owner",
    "roles grant cy owner",
    "project set secondPerson.grants on",
  ]) {
    await world.say(line);
  }
  complaints = [];
  tabs = [];
  const page = await servePage({
    transcript: world.desk.transcript,
    handle: (heard) => world.bot.handle(heard),
    port: 0,
    clock: wallClock,
    log: { error: (facts) => complaints.push(String(facts.err)) },
    lookMs: 20,
  });
  stack.use(page);
  url = page.url;
});
afterEach(async () => {
  for (const tab of tabs) await tab.close();
  await stack.disposeAsync();
  expect(complaints).toEqual([]);
});

/** Somebody before the page. */
async function sits(name: string): Promise<Tab> {
  const tab = await browser.context.newPage();
  tabs.push(tab);
  tab.on("console", (said) => {
    if (said.type() === "error") complaints.push(said.text());
  });
  tab.on("pageerror", (error) => complaints.push(error.message));
  await tab.goto(url);
  await tab.getByText("live", { exact: true }).waitFor();
  await speaksAs(tab, name);
  return tab;
}

async function speaksAs(tab: Tab, name: string): Promise<void> {
  await tab.getByLabel("Speaking as").fill(name);
  await tab.getByLabel("Speaking as").press("Enter");
}

async function type(tab: Tab, text: string): Promise<void> {
  await tab.getByLabel("Command").fill(text);
  await tab.getByLabel("Command").press("Enter");
}

const cardIn = (tab: Tab, n: number) =>
  tab.locator(".root", { hasText: new RegExp(`approve ${n}|Request ${n},`) }).first();
const buttonIn = (tab: Tab, n: number, label: string) =>
  cardIn(tab, n).getByRole("button", { name: label, exact: true });
const sees = (tab: Tab, text: string | RegExp) => tab.getByText(text).last().waitFor();
const owned = async () => (await world.desk.licenses.balance(1)).owned;

test("a request on the page is approved by the press of a second person, once, within its day", async () => {
  const [owner, bo, cy] = [await sits("owner"), await sits("mallory"), await sits("cy")];
  await type(owner, 'licenses add 5 --note "order 4712"');
  await sees(owner, /a second person types/);

  await buttonIn(bo, 1, "Approve").click();
  await sees(bo, /needs the role operator, and you have none/);
  await buttonIn(owner, 1, "Approve").click();
  await sees(owner, /You asked for request 1 yourself/);
  await speaksAs(bo, "bo");
  await buttonIn(bo, 1, "Approve").waitFor();
  expect(await bo.getByText(/You asked for request 1|needs the role/).count()).toBe(0);
  expect(await owned()).toBe(10);

  // What a screen still shows that heard nothing since.
  const stale = await buttonIn(cy, 1, "Deny").elementHandle();
  await buttonIn(bo, 1, "Approve").click();
  for (const tab of [owner, bo, cy]) {
    await sees(tab, /Request 1, .* by local:owner: approved by local:bo at 13:00:00/);
    await sees(tab, /5 licenses added to acme by local:owner/);
    expect(await buttonIn(tab, 1, "Approve").count()).toBe(0);
  }
  expect(await owned()).toBe(15);
  await stale?.evaluate((button) => (button as unknown as { click(): void }).click());
  await sees(cy, /Request 1 was approved by local:bo at 13:00:00 already/);

  await type(owner, 'licenses add 5 --note "order 4713"');
  await Promise.all([bo, cy].map((tab) => buttonIn(tab, 2, "Approve").waitFor()));
  await Promise.all(
    [bo, cy].map(async (tab) => {
      const drawn = await buttonIn(tab, 2, "Approve").elementHandle();
      await drawn?.evaluate((button) => (button as unknown as { click(): void }).click());
    }),
  );
  await sees(owner, /Request 2, .*approved by local:(bo|cy)/);
  await expect
    .poll(async () => (await world.desk.audit.recent(1, 20)).filter(isLate).length)
    .toBe(1);
  expect(await owned()).toBe(20);

  await type(owner, 'licenses add 5 --note "order 4714"');
  await buttonIn(bo, 3, "Approve").waitFor();
  world.clock.advance(day);
  await buttonIn(bo, 3, "Approve").click();
  await sees(bo, /No request 3 waits here, or it is older than a day/);
  expect(await owned()).toBe(20);
  expect(world.logged).toEqual([]);
}, 60_000);

const isLate = ({ did, outcome }: { did: string; outcome: string }) =>
  did === "approve 2" && outcome === "refused";

test("the one who asked takes it back by a press, and the buttons are gone for everybody", async () => {
  const [owner, bo] = [await sits("owner"), await sits("bo")];
  await type(owner, 'licenses add 5 --note "order 4712"');
  await buttonIn(bo, 1, "Approve").waitFor();
  await buttonIn(owner, 1, "Deny").click();
  for (const tab of [owner, bo]) {
    await sees(tab, /denied by local:owner at 13:00:00\. Nothing was done/);
    expect(await buttonIn(tab, 1, "Approve").count()).toBe(0);
  }
  expect(await owned()).toBe(10);
});

test("hostile notes do not come alive in a request", async () => {
  const bo = await sits("bo");
  let asked = 0;
  for (const note of hostile.filter((text) => !/["\n]/.test(text))) {
    const { result } = await world.say(`licenses add 5 --note "${note}"`, {
      person: localPerson("owner"),
    });
    if (result === "accepted") asked += 1;
  }
  expect(asked).toBeGreaterThan(20);
  await buttonIn(bo, asked, "Approve").waitFor();
  const log = bo.locator("#log");
  expect(await log.locator("a, img, script, iframe, svg").count()).toBe(0);
  expect(await log.locator("b, strong, em, i, h1").count()).toBe(0);
  expect(await log.getByRole("button", { name: "Approve", exact: true }).count()).toBe(asked);
}, 30_000);
