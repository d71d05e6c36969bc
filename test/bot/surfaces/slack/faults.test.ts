import { createServer } from "node:http";
import { webApi } from "@slack/bolt";
import { expect, test, vi } from "vitest";
import type { Form, Message } from "../../../../bot/message.ts";
import { ChatError } from "../../../../bot/surface.ts";
import { UserError } from "../../../../engine/domain/errors.ts";
import { botToken, type Failure, startFakeSlack } from "../../../servers/slack.ts";
import { buttonsIn, readIn } from "../../../servers/slack-blocks.ts";
import { slackAt } from "./open.ts";
import { button, mail, slackWorld } from "./world.ts";

const hello: Message = { text: "Hello." };
const waiting = { timeout: 5000, interval: 5 };

/** A surface alone before a workspace. */
async function alone() {
  const slack = await startFakeSlack();
  const platform = await slackAt(slack);
  const to = { person: "slack:U0ANA", place: "slack:C0ACME", trigger: null };
  return {
    slack,
    platform,
    surface: platform.surface,
    to,
    [Symbol.asyncDispose]: slack[Symbol.asyncDispose],
  };
}

test("a limit on progress is told at once and holds back no answer", async () => {
  await using one = await alone();
  const { slack, surface, to } = one;
  const root = await surface.post("slack:C0ACME", hello);
  slack.fail({ on: "chat.update", with: { status: 429, retryAfter: 1 }, times: 1 });
  const start = performance.now();
  const edit = surface.edit(root, hello);
  await expect(edit).rejects.toMatchObject({ kind: "limited", retryAfterMs: 1000 });
  await surface.private(to, hello);
  expect(performance.now() - start).toBeLessThan(800);

  // One client as the SDK makes it stops whole, the answer with it.
  const client = new webApi.WebClient(botToken, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 1, minTimeout: 0 },
    logLevel: "error" as never,
  });
  const ts = root.split(":")[2] ?? "";
  slack.fail({ on: "chat.update", with: { status: 429, retryAfter: 1 }, times: 1 });
  const update = client.chat.update({ channel: "C0ACME", ts, text: "x" });
  await vi.waitFor(
    () => expect(slack.asked.filter((a) => a.method === "chat.update")).toHaveLength(2),
    waiting,
  );
  await client.chat.postMessage({ channel: "C0ACME", text: "x" });
  expect(performance.now() - start).toBeGreaterThan(950);
  await update;
});

test("an answer that Slack wants a moment later is given then", async () => {
  await using one = await slackWorld();
  const { slack, said } = one;
  slack.fail({ on: "response", with: { status: 404 }, times: 1 });
  slack.fail({ on: "chat.postEphemeral", with: { status: 429, retryAfter: 2 }, times: 2 });
  await slack.person("U0ANA").command("help");
  expect((await said(/delta/)).only).toBe("U0ANA");
});

test.each([
  ["a fault of Slack's", { status: 500 }, "unreachable"],
  ["a cut connection", "drop", "unreachable"],
  ["internal_error", { error: "internal_error" }, "unreachable"],
  ["fatal_error", { error: "fatal_error" }, "unreachable"],
  ["a pause of a length", { status: 429, retryAfter: 7 }, "limited"],
  ["a pause of no length", { status: 429 }, "limited"],
  ["ratelimited", { error: "ratelimited" }, "limited"],
  ["channel_not_found", { error: "channel_not_found" }, "refused"],
  ["not_in_channel", { error: "not_in_channel" }, "refused"],
  ["is_archived", { error: "is_archived" }, "refused"],
  ["account_inactive", { error: "account_inactive" }, "refused"],
  ["token_revoked", { error: "token_revoked" }, "refused"],
  ["missing_scope", { error: "missing_scope" }, "refused"],
  ["a word never heard", { error: "some_new_word" }, "refused"],
] as [string, Failure["with"], ChatError["kind"]][])(
  "%s becomes an error that says who has to act",
  async (_, how, kind) => {
    await using one = await alone();
    one.slack.fail({ on: "chat.postMessage", with: how });
    const error = await one.surface.post("slack:C0ACME", hello).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ChatError);
    expect(error).toMatchObject({ kind });
    expect(`${error} ${JSON.stringify(error)}`).not.toContain(botToken);
  },
);

const form: Form = {
  title: "Master password",
  fields: [{ name: "password", label: "Password", kind: "secret" }],
  submit: "Seal it",
  command: "endpoint secret old",
  otherwise: "Nothing was done.",
};

