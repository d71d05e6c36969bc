import { createServer } from "node:http";
import { expect, test, vi } from "vitest";
import type { Form } from "../../../../bot/message.ts";
import { startFakeSlack } from "../../../servers/slack.ts";
import { buttonsIn, readIn } from "../../../servers/slack-blocks.ts";
import { alone, slackAt } from "./open.ts";
import { button, mail, slackWorld } from "./world.ts";

const waiting = { timeout: 5000, interval: 5 };

test("an answer that Slack wants a moment later is given then", async () => {
  await using one = await slackWorld();
  const { slack, said } = one;
  slack.fail({ on: "response", with: { status: 404 }, times: 1 });
  slack.fail({ on: "chat.postEphemeral", with: { status: 429, retryAfter: 2 }, times: 2 });
  await slack.person("U0ANA").command("help");
  expect((await said(/delta/)).only).toBe("U0ANA");
});

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
