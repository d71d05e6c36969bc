import { expect, test } from "vitest";
import { ana, bo, channelId, readCard } from "../../../servers/teams-side.ts";
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

test("the root message of a thread begins it, what is written under it stands in it", async () => {
  await using stage = await openStage();
  await stage.side.mention("status", { id: "100" });
  await stage.side.mention("status", { id: "101", root: "100" });
  await stage.side.mention("status", { id: "101", root: "100" });
  await stage.until(() => stage.heard.length === 3);
  const [first, second, again] = stage.heard;
  expect(first?.thread).toBeNull();
  expect(second?.thread).toBe(`${channel}:100`);
  expect(again?.eventId).toBe(second?.eventId);
  expect(first?.eventId).not.toBe(second?.eventId);
  expect(first?.link).toBe("https://teams.microsoft.com/l/message/19%3Ageneral%40thread.tacv2/100");
});

test("a reply goes into its thread, an edit to the message itself", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  await stage.side.mention("status");
  await stage.until(() => stage.heard.length === 1);
  const thread = await surface.post(channel, { text: "Delta of acme, 0 %." });
  await surface.reply(thread, { text: "anna is done." });
  await surface.edit(thread, { text: "Delta of acme, 50 %." });
  const [root, reply] = stage.fake.messages;
  expect(reply?.conversation).toBe(`${channelId};messageid=${root?.id}`);
  expect(root?.edits).toBe(1);
  expect(readCard(root?.activity.attachments).text).toBe("Delta of acme, 50 %.");
});

test("group and personal chats are channels too; what is private there is a message in the personal one", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  const group = "19:1234@thread.v2";
  await stage.side.mention("status", { chat: group });
  await stage.side.send({
    ...{ type: "message", text: "status", id: "7" },
    conversation: { id: "a:1own", conversationType: "personal" },
  });
  await stage.until(() => stage.heard.length === 2);
  const thread = await surface.post(`teams:${encodeURIComponent(group)}`, { text: "Root." });
  await surface.reply(thread, { text: "Under it." });
  await surface.private(
    { person: "teams:aad-ana", place: "teams:a%3A1own", trigger: null },
    { text: "Yours." },
  );
  // The personal chat is known by now, and none is made.
  await surface.private(
    { person: "teams:aad-ana", place: thread, trigger: null },
    { text: "Yours too." },
  );
  expect(stage.fake.messages.map((kept) => kept.conversation)).toEqual([
    group,
    group,
    "a:1own",
    "a:1own",
  ]);
  expect(stage.fake.asked).not.toContain("POST /v3/conversations");
});

test("people who are mentioned become their identities", async () => {
  await using stage = await openStage();
  const mention = { type: "mention", text: "<at>Bo $& Berg</at>", mentioned: { id: "29:bo" } };
  const stranger = { type: "mention", text: "<at>X</at>", mentioned: { id: "29:x" } };
  await stage.side.mention("roles grant <at>Bo $& Berg</at> operator<br>&amp;lt; <at>X</at>", {
    entities: [mention, stranger],
  });
  await stage.until(() => stage.heard.length === 1);
  expect(stage.heard[0]?.text).toBe("roles grant teams:aad-bo operator &lt; teams:29%3Ax");
});

test("where there is no personal chat, the thread gets the text and nothing else", async () => {
  await using stage = await openStage();
  await stage.side.mention("help");
  await stage.until(() => stage.heard.length === 1);
  stage.fake.fail({ on: /^POST \/v3\/conversations$/, status: 403 });
  await stage.platform.surface.private(
    { person: "teams:aad-ana", place: `${channel}:100`, trigger: null },
    { text: "Words.", title: "Title", buttons: [{ label: "Go", command: "go" }] },
  );
  const [only] = stage.fake.messages;
  expect(only?.conversation).toBe(`${channelId};messageid=100`);
  expect(readCard(only?.activity.attachments)).toEqual({ text: "Words.", buttons: [] });
});

test("who is a guest, of another tenant or unknown to the roster is a guest", async () => {
  await using stage = await openStage();
  const guest = { ...bo, id: "29:guest", aadObjectId: "aad-guest", userRole: "guest" };
  stage.fake.members.push(guest);
  const away = { tenant: { id: "99999999-0000-0000-0000-000000000000" } };
  await stage.side.mention("status", { as: ana });
  await stage.side.mention("status", { as: guest });
  await stage.side.mention("status", { as: { id: "29:nobody", name: "Nobody" } });
  await stage.side.send({ type: "message", text: "status", channelData: away });
  await stage.until(() => stage.heard.length === 4);
  const guests = stage.heard.map(({ person }) => `${person.name} ${person.guest}`);
  expect(guests.sort()).toEqual([
    "Ana Alvarez false",
    "Ana Alvarez true",
    "Bo Berg true",
    "Nobody true",
  ]);
});

test("an address or an identity names somebody of the roster", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  await stage.side.mention("status");
  await stage.until(() => stage.heard.length === 1);
  const found = { id: "teams:aad-bo", name: "Bo Berg", guest: false };
  expect(await surface.person("bo@corp.example", channel)).toEqual(found);
  expect(await surface.person("teams:29%3Abo", channel)).toEqual(found);
  expect(await surface.person("eve@corp.example", channel)).toBeNull();
  expect(await surface.person("slack:U1", channel)).toBeNull();
});