test("a form whose moment has passed is asked for again by a button, which opens it", async () => {
  await using one = await slackWorld();
  const { slack, said } = one;
  const ana = slack.person("U0ANA");
  await ana.mention(form.command);
  const asked = await said(/Master password/);
  expect(asked.only).toBe("U0ANA");
  const [again] = buttonsIn(asked);
  slack.fail({ on: "views.open", with: { error: "expired_trigger_id" }, times: 1 });
  await ana.press(button(asked, again?.label ?? ""));
  const twice = await said(/Master password/);
  expect(slack.state.views).toEqual([]);
  await ana.press(button(twice, again?.label ?? ""));
  await vi.waitFor(() => expect(slack.state.views).toHaveLength(1), waiting);
});

test("a private answer finds its way: by its address, else unseen in the channel, else directly", async () => {
  await using one = await slackWorld();
  const { slack, said } = one;
  const ana = slack.person("U0ANA");
  await ana.command("help");
  expect((await said(/delta/)).only).toBe("U0ANA");
  expect(slack.asked.map(({ method }) => method)).not.toContain("chat.postEphemeral");

  slack.fail({ on: "response", with: { status: 404 } });
  await ana.command("help");
  expect((await said(/delta/)).channel).toBe("C0ACME");
  expect(slack.asked.map(({ method }) => method)).toContain("chat.postEphemeral");

  slack.fail({ on: "chat.postEphemeral", with: { error: "channel_not_found" } });
  await ana.command("help");
  expect((await said(/delta/)).channel).toBe("D0ANA");
});

test("a report is handed over in direct messages, and the channel is told privately where", async () => {
  await using one = await alone();
  const { slack, surface, to } = one;
  const file = { name: "report.csv", content: "source;migrated\nanna@old.example;3\n" };
  await surface.private(to, { text: "The report.", file });
  expect(slack.state.files).toMatchObject([
    { name: "report.csv", content: file.content, channel: "D0ANA" },
  ]);
  const [told] = slack.state.messages;
  expect(told?.only).toBe("U0ANA");
  expect(told === undefined ? "" : readIn(told)).toContain("report.csv is in your direct messages");
});

test("the token goes to no other host for a file", async () => {
  const heard: unknown[] = [];
  const elsewhere = createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.end("source,target\nx@old.example,x@new.example\n");
  });
  await new Promise<void>((done) => elsewhere.listen(0, "127.0.0.1", done));
  const { port } = elsewhere.address() as { port: number };
  await using one = await slackWorld();
  const { slack, said } = one;
  const file = { name: "a.csv", content: "", channel: "D0ANA" };
  slack.state.files.push({ ...file, id: "F0EVIL", url: `http://127.0.0.1:${port}/files/F0EVIL` });
  slack.state.files.push({
    ...file,
    id: "F0LIKE",
    url: "https://files.slack.com.evil.example/F0LIKE",
  });
  for (const id of ["F0EVIL", "F0LIKE"]) {
    await slack
      .person("U0ANA")
      .write("import --project acme", { subtype: "file_share", files: [{ id }] });
    await said(/^Import mailboxes/);
  }
  expect(heard).toEqual([]);
  elsewhere.close();
});

test("a lost socket and a refreshed one come back, and what was not acknowledged is one command", async () => {
  await using one = await slackWorld();
  const { slack, said, logged } = one;
  const { socket } = slack;
  await slack.person("U0ANA").command("link acme");
  await said(/is now about acme/);

  socket.deaf = true;
  const inner = {
    type: "app_mention",
    user: "U0ANA",
    channel: "C0ACME",
    ts: "1795.9",
    text: "<@U0BOT> trial --yes",
  };
  socket.push("events_api", {
    type: "event_callback",
    team_id: "T0TEAM",
    event_id: "EvLost",
    event: inner,
  });
  await said(/in the queue/);
  socket.deaf = false;
  socket.cut();
  await vi.waitFor(() => expect(socket.sockets()).toEqual({ open: 1, ever: 2 }), waiting);
  await vi.waitFor(() => expect(socket.acknowledged.size).toBeGreaterThan(1), waiting);

  socket.refresh();
  await vi.waitFor(() => expect(socket.sockets()).toEqual({ open: 1, ever: 3 }), waiting);
  await slack.person("U0ANA").command("prestgae");
  await said(/did you mean/i);
  expect(await one.world.desk.newsroom.live()).toHaveLength(1);
  expect(Math.max(...socket.acknowledged.values())).toBe(1);
  expect(logged.join()).not.toContain("xapp-");
});

