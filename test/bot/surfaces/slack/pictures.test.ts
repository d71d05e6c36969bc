import { expect, test } from "vitest";
import type { Message } from "../../../../bot/message.ts";
import { readIn } from "../../../servers/slack-blocks.ts";
import { alone } from "./open.ts";
import { mail, slackWorld } from "./world.ts";

const bytes = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00, 0xfe]);

function shown(alt: string): Message {
  const picture = { name: "passes.png", title: "Passes of acme", alt, width: 560, height: 200 };
  return {
    text: `acme in pictures:\n${alt}`,
    title: "acme in pictures",
    pictures: [
      { ...picture, png: bytes.toString("base64") },
      { ...picture, name: "licenses.png", png: bytes.toString("base64") },
    ],
  };
}

test("pictures are handed over in their thread, and what they show goes with them", async () => {
  await using one = await alone();
  const { slack, surface } = one;
  const thread = await surface.post("slack:C0ACME", { text: "Root." });
  await surface.reply(thread, shown("Passes by mailbox: 3 mailboxes."));
  const [root, said, ...more] = slack.state.messages;
  expect(said === undefined ? "" : readIn(said)).toBe("acme in pictures");
  expect(said?.thread_ts).toBe(root?.ts);
  expect(more).toEqual([]);
  const where = { channel: "C0ACME", thread: root?.ts, alt: "Passes by mailbox: 3 mailboxes." };
  expect(slack.state.files).toMatchObject([
    { name: "passes.png", title: "Passes of acme", bytes, ...where },
    { name: "licenses.png", bytes, ...where },
  ]);
  expect(
    slack.asked.filter(({ method }) => method === "files.completeUploadExternal"),
  ).toHaveLength(1);
});

test("for one person they are in the direct messages, and the channel is told privately where", async () => {
  await using one = await alone();
  const { slack, surface, to } = one;
  await surface.private(to, shown("Passes by mailbox."));
  expect(slack.state.files.map(({ channel, thread }) => [channel, thread])).toEqual([
    ["D0ANA", undefined],
    ["D0ANA", undefined],
  ]);
  const [told] = slack.state.messages;
  expect(told?.only).toBe("U0ANA");
  expect(told === undefined ? "" : readIn(told)).toContain(
    "passes.png, licenses.png are in your direct messages",
  );
});

test("in direct messages they follow what is said there", async () => {
  await using one = await alone();
  const { slack, surface, to } = one;
  await surface.private({ ...to, place: "slack:D0ANA:171.1" }, shown("Passes by mailbox."));
  expect(slack.state.messages.map(readIn)).toEqual(["acme in pictures"]);
  expect(slack.state.files).toMatchObject([
    { channel: "D0ANA", thread: "171.1" },
    { channel: "D0ANA", thread: "171.1" },
  ]);
});

test.each(["files.getUploadURLExternal", "files.completeUploadExternal"])(
  "where Slack refuses them at %s, what they show is said",
  async (on) => {
    await using one = await alone();
    const { slack, surface, to } = one;
    const thread = await surface.post("slack:C0ACME", { text: "Root." });
    slack.fail({ on, with: { error: "file_uploads_disabled" }, times: 2 });
    await surface.reply(thread, shown("Passes by mailbox: 3 mailboxes."));
    await surface.private(to, shown("Passes by mailbox: 3 mailboxes."));
    const [, title, words, own] = slack.state.messages;
    expect(title === undefined ? "" : readIn(title)).toBe("acme in pictures");
    for (const message of [words, own]) {
      expect(message === undefined ? "" : readIn(message)).toMatch(
        /Passes by mailbox: 3 mailboxes\.[\s\S]*Not handed over: passes\.png, licenses\.png\./,
      );
    }
    expect(words?.thread_ts).toBe(title?.thread_ts);
    expect(own?.only).toBe("U0ANA");
  },
);

test("a long description is cut to what Slack takes, and a link in it stays dead", async () => {
  await using one = await alone();
  const { slack, surface } = one;
  await surface.post("slack:C0ACME", shown(`https://evil.example ${"long ".repeat(400)}`));
  const [file] = slack.state.files;
  expect(file?.alt).toHaveLength(1000);
  expect(file?.alt).not.toContain("://");
});

test("a report in a thread comes with its file and its pictures", async () => {
  await using one = await slackWorld();
  const { slack, world, said } = one;
  const ana = slack.person("U0ANA");
  mail(world, "anna", 3, 100);
  await ana.command("link acme");
  await said(/is now about acme/);
  await ana.command("prestage 90d --yes");
  await said(/in the queue/);
  await world.carry();
  const root = await said(/Pre-stage of acme.*completed/);
  one.caughtUp();
  await ana.mention("report", root.ts);
  await said(/Report of pass 1/);
  const pictures = await said(/acme in pictures/);
  expect(pictures.thread_ts).toBe(root.ts);
  await expect
    .poll(() => slack.state.files.map(({ name, thread }) => [name, thread]))
    .toEqual(
      ["acme-pass-1.csv", "passes.png", "over-time.png", "licenses.png"].map((name) => [
        name,
        root.ts,
      ]),
    );
});
