import { webApi } from "@slack/bolt";
import { expect, test } from "vitest";
import type { Message } from "../../../../bot/message.ts";
import { ChatError } from "../../../../bot/surface.ts";
import { UserError } from "../../../../engine/domain/errors.ts";
import { botToken, type Failure, startFakeSlack } from "../../../servers/slack.ts";
import { readIn } from "../../../servers/slack-blocks.ts";
import { alone, slackAt } from "./open.ts";

const hello: Message = { text: "Hello." };

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
  const limited = new Promise((done) => client.once(webApi.WebClientEvent.RATE_LIMITED, done));
  const update = client.chat.update({ channel: "C0ACME", ts, text: "x" });
  await limited;
  const stopped = performance.now();
  await client.chat.postMessage({ channel: "C0ACME", text: "x" });
  expect(performance.now() - stopped).toBeGreaterThan(900);
  await update;
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

test.each([["rich_text"], ["table"]])(
  "a workspace that refuses the newer block %s is asked once, and everything is said",
  async (block) => {
    await using one = await alone();
    const { slack, surface } = one;
    slack.state.unknownBlocks.add(block);
    const table = { columns: ["mailbox", "state"], rows: [["anna", "done"]] };
    for (const text of ["One.", "Two.", "Three."])
      await surface.post("slack:C0ACME", { text, table });
    expect(slack.asked.filter(({ method }) => method === "chat.postMessage")).toHaveLength(4);
    for (const [n, text] of ["One.", "Two.", "Three."].entries()) {
      const read = slack.state.messages[n] === undefined ? "" : readIn(slack.state.messages[n]);
      for (const words of [text, "anna", "done"]) expect(read).toContain(words);
    }
  },
);

test("blocks that are too long for Slack are said as text, and the next ones as blocks", async () => {
  await using one = await alone();
  const { slack, surface } = one;
  slack.fail({ on: "chat.postMessage", with: { error: "msg_blocks_too_long" }, times: 1 });
  await surface.post("slack:C0ACME", hello);
  await surface.post("slack:C0ACME", hello);
  expect(slack.state.messages.map((message) => [readIn(message), message.blocks.length])).toEqual([
    ["Hello.", 0],
    ["Hello.", 1],
  ]);
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
