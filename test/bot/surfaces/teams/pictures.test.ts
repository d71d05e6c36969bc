import { expect, test } from "vitest";
import type { Message } from "../../../../bot/message.ts";
import { drawHeatMap } from "../../../../bot/pictures/heat-map.ts";
import { heatMap } from "../../../../bot/pictures/heat-rows.ts";
import { render } from "../../../../bot/pictures/render.ts";
import { channelId, readCard } from "../../../servers/teams-side.ts";
import { bigProject } from "../../pictures/made-up.ts";
import { openStage } from "./stage.ts";

const channel = `teams:${encodeURIComponent(channelId)}`;

/** A message with as much in its picture as there can be. */
async function full(): Promise<Message> {
  const { project, entries, passes } = bigProject(1000, 12);
  const drawing = drawHeatMap(heatMap(project, entries, passes, 11));
  const png = (await render(drawing)).toString("base64");
  const { width, height } = drawing;
  const about = { name: "passes.png", title: "Passes of acme", alt: "Passes by mailbox: 1 000." };
  return {
    text: `acme in pictures:\n${about.alt}`,
    title: "acme in pictures",
    pictures: [{ ...about, png, width, height }],
  };
}

test("each picture is a message of its own in the thread, described, and under what Teams takes", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  await stage.side.mention("status");
  await stage.until(() => stage.heard.length === 1);
  const message = await full();
  const thread = await surface.post(channel, { text: "Root." });
  await surface.reply(thread, message);
  const [root, card, picture, ...more] = stage.fake.messages;
  expect(more).toEqual([]);
  expect(readCard(card?.activity.attachments).text).toBe("acme in pictures");
  expect(picture?.conversation).toBe(`${channelId};messageid=${root?.id}`);
  expect(picture?.activity).toMatchObject({
    summary: "Passes by mailbox: 1 000.",
    attachments: [
      {
        contentType: "image/png",
        contentUrl: `data:image/png;base64,${message.pictures?.[0]?.png}`,
        name: "Passes by mailbox: 1 000.",
      },
    ],
  });
  expect(JSON.stringify(picture?.activity).length).toBeLessThan(100_000);
});

test("a picture that Teams refuses is told in words, and the others are shown", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  await stage.side.mention("status");
  await stage.until(() => stage.heard.length === 1);
  const message = await full();
  const [picture] = message.pictures ?? [];
  const thread = await surface.post(channel, { text: "Root." });
  // The card goes through, its first picture does not.
  stage.fake.fail({ on: /^POST .*activities/, status: 413, after: 1 });
  await surface.reply(thread, {
    ...message,
    pictures: [picture!, { ...picture!, alt: "Second." }],
  });
  const [, card, words, second] = stage.fake.messages.map(({ activity }) => activity);
  expect(readCard(card?.attachments).text).toBe("acme in pictures");
  expect(readCard(words?.attachments).text).toBe("Passes by mailbox: 1 000.");
  expect(second?.summary).toBe("Second.");
});

test("for one person they are in the personal chat; where there is none, the thread gets words", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  await stage.side.mention("report");
  await stage.until(() => stage.heard.length === 1);
  const to = { person: "teams:aad-ana", place: `${channel}:100`, trigger: null };
  const message = await full();
  await surface.private(to, message);
  expect(stage.fake.messages.map(({ conversation }) => conversation)).toEqual([
    "a:29:ana",
    "a:29:ana",
  ]);
  stage.fake.fail({ on: /^POST .*activities/, status: 403 });
  await surface.private(to, message);
  const last = stage.fake.messages.at(-1);
  expect(last?.conversation).toBe(`${channelId};messageid=100`);
  expect(readCard(last?.activity.attachments).text).toContain("Passes by mailbox: 1 000.");
});
