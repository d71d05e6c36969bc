import { expect, test, vi } from "vitest";
import { chatWorld } from "../../../doubles/chat-world.ts";
import { startFakeSlack } from "../../../servers/slack.ts";
import { buttonsIn, readIn } from "../../../servers/slack-blocks.ts";
import { bodyOf, httpWire, type Sent, signature } from "../../../servers/slack-wire.ts";
import { freePort, slackAt } from "./open.ts";
import { button } from "./world.ts";

/** A bot that hears signed HTTP, its channel about acme, and its requests as anybody may send them. */
async function signedWorld() {
  const slack = await startFakeSlack();
  const port = await freePort();
  const logged: string[] = [];
  const world = await chatWorld({
    people: ["anna"],
    owners: ["slack:U0ANA"],
    platforms: [(_, clock) => slackAt(slack, { clock, port, logged })],
  });
  const url = `http://127.0.0.1:${port}/slack/events`;
  const ana = slack.person("U0ANA", httpWire(url));
  await ana.command("link acme");
  await vi.waitFor(() => expect(slack.state.messages).toHaveLength(1), waiting);
  let ended: PromiseLike<void> | null = null;
  const end = () => {
    ended ??= world[Symbol.asyncDispose]();
    return ended;
  };
  return {
    slack,
    world,
    url,
    ana,
    /** Sends a mention that starts a pass, and answers the status. */
    async send(change: Change = {}) {
      const { text = "trial --yes", at = 0, secret, version = "v0", tamper } = change;
      const { body } = bodyOf("events_api", mention(text, change.event));
      const seconds = Math.floor(Date.now() / 1000) + at;
      const sign = signature(body, seconds, secret).replace(/^v0/, version);
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(change.unstamped === true ? {} : { "x-slack-request-timestamp": String(seconds) }),
          ...(change.unsigned === true ? {} : { "x-slack-signature": sign }),
          ...(change.retry === undefined
            ? {}
            : {
                "x-slack-retry-num": String(change.retry),
                "x-slack-retry-reason": "http_timeout",
              }),
        },
        body: tamper === undefined ? body : tamper(body),
      });
      await response.text();
      return response.status;
    },
    passes: async () => (await world.desk.newsroom.live()).length,
    /** Ends the bot, once it has done with what it was sent. */
    end,
    async [Symbol.asyncDispose]() {
      await end();
      await slack[Symbol.asyncDispose]();
    },
  };
}

interface Change {
  text?: string;
  event?: string;
  /** Seconds from now. */
  at?: number;
  secret?: string;
  version?: string;
  unsigned?: boolean;
  unstamped?: boolean;
  retry?: number;
  tamper?: (body: string) => string;
}

const waiting = { timeout: 5000, interval: 5 };

function mention(text: string, event = "Ev1"): Record<string, unknown> {
  const inner = {
    type: "app_mention",
    user: "U0ANA",
    channel: "C0ACME",
    ts: "1795.1",
    text: `<@U0BOT> ${text}`,
  };
  return { type: "event_callback", team_id: "T0TEAM", event_id: event, event: inner };
}

test("what is not signed by Slack just now is refused and starts nothing", async () => {
  await using one = await signedWorld();
  const forged: Change[] = [
    { secret: "another-secret" },
    { unsigned: true },
    { unstamped: true },
    { at: -301 },
    { at: -86_400 },
    { version: "v1" },
    { tamper: (body) => body.replace("trial", "delta") },
    { tamper: (body) => `${body} ` },
    { text: "trial --yes ünïcode ✉", tamper: (body) => body.replace("✉", "✂") },
    { at: 86_400 },
  ];
  for (const change of forged) expect([change, await one.send(change)]).toEqual([change, 401]);
  expect(await one.passes()).toBe(0);
  // And the door is open for what is.
  expect(await one.send()).toBe(200);
  await vi.waitFor(async () => expect(await one.passes()).toBe(1), waiting);
});

test("a body with letters of every kind is taken as it was signed", async () => {
  await using one = await signedWorld();
  expect(await one.send({ text: "project set ünïcode ✉ \u{1f4e8}" })).toBe(200);
  await vi.waitFor(() => expect(one.slack.state.messages.length).toBeGreaterThan(1), waiting);
});

test("one event delivered four times, and ten times at once, is one command", async () => {
  await using one = await signedWorld();
  expect(await one.send({ event: "Ev7" })).toBe(200);
  for (const retry of [1, 2, 3]) expect(await one.send({ event: "Ev7", retry })).toBe(200);
  await vi.waitFor(async () => expect(await one.passes()).toBe(1), waiting);
  await one.world.carry();

  const statuses = await Promise.all(
    Array.from({ length: 10 }, () => one.send({ event: "Ev8", text: "verify" })),
  );
  expect(statuses).toEqual(Array.from({ length: 10 }, () => 200));
  await vi.waitFor(async () => expect(await one.passes()).toBe(1), waiting);
  await one.send({ event: "Ev9", text: "prestgae" });
  await vi.waitFor(() => expect(readAll(one)).toMatch(/did you mean/i), waiting);
  await one.world.carry();
  const roots = one.slack.state.messages.filter((message) =>
    /^Verify of acme/.test(readIn(message)),
  );
  expect(roots.filter((message) => message.only === null && !message.thread_ts)).toHaveLength(1);
});

test.each([
  ["as they were signed are answered no more", false, 0],
  ["under new names are answered anew", true, 2],
])("a command and a press sent again %s", async (_, renamed, answers) => {
  await using one = await signedWorld();
  const wire = httpWire(one.url);
  const taken: [Sent, Record<string, unknown>][] = [];
  const ana = one.slack.person("U0ANA", {
    async send(kind, payload) {
      taken.push([kind, payload]);
      await wire.send(kind, payload);
    },
  });
  await ana.command("prestage 90d");
  const plan = await vi.waitFor(() => {
    const found = one.slack.state.messages.find((message) => buttonsIn(message).length > 0);
    if (found === undefined) throw new Error("There is no plan.");
    return found;
  }, waiting);
  await ana.press(button(plan, "Start"));
  await vi.waitFor(() => expect(readAll(one)).toMatch(/in the queue/), waiting);
  const before = one.slack.state.messages.length;
  expect(taken.map(([kind]) => kind)).toEqual(["slash_commands", "interactive"]);
  for (const [kind, payload] of taken) {
    const name = renamed ? { trigger_id: `${payload.trigger_id}.again` } : {};
    await wire.send(kind, { ...payload, ...name });
  }
  expect(await one.passes()).toBe(1);
  await one.end();
  expect(one.slack.state.messages).toHaveLength(before + answers);
});

test("a command and its repetition by a nervous hand are two, and the second is told that it runs already", async () => {
  await using one = await signedWorld();
  await one.ana.command("trial --yes");
  await one.ana.command("trial --yes");
  await vi.waitFor(() => expect(readAll(one)).toMatch(/already/i), waiting);
  expect(await one.passes()).toBe(1);
});

function readAll({
  slack,
}: {
  slack: { state: { messages: Parameters<typeof readIn>[0][] } };
}): string {
  return slack.state.messages.map(readIn).join("\n");
}
