import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page as Tab } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { servePage } from "../../../bot/surfaces/local/page/serve.ts";
import { wallClock } from "../../../engine/domain/clock.ts";
import { type ChatWorld, chatWorld } from "../../doubles/chat-world.ts";
import { hostile } from "../../doubles/hostile.ts";
import { type Browser, openBrowser } from "../../servers/browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser({ viewport: { width: 1000, height: 800 } });
});
afterAll(() => browser[Symbol.asyncDispose]());

let world: ChatWorld;
let stack: AsyncDisposableStack;
let tab: Tab;
/** What the browser complained of: broken policies, missing files, errors in scripts. */
let complaints: string[];

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  world = stack.use(await chatWorld({ people: ["anna", "bob"] }));
  const page = stack.use(
    await servePage({
      transcript: world.desk.transcript,
      handle: (heard) => world.bot.handle(heard),
      port: 0,
      clock: wallClock,
      log: { error: (facts) => complaints.push(String(facts.err)) },
      lookMs: 20,
    }),
  );
  tab = await browser.context.newPage();
  complaints = [];
  tab.on("console", (said) => {
    if (said.type() === "error") complaints.push(said.text());
  });
  tab.on("pageerror", (error) => complaints.push(error.message));
  await tab.goto(page.url);
  await tab.getByText("live", { exact: true }).waitFor();
});
afterEach(async () => {
  await tab.close();
  await stack.disposeAsync();
  expect(complaints).toEqual([]);
});

async function type(text: string): Promise<void> {
  await tab.getByLabel("Command").fill(text);
  await tab.getByLabel("Command").press("Enter");
}

/** Run in the browser: whether anything reaches out of the window. */
const tooWide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";

const sees = (text: string | RegExp) => tab.getByText(text).last().waitFor();

function mail(who: string, count: number, days: number): void {
  for (let n = 0; n < count; n += 1) {
    world.system.deliver(
      `${who}@old.example`,
      "INBOX",
      Buffer.from(`Subject: ${n}\r\n\r\nhi\r\n`),
      {
        createdAt: world.clock.now() - (days + n) * 24 * 60 * 60 * 1000,
      },
    );
  }
}

test("a migration from the first command to the second delta, told as it goes", async () => {
  mail("anna", 30, 100);
  mail("bob", 12, 10);
  await type("link acme");
  await sees(/This channel is now about acme/);
  await type("add carla@old.example carla@new.example");
  await sees(/Added 1 mailbox to acme/);
  await type("verify");
  await sees(/uses no license/);
  await world.carry();
  await sees(/3 of 3 mailboxes can be opened at both ends/);

  await type("prestage 90d");
  const plan = tab.locator(".root", { hasText: "Nothing has started" });
  await plan.getByRole("button", { name: "Start", exact: true }).click();
  await sees(/started by local:owner at .* as pass 2/);
  expect(await tab.getByRole("button", { name: "Start", exact: true }).count()).toBe(0);

  await world.narrator.tick();
  const pass = tab.locator(".root", { hasText: "Pre-stage of acme, mail before" }).last();
  await pass.getByRole("button", { name: "Pause" }).waitFor();
  // Part of the way: the same message says how far it is.
  await world.run(1);
  world.clock.advance(6000);
  await world.narrator.tick();
  await pass
    .getByText(/processing|queued/)
    .first()
    .waitFor();
  await world.carry();
  await pass
    .getByText(/: completed/)
    .first()
    .waitFor();
  await pass.getByText("A license is used for anna@old.example").waitFor();
  await pass.getByText("30", { exact: true }).first().waitFor();

  await type("delta --yes");
  await sees(/Delta of acme, 3 mailboxes, pass 3/);
  await world.carry();
  await sees(/12 migrated .*30 already there/);

  await pass.getByRole("button", { name: "Reply in thread" }).click();
  await type("status");
  expect(await pass.locator(".thread li").last().textContent()).toMatch(/Pre-stage of acme/);
  await tab.getByRole("button", { name: "Leave the thread" }).click();

  await type("prestge 90d");
  await sees("prestage");
  await sees(/Nothing was done/);
}, 60_000);

