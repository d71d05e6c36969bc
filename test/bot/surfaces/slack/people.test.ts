import { expect, test } from "vitest";
import type { Clock } from "../../../../engine/domain/clock.ts";
import { startFakeSlack } from "../../../servers/slack.ts";
import { alone, slackAt } from "./open.ts";

const here = "slack:C0ACME";

test("people are meant by their id, a mention or an e-mail address", async () => {
  await using one = await alone();
  for (const typed of ["slack:U0BO", "<@U0BO>", "<@U0BO|bo>", "bo@company.example"]) {
    expect(await one.surface.person(typed, here)).toEqual({
      id: "slack:U0BO",
      name: "bo",
      guest: false,
    });
  }
  expect(await one.surface.person("nobody@company.example", here)).toBeNull();
  expect(await one.surface.person("slack:U0NOBODY", here)).toBeNull();
});

test("who is restricted or from elsewhere is a guest", async () => {
  await using one = await alone();
  expect((await one.surface.person("slack:U0GUEST", here))?.guest).toBe(true);
  expect((await one.surface.person("slack:U0OTHER", here))?.guest).toBe(true);
  expect((await one.surface.person("slack:U0ANA", here))?.guest).toBe(false);
});

test("what Slack says of somebody is believed for ten minutes", async () => {
  await using slack = await startFakeSlack();
  let now = 0;
  const clock: Clock = { now: () => now, sleep: async () => {} };
  const { surface } = await slackAt(slack, { clock });
  const guest = async () => (await surface.person("slack:U0BO", here))?.guest;
  expect(await guest()).toBe(false);
  const bo = slack.state.users.find(({ id }) => id === "U0BO");
  if (bo !== undefined) bo.is_restricted = true;
  now = 9 * 60_000;
  expect(await guest()).toBe(false);
  now = 10 * 60_000;
  expect(await guest()).toBe(true);
});

test("a channel and a message can be read where Slack shows them", async () => {
  await using one = await alone();
  expect(one.surface.link(here)).toBeNull();
  await one.platform.check();
  expect(one.surface.link(here)).toBe("https://acme.slack.example/archives/C0ACME");
  expect(one.surface.link(`${here}:1795.000100`)).toBe(
    "https://acme.slack.example/archives/C0ACME/p1795000100",
  );
});

test("what is said aloud stands in the channel, too, and nothing is looked up or unfolded", async () => {
  await using one = await alone();
  const root = await one.surface.post(here, { text: "Root." });
  await one.surface.reply(root, { text: "Done." }, { aloud: true });
  await one.surface.reply(root, { text: "More." });
  expect(one.slack.state.messages.map(({ broadcast }) => broadcast)).toEqual([false, true, false]);
  for (const { sent } of one.slack.state.messages) {
    expect(sent).toMatchObject({
      parse: "none",
      link_names: false,
      unfurl_links: false,
      mrkdwn: false,
    });
  }
});
