import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { openTeams, type TeamsPlatform } from "../../../../bot/surfaces/teams/open.ts";
import { type ChatWorld, chatWorld } from "../../../doubles/chat-world.ts";
import { startPlayground } from "../../../servers/teams-playground.ts";
import { readCard, type TeamsSide, teamsSide } from "../../../servers/teams-side.ts";
import { until } from "./stage.ts";

const picture = process.env.GODWIT_PICTURE ?? join(tmpdir(), "godwit-teams.png");
/** Whom the Playground's own person is. */
const alex = "00000000-0000-0000-0000-0000000000020";

test("a migration is run from Microsoft's own test client", { timeout: 90_000 }, async () => {
  const opened: TeamsPlatform[] = [];
  await using world = await chatWorld({
    people: ["anna"],
    owners: [`teams:${alex}`],
    platforms: [
      async (desk, clock) => {
        const log = { warn() {}, error() {} };
        const none = { appId: null, appPassword: null, tenantId: null, port: 0 };
        opened.push(await openTeams({ ...none, contacts: desk.contacts, clock, log }));
        return opened[0]!;
      },
    ],
  });
  deliver(world, 5);
  const bot = opened[0]?.url() ?? "";
  await using playground = await startPlayground(bot);
  const { page } = playground;
  const connector = `${playground.url}_connector`;
  await story(world, page);
  await form(world, teamsSide(bot, { url: connector }));
});

async function story(world: ChatWorld, page: Page): Promise<void> {
  const tell = async () => {
    world.clock.advance(10_000);
    await world.narrator.tick();
  };
  const carried = async () => {
    await until(async () => (await world.desk.passes.waiting(1)).length > 0);
    await world.run();
    await tell();
  };
  await chat(page, "My Team - General");

  await say(world, page, "link acme");
  await shown(under(page, "is now about acme"));
  await say(world, page, "add bert@old.example bert@new.example");
  await shown(under(page, "bert@old.example → bert@new.example"));

  await say(world, page, "verify anna@old.example");
  await carried();
  await shown(under(page, /Verif[a-z]+ of acme.*completed/s));

  await say(world, page, "prestage 90d anna@old.example");
  await under(page, "Pre-stage of acme").getByRole("button", { name: "Start" }).click();
  // The plan is rewritten where it stands: nobody can press it again.
  const plan = under(page, /Plan \d+, pre-stage.*started by Alex Wilber/);
  await shown(plan);
  expect(await plan.getByRole("button", { name: "Start" }).count()).toBe(0);

  await tell();
  const root = under(page, /Pre-stage of acme.*queued/s);
  await shown(root);
  await world.run();
  await tell();
  const done = under(page, /Pre-stage of acme.*completed/s);
  await shown(done.getByText("A license is used for anna@old.example; 9 free."));
  await shown(done.getByText(/anna@old\.example is done: 3 migrated, 0 already there/));
  expect(await root.count()).toBe(0);
  await done.screenshot({ path: picture });

  await say(world, page, "delta anna@old.example --yes");
  await carried();
  const delta = under(page, /Delta of acme.*completed/s);
  await shown(delta.getByText(/2 migrated, 3 already there/));

  // In the thread of a pass it is asked about by its words alone.
  world.clock.advance(10_000);
  await mention(page, delta.getByRole("textbox"), "status");
  await page.keyboard.press("Enter");
  await shown(delta.getByText(/status/).last());

  await say(world, page, "delt");
  await say(world, page, "full nobody@old.example");
  await chat(page, "Personal Chat");
  await shown(page.getByText(/did you mean delta/i));
  await shown(page.getByText("No mailbox of this project matches nobody@old.example"));
}

/** The Playground cannot open forms, so what Teams would send of one is sent to the bot. */
async function form(world: ChatWorld, side: TeamsSide): Promise<void> {
  const how = { as: { id: "user-id-0", name: "Alex Wilber", aadObjectId: alex }, chat: "team-id" };
  const command = "endpoint secret old";
  const opened = await side.task("fetch", { command }, how);
  const fields = JSON.stringify(await opened.json());
  expect(fields).toContain('"style":"Password"');
  const [, name = ""] = /"type":"Input\.Text","id":"([^"]+)"/.exec(fields) ?? [];
  const answered = await side.task("submit", { command, [name]: "hunter2-canary" }, how);
  expect(readCard(await answered.json()).text).toMatch(/sealed|kept|stored/i);
  expect(world.logged).toEqual([]);
}

/** Opens a chat or channel on the left. */
async function chat(page: Page, name: string): Promise<void> {
  await page.getByRole("treeitem", { name }).click();
}

/** A post of the channel, with what stands under it. */
function under(page: Page, text: string | RegExp): Locator {
  return page.locator(".fui-Card").filter({ hasText: text }).last();
}

/** Mentions us in a new post. */
async function say(world: ChatWorld, page: Page, text: string): Promise<void> {
  world.clock.advance(10_000);
  await mention(page, page.getByRole("textbox").first(), text);
  await page.getByRole("button", { name: "Post", exact: true }).first().click();
  await shown(page.locator(".fui-Card").filter({ hasText: text }).first());
}

async function mention(page: Page, box: Locator, text: string): Promise<void> {
  await box.click();
  await page.keyboard.type("@");
  await page.locator("#typeahead-menu").getByText("Test Bot").first().click();
  await page.keyboard.type(` ${text}`);
}

async function shown(what: Locator): Promise<void> {
  await what.waitFor({ state: "visible" });
}

function deliver(world: ChatWorld, letters: number): void {
  for (let n = 0; n < letters; n += 1) {
    const bytes = Buffer.from(`Subject: letter ${n}\r\n\r\nhello\r\n`);
    const createdAt = world.clock.now() - (n + 1) * 40 * 24 * 3_600_000;
    world.system.deliver("anna@old.example", "INBOX", bytes, { createdAt });
  }
}