test("another person is refused what is not theirs, and sees nothing private of others", async () => {
  await type("licenses");
  await sees(/Licenses of acme/);
  await tab.getByLabel("Speaking as").fill("mallory");
  await tab.getByLabel("Speaking as").press("Enter");
  await tab.getByLabel("Command").click();
  await sees(/Added 1 mailbox to acme/);
  expect(await tab.getByText(/Licenses of acme/).count()).toBe(0);
  await type("delta --yes");
  await sees(/needs the role operator/);
});

test("a password goes through the form and is nowhere else", async () => {
  const password = "correct-horse-4711";
  await type("endpoint secret old");
  const field = tab.getByLabel(/^Password/);
  expect(await field.getAttribute("type")).toBe("password");
  await field.fill(password);
  await tab.getByRole("button", { name: "Seal it" }).click();
  await sees(/The password of old is sealed/);
  expect(await tab.content()).not.toContain(password);
  expect(await field.count()).toBe(0);
  const kept = [await world.lines(), await world.desk.audit.recent(null, 100), world.logged];
  expect(JSON.stringify(kept)).not.toContain(password);
  expect((await world.desk.projects.endpoint("old"))?.masterPassword?.reveal()).toBe(password);
});

test("a list of mailboxes is sent as a file, a report comes back as one", async () => {
  await type("import");
  await tab.getByText("A CSV file whose first line").waitFor();
  await tab.locator("input[type=file]").setInputFiles({
    name: "list.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("source,target\ndora@old.example,dora@new.example\n"),
  });
  await tab.getByRole("button", { name: "Import" }).click();
  await sees(/Imported 1 mailbox into acme/);
  await type("full --yes");
  await sees(/It is in the queue/);
  await world.carry();
  await type("report");
  const saving = tab.waitForEvent("download");
  await tab.getByText("Save acme-pass-1.csv").click();
  const saved = await readFile(await (await saving).path(), "utf8");
  expect(saved).toContain("dora@old.example,completed");
});

test("a report is shown in pictures that say what they show, read on a phone by scrolling with keys", async () => {
  mail("anna", 3, 100);
  await type("link acme");
  await sees(/is now about acme/);
  await type("full --yes");
  await sees(/It is in the queue/);
  await world.carry();
  await type("report");
  await sees("acme in pictures");
  const pictures = tab.locator("figure img");
  expect(await pictures.count()).toBe(3);
  expect(await pictures.nth(0).getAttribute("alt")).toContain("Passes by mailbox: 2 mailboxes");
  // Run in the browser: whether each was decoded.
  const drawn = "[...document.images].every((one) => one.complete && one.naturalWidth > 500)";
  await expect.poll(() => tab.evaluate(drawn)).toBe(true);
  expect(await tab.evaluate(tooWide)).toBe(false);

  await tab.setViewportSize({ width: 360, height: 740 });
  expect(await tab.evaluate(tooWide)).toBe(false);
  const frame = tab.getByRole("figure", { name: "Passes of acme" });
  await frame.focus();
  await tab.keyboard.press("ArrowRight");
  await expect.poll(() => tab.evaluate("document.activeElement.scrollLeft")).toBeGreaterThan(0);
});

test("nothing hostile comes alive", async () => {
  const { surface } = world;
  for (const text of hostile) {
    const thread = await surface.post("local:main", {
      text,
      title: text,
      facts: { [text]: text },
      table: { columns: [text], rows: [[text]] },
      notes: [text],
    });
    await surface.reply(thread, { text });
  }
  await surface.post("local:main", { text: "That was all." });
  await sees("That was all.");
  expect(await tab.locator("#log").locator("a, img, script, iframe").count()).toBe(0);
  expect(await tab.locator("#log").locator("b, strong, em, i, h1").count()).toBe(0);
  expect(await tab.evaluate(tooWide)).toBe(false);
}, 30_000);

