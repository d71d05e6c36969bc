import type { Page as Tab } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { servePage } from "../../../bot/surfaces/local/page/serve.ts";
import { wallClock } from "../../../engine/domain/clock.ts";
import { bullmqQueue } from "../../../engine/queues/bullmq.ts";
import { testPace } from "../../contracts/queue-pace.ts";
import { chatWorld } from "../../doubles/chat-world.ts";
import { type Browser, openBrowser } from "../../servers/browser.ts";
import { type RedisServer, startRedis } from "../../servers/redis.ts";
import { owner, type Served, served } from "./served.ts";

let browser: Browser;
let redis: RedisServer;
let it: Served;
let complaints: string[] = [];
let asked = new Set<string>();
beforeAll(async () => {
  redis = await startRedis();
  it = await served(redis.url);
  for (const run of [41, 42]) await it.queue.ring(run, run);
  browser = await openBrowser({ viewport: { width: 1100, height: 700 } });
  browser.context.on("page", watched);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await it[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});
afterEach(() => {
  complaints = [];
  asked = new Set();
});

/** What the browser complains of, and whom it asks. */
function watched(tab: Tab): void {
  tab.on("console", (said) => {
    if (said.type() === "error") complaints.push(said.text());
  });
  tab.on("pageerror", (error) => complaints.push(error.message));
  tab.on("request", (request) => {
    if (!request.url().startsWith("data:")) asked.add(new URL(request.url()).origin);
  });
}

const enter = (tab: Tab) => tab.getByRole("button", { name: "Open the board" }).click();

test("a browser draws the runs that were rung for, asks nobody else and complains of nothing", async () => {
  const tab = await browser.context.newPage();
  await tab.goto(it.board.invite(owner));
  await enter(tab);
  await tab.getByText("Runs that were rung for").click();
  await tab.getByText("run-42", { exact: true }).waitFor();
  await tab.getByText("run-41", { exact: true }).waitFor();

  expect(await tab.title()).toBe("Godwit's queue");
  // Nothing that would change the queue is offered.
  for (const name of [/retry/i, /add/i, /empty/i, /pause/i, /clean/i, /promote/i, /remove/i]) {
    expect(await tab.getByRole("button", { name }).count(), String(name)).toBe(0);
  }
  expect(complaints).toEqual([]);
  expect([...asked]).toEqual([it.board.origin]);

  // The controls: what is elsewhere's is not let through, and is complained of.
  await tab.evaluate("fetch('https://elsewhere.example/').catch(() => {})");
  await tab.evaluate("document.body.innerHTML = '<style>a {}</style>'");
  await expect.poll(() => complaints.join("\n")).toMatch(/connect-src.*style-src/s);
  await tab.close();
});

test("from `queue` typed in the page to the board is a press of two buttons", async () => {
  await using stack = new AsyncDisposableStack();
  const queue = bullmqQueue(redis.url, { info() {}, warn() {} }, testPace);
  const world = stack.use(await chatWorld({ queue, board: it.board }));
  const page = stack.use(
    await servePage({
      transcript: world.desk.transcript,
      handle: (heard) => world.bot.handle(heard),
      ...{ port: 0, clock: wallClock, log: { error() {} }, lookMs: 20 },
    }),
  );
  const tab = await browser.context.newPage();
  await tab.goto(page.url);
  await tab.getByLabel("Command").fill("queue");
  await tab.getByLabel("Command").press("Enter");
  await tab.getByText("2 rings wait, 0 being answered").waitFor();

  const [board] = await Promise.all([
    browser.context.waitForEvent("page"),
    tab.getByRole("link", { name: "Open the queue's board" }).click(),
  ]);
  await enter(board);

  await board.getByText("Runs that were rung for").waitFor();
  expect(new URL(board.url()).href).toBe(`${it.board.origin}/`);
  expect(complaints).toEqual([]);
});
