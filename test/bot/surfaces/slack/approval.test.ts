import { expect, test, vi } from "vitest";
import { hostile } from "../../../doubles/hostile.ts";
import { buttonsIn, readIn } from "../../../servers/slack-blocks.ts";
import type { SlackMessage } from "../../../servers/slack-state.ts";
import { aliveInBlocks, aliveInText } from "./alive.ts";
import { button, type SlackWorld, slackWorld } from "./world.ts";

const day = 24 * 60 * 60 * 1000;
const waiting = { timeout: 5000, interval: 5 };

/** A channel about acme where adding licenses takes two; ana, bo and cy own it, mal is nobody there. */
async function house(): Promise<SlackWorld> {
  const one = await slackWorld();
  const { slack, world, said } = one;
  const [like] = slack.state.users;
  for (const name of ["cy", "mal"]) {
    const id = `U0${name.toUpperCase()}`;
    slack.state.users.push({ ...like!, id, name, email: `${name}@company.example` });
  }
  const ana = slack.person("U0ANA");
  await ana.command("link acme");
  await said(/is now about acme/);
  for (const user of ["U0BO", "U0CY"]) {
    await ana.command(`roles grant <@${user}|somebody> owner`);
    await said(/is now a.* owner of acme/);
  }
  await world.desk.people.grant(1, "slack:U0GUEST", "owner", "slack:U0ANA");
  await ana.command("project set secondPerson.grants on");
  await said(/^Set for acme/);
  return one;
}

async function ask({ slack, said }: SlackWorld, n: number): Promise<SlackMessage> {
  await slack.person("U0ANA").command('licenses add 5 --note "order 4712"');
  const card = await said(new RegExp(`approve ${n}`));
  expect(card.only).toBeNull();
  expect(buttonsIn(card).map(({ label, value }) => [label, value])).toEqual([
    ["Approve", expect.stringContaining(`approve ${n}`)],
    ["Deny", expect.stringContaining(`deny ${n}`)],
  ]);
  return card;
}

test("a request in Slack is approved by the press of a second person, once, within its day", async () => {
  await using one = await house();
  const { slack, world, said } = one;
  const owned = async () => (await world.desk.licenses.balance(1)).owned;
  const card = await ask(one, 1);
  const [approve, deny] = [button(card, "Approve"), button(card, "Deny")];

  const refusals: [string, RegExp][] = [
    ["U0MAL", /needs the role operator, and you have none/],
    ["U0GUEST", /guests and people of other organisations can only look/],
    ["U0ANA", /You asked for request 1 yourself/],
  ];
  for (const [user, why] of refusals) {
    await slack.person(user).press(approve);
    expect((await said(why)).only).toBe(user);
  }
  await slack.person("U0MAL").press(deny);
  expect((await said(/deny needs the role operator/)).only).toBe("U0MAL");
  expect(await owned()).toBe(10);
  expect(buttonsIn(card)).toHaveLength(2);
  expect(card.edits).toBe(0);

  await slack.person("U0BO").press(approve);
  expect((await said(/5 licenses added to acme by ana \(order 4712\)/)).only).toBeNull();
  expect(readIn(card)).toMatch(
    /^Request 1, 5 licenses for acme \(order 4712\), by ana: approved by bo at 13:00:00\.$/,
  );
  expect(buttonsIn(card)).toEqual([]);
  expect(await owned()).toBe(15);

  // Their client showed the old card a little longer.
  await slack.person("U0CY").press(deny);
  expect((await said(/Request 1 was approved by bo at 13:00:00 already/)).only).toBe("U0CY");
  expect(await owned()).toBe(15);

  const second = await ask(one, 2);
  await Promise.all([
    slack.person("U0BO").press(button(second, "Approve")),
    slack.person("U0CY").press(button(second, "Approve")),
  ]);
  // The one who came late may hear of it before the other's is done.
  await vi.waitFor(() => {
    const heard = slack.state.messages.slice(slack.state.messages.indexOf(second));
    expect(
      heard.filter((message) => /5 licenses added to acme/.test(readIn(message))),
    ).toHaveLength(1);
    const late = heard.filter((message) =>
      /Request 2 was approved by (bo|cy)/.test(readIn(message)),
    );
    expect(late.map(({ only }) => only)).toEqual([expect.stringMatching(/^U0(BO|CY)$/)]);
  }, waiting);
  expect(await owned()).toBe(20);
  expect(buttonsIn(second)).toEqual([]);

  const third = await ask(one, 3);
  world.clock.advance(day);
  await slack.person("U0BO").press(button(third, "Approve"));
  expect((await said(/No request 3 waits here, or it is older than a day/)).only).toBe("U0BO");
  expect(await owned()).toBe(20);
  expect([world.logged, one.logged]).toEqual([[], []]);
});

test("the one who asked takes it back by a press, and nobody can approve it then", async () => {
  await using one = await house();
  const { slack, world, said } = one;
  const card = await ask(one, 1);
  const approve = button(card, "Approve");
  await slack.person("U0ANA").press(button(card, "Deny"));
  await said(/denied by ana at 13:00:00\. Nothing was done/);
  await slack.person("U0BO").press(approve);
  await said(/Request 1 was denied by ana/);
  expect(readIn(card)).toMatch(/denied by ana/);
  expect((await world.desk.licenses.balance(1)).owned).toBe(10);
});

test("one who became a guest after asking has nothing approved any more", async () => {
  await using one = await house();
  const { slack, world, said } = one;
  await slack.person("U0CY").command('licenses add 5 --note "order 4713"');
  const card = await said(/approve 1/);
  slack.state.users.find(({ id }) => id === "U0CY")!.is_restricted = true;
  world.clock.advance(day / 2);
  await slack.person("U0BO").press(button(card, "Approve"));
  expect((await said(/cy asked for request 1.*has not the role owner any more/)).only).toBe("U0BO");
  expect((await world.desk.licenses.balance(1)).owned).toBe(10);
});

test("hostile notes do not come alive in a request, nor in what becomes of it", async () => {
  await using one = await house();
  const { slack, world } = one;
  const notes = hostile.filter((text) => !/["“”\n]/.test(text)).slice(0, 20);
  const from = slack.state.messages.length;
  let n = 0;
  for (const note of notes) {
    const told = await world.say(`licenses add 5 --note "${note}"`, {
      surface: "slack",
      channel: "slack:C0ACME",
      person: { id: "slack:U0ANA", name: "ana", guest: false },
    });
    if (told.result !== "accepted") continue;
    n += 1;
    const card = slack.state.messages.findLast((message) => buttonsIn(message).length > 0)!;
    expect(aliveInBlocks(card.blocks)).toEqual([]);
    await slack.person("U0BO").press(button(card, "Deny"));
    await one.said(new RegExp(`Request ${n}, .*denied by bo`));
    expect(buttonsIn(card)).toEqual([]);
  }
  expect(n).toBeGreaterThan(10);
  for (const message of slack.state.messages.slice(from)) {
    expect([aliveInBlocks(message.blocks), aliveInText(message.text)]).toEqual([[], []]);
  }
  expect([aliveInText("<!channel>"), aliveInText("see www.evil.example")].flat()).not.toEqual([]);
});