test("a message of another day says which", async () => {
  const day = 24 * 60 * 60 * 1000;
  const when = () => tab.locator(".root time").first().textContent();
  await tab.clock.setFixedTime(world.clock.now());
  await world.surface.post("local:main", { text: "First." });
  await sees("First.");
  const before = await when();
  await tab.clock.setFixedTime(world.clock.now() + day);
  await world.surface.post("local:main", { text: "Second." });
  await sees("Second.");

  expect(before).not.toContain("Nov");
  expect(await when()).toContain("Nov");
});

test("what stands beside each other in a wide window stands below each other on a phone", async () => {
  const rows = [["✔ Delta", "14 of 14 mailboxes since the change", "bo", "T+2 h"]];
  const table = { columns: ["step", "state", "owner", "due"], rows };
  await world.surface.post("local:main", { text: "Board.", title: "Board", table });
  await sees("Board");
  const top = async (text: string) => (await tab.getByText(text).last().boundingBox())?.y ?? 0;

  const wide = (await top("14 of 14 mailboxes")) - (await top("✔ Delta"));
  await tab.setViewportSize({ width: 390, height: 844 });
  const narrow = (await top("14 of 14 mailboxes")) - (await top("✔ Delta"));

  expect(Math.abs(wide)).toBeLessThan(5);
  expect(narrow).toBeGreaterThan(10);
  expect(await tab.evaluate(tooWide)).toBe(false);
});

test("a phone shows all of it, by keys alone it can be used, and the line keeps the focus", async () => {
  await tab.setViewportSize({ width: 360, height: 740 });
  await type("prestage 90d");
  await sees(/Nothing has started/);
  expect(await tab.evaluate(tooWide)).toBe(false);
  for (let n = 0; n < 30; n += 1) {
    if ((await tab.locator(":focus").textContent()) === "Start") break;
    await tab.keyboard.press("Shift+Tab");
  }
  await tab.keyboard.press("Enter");
  await sees(/started by local:owner/);
  await tab.getByLabel("Command").focus();
  await tab.keyboard.press("ArrowUp");
  expect(await tab.getByLabel("Command").inputValue()).toBe("prestage 90d");
});

test("words stand out from their ground by 4.5 to 1 and more, by day and by night", async () => {
  const css = await readFile(
    join(import.meta.dirname, "../../../bot/surfaces/local/page/client/page.css"),
    "utf8",
  );
  const themes = [...css.matchAll(/:root \{([^}]*)\}/g)].map(
    ([, body = ""]) =>
      new Map(
        [...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]),
      ),
  );
  expect(themes).toHaveLength(2);
  const grounds = [
    "ground",
    "sheet",
    "private-ground",
    "good-ground",
    "warning-ground",
    "bad-ground",
  ];
  for (const theme of themes) {
    const pairs = [
      ...grounds.flatMap((ground) => [
        ["text", ground],
        ["subtle", ground],
        ["accent", ground],
      ]),
      ["on-accent", "accent"],
      ["on-accent", "accent-deep"],
      ["good", "good-ground"],
      ["warning", "warning-ground"],
      ["bad", "bad-ground"],
      ["bad", "sheet"],
    ];
    const low = pairs.filter(
      ([word, ground]) => contrast(theme.get(word!) ?? "", theme.get(ground!) ?? "") < 4.5,
    );
    expect(low).toEqual([]);
  }
  // What is too faint is found to be.
  expect(contrast("#999999", "#ffffff")).toBeLessThan(4.5);
});

/** Contrast by WCAG 2.2. */
function contrast(one: string, other: string): number {
  const light = (hex: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high = 0, low = 0] = [light(one), light(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

test("while the database is away the page says so, and leaves the line to be sent again", async () => {
  const mend = await world.failDisk();
  await type("list");
  await sees(/^The database's file cannot be .* Nothing was done: type it again then\.$/);
  expect(await tab.getByLabel("Command").inputValue()).toBe("list");
  await mend();
  await tab.getByLabel("Command").press("Enter");
  await sees(/bob@old\.example/);

  expect(await tab.getByText("Nothing was done").isVisible()).toBe(false);
  // The browser's own word on an answer of 503, and the bot's in the log.
  expect(complaints.splice(0).join("\n")).toMatch(/503/);
});