test("Slack away for a while: it is tried again until it is back, and nothing falls over", async () => {
  await using one = await slackWorld();
  const { slack, said, logged } = one;
  slack.fail({ on: "apps.connections.open", with: { error: "invalid_auth" }, times: 3 });
  slack.socket.cut();
  await vi.waitFor(() => expect(slack.socket.sockets()).toEqual({ open: 1, ever: 2 }), waiting);
  expect(logged.filter((line) => line.includes("cannot be heard"))).toHaveLength(3);
  await slack.person("U0ANA").command("help");
  await said(/delta/);
});

test.each([
  [true, 1],
  [false, 2],
])(
  "a post whose answer was lost, the past of channels readable: %s, stands there so often: %i",
  async (readable, times) => {
    await using one = await slackWorld();
    const { slack, world, said } = one;
    if (readable) slack.state.scopes.add("channels:history");
    mail(world, "anna", 1, 100);
    await slack.person("U0ANA").command("link acme");
    await said(/is now about acme/);
    await slack.person("U0ANA").command("prestage 90d --yes");
    await said(/in the queue/);
    slack.fail({ on: "chat.postMessage", with: "drop", after: true, times: 1 });
    for (let round = 0; round < 4; round += 1) {
      await world.carry();
      world.clock.advance(60_000);
    }
    const roots = slack.state.messages.filter(
      (message) =>
        message.only === null &&
        message.thread_ts === null &&
        /^Pre-stage of acme/.test(readIn(message)),
    );
    expect(roots).toHaveLength(times);
    expect(one.all().filter((text) => /^anna@old\.example is done/.test(text))).toHaveLength(1);
  },
);

test("a workspace that refuses newer blocks is asked once, and everything is said", async () => {
  await using one = await alone();
  const { slack, surface } = one;
  slack.state.unknownBlocks.add("rich_text");
  for (const text of ["One.", "Two.", "Three."]) await surface.post("slack:C0ACME", { text });
  expect(slack.asked.filter(({ method }) => method === "chat.postMessage")).toHaveLength(4);
  expect(slack.state.messages.map(readIn)).toEqual(["One.", "Two.", "Three."]);
});

test("a button outlives the bot that made it", async () => {
  await using slack = await startFakeSlack();
  const heard: string[] = [];
  const first = await slackAt(slack);
  const listening = await first.listen(async () => {});
  await first.surface.post("slack:C0ACME", {
    text: "Plan.",
    buttons: [{ label: "Start", command: "start 3" }],
  });
  await listening[Symbol.asyncDispose]();
  await vi.waitFor(() => expect(slack.socket.sockets().open).toBe(0), waiting);

  const second = await slackAt(slack);
  await using _again = await second.listen(
    async ({ text, thread }) => void heard.push(`${text} ${thread}`),
  );
  const [plan] = slack.state.messages;
  if (plan === undefined) throw new Error("There is no plan.");
  await slack.person("U0ANA").press(button(plan, "Start"));
  await vi.waitFor(() => expect(heard).toEqual([`start 3 slack:C0ACME:${plan.ts}`]), waiting);
});

test("an ending bot waits for what it is handling", async () => {
  await using slack = await startFakeSlack();
  const platform = await slackAt(slack);
  const gate = Promise.withResolvers<void>();
  let done = false;
  const listening = await platform.listen(async () => {
    await gate.promise;
    done = true;
  });
  await slack.person("U0ANA").command("help");
  await vi.waitFor(
    () => expect(slack.asked.map(({ method }) => method)).toContain("conversations.info"),
    waiting,
  );
  const ending = Promise.resolve(listening[Symbol.asyncDispose]());
  expect(done).toBe(false);
  gate.resolve();
  await ending;
  expect(done).toBe(true);
});

test("a token that Slack does not know is said before anything starts, without the token", async () => {
  await using slack = await startFakeSlack();
  const platform = await slackAt(slack, { token: "xoxb-wrong-token" });
  for (const work of [() => platform.check(), () => platform.listen(async () => {})]) {
    const error = await Promise.resolve(work()).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(/SLACK_BOT_TOKEN/);
    expect(String(error)).not.toContain("xoxb-wrong");
  }
  expect(await (await slackAt(slack)).check()).toBe(
    "Slack, the workspace Acme, as @migrate (Socket Mode)",
  );
});
