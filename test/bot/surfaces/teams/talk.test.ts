import { expect, test } from "vitest";
import { channelId, readCard } from "../../../servers/teams-side.ts";
import { openStage } from "./stage.ts";

const channel = `teams:${encodeURIComponent(channelId)}`;

test("a mention is acknowledged, heard without our name, and answered in private and in public", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  stage.answer.with = async ({ person, channel: place, trigger }) => {
    await surface.private({ person: person.id, place, trigger }, { text: "For you: `help`." });
    await surface.post(place, { text: "For all." });
  };

  const response = await stage.side.mention("/delta&nbsp;now");

  expect(response.status).toBe(202);
  await stage.until(() => stage.fake.messages.length === 2);
  expect(stage.heard).toMatchObject([
    {
      surface: "teams",
      person: { id: "teams:aad-ana", name: "Ana Alvarez", guest: false },
      channel,
      thread: null,
      text: "/delta now",
      capabilities: { readsThisMachine: false, cannotPost: null },
    },
  ]);
  const [own, root] = stage.fake.messages;
  expect(own?.conversation).toBe("a:29:ana");
  expect(root?.conversation).toBe(channelId);
  expect(readCard(own?.activity.attachments).text).toBe("For you: help.");
  expect(readCard(root?.activity.attachments).text).toBe("For all.");
  expect(root?.activity.text).toBeUndefined();
  expect(root?.activity.textFormat).toBeUndefined();

  expect(stage.logged).toEqual([]);
});
