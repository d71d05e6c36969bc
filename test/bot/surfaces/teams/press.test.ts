import { expect, test } from "vitest";
import type { Form } from "../../../../bot/message.ts";
import { bo, channelId, readCard } from "../../../servers/teams-side.ts";
import { openStage } from "./stage.ts";

const channel = `teams:${encodeURIComponent(channelId)}`;
const form: Form = {
  title: "Master password",
  fields: [
    { name: "password", label: "Password", kind: "secret" },
    { name: "list", label: "List", kind: "file", optional: true },
  ],
  submit: "Seal it",
  command: "endpoint secret old",
  otherwise: "Nothing was done.",
};

test("a press is its command, and a short answer to it stands under the button", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  stage.answer.with = ({ person, channel: place, trigger }) =>
    surface.private({ person: person.id, place, trigger }, { text: "Started by `bo` already." });
  const response = await stage.side.press("start 3", { as: bo, root: "100", message: "100" });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    statusCode: 200,
    type: "application/vnd.microsoft.activity.message",
    value: "Started by bo already.",
  });
  expect(stage.heard[0]).toMatchObject({
    person: { id: "teams:aad-bo" },
    text: "start 3",
    channel,
    thread: `${channel}:100`,
    values: null,
  });
  expect(stage.fake.messages).toEqual([]);
});

test("a long answer goes to the personal chat, with buttons that are meant where it was asked", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  stage.answer.with = ({ person, thread, trigger }) =>
    surface.private(
      { person: person.id, place: thread!, trigger },
      { text: "1\n2", buttons: [{ label: "Retry", command: "retry" }] },
    );
  const response = await stage.side.press("report", { root: "100" });
  expect(await response.json()).toMatchObject({ value: "The answer is in your own chat with me." });
  const [own] = stage.fake.messages;
  expect(own?.conversation).toBe("a:29:ana");

  stage.answer.with = async () => {};
  const place = `${channel}:100`;
  expect(JSON.stringify(own?.activity)).toContain(JSON.stringify({ command: "retry", place }));
  await stage.side.press("retry", { chat: "a:29:ana", place });
  expect(stage.heard[1]).toMatchObject({ text: "retry", channel, thread: place });
});

test("a button cannot speak for a place its presser is not in", async () => {
  await using stage = await openStage();
  const elsewhere = "teams:19%3Aboard%40thread.tacv2";
  await stage.side.press("retry", { place: elsewhere, root: "100" });
  await stage.side.mention("x", { chat: "19:board@thread.tacv2" });
  stage.fake.members.splice(0);
  stage.clock.advance(3_600_000);
  await stage.side.press("retry", { place: elsewhere, root: "100" });
  expect(stage.heard.filter(({ text }) => text === "retry").map((one) => one.channel)).toEqual([
    channel,
    channel,
  ]);
});

test("a press that nothing is said to is answered when it is done, and one that takes long at once", async () => {
  await using stage = await openStage({ answerWithinMs: 40 });
  const { surface } = stage.platform;
  const quick = await stage.side.press("pause");
  expect(await quick.json()).toMatchObject({ value: "Done." });

  const going = Promise.withResolvers<void>();
  stage.answer.with = async ({ person, channel: place, trigger }) => {
    await going.promise;
    await surface.private({ person: person.id, place, trigger }, { text: "Paused." });
  };
  const slow = await stage.side.press("pause");
  expect(await slow.json()).toMatchObject({ value: "I am on it; the answer follows." });
  going.resolve();
  await stage.until(() => stage.fake.messages.length === 1);
  expect(stage.fake.messages[0]?.conversation).toBe("a:29:ana");
});

test("one press delivered twice has one id, two presses have two", async () => {
  await using stage = await openStage();
  await stage.side.press("start 3", { id: "f:1" });
  await stage.side.press("start 3", { id: "f:1" });
  await stage.side.press("start 3", { id: "f:2" });
  expect(new Set(stage.heard.map((one) => one.eventId)).size).toBe(2);
});

test("a client that knows no Action.Execute sends the command as a message", async () => {
  await using stage = await openStage();
  await stage.side.send({ type: "message", value: { command: "start 3" } });
  await stage.until(() => stage.heard.length === 1);
  expect(stage.heard[0]).toMatchObject({ text: "start 3", trigger: null });
});

test("a form is asked for, opened, sent and answered without a word of it in the chat", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  stage.answer.with = async ({ person, thread, channel: at, trigger, values }) => {
    const to = { person: person.id, place: thread ?? at, trigger };
    if (values === null) await surface.form(to, form);
    else await surface.private(to, { text: "Sealed." });
  };
  await stage.side.mention("endpoint secret old");
  await stage.until(() => stage.fake.messages.length === 1);
  const [ask] = stage.fake.messages;
  expect(ask?.conversation).toBe("a:29:ana");
  expect(readCard(ask?.activity.attachments).buttons).toEqual(["Open the form"]);
  const press = buttonData(ask?.activity);
  expect(press).toMatchObject({ msteams: { type: "task/fetch" }, place: channel });

  const opened = await stage.side.task("fetch", press, { chat: "a:29:ana" });
  const { task } = (await opened.json()) as { task: { type: string; value: { card: unknown } } };
  expect(task.type).toBe("continue");
  expect(JSON.stringify(task.value.card)).toContain('"style":"Password"');

  const sent = { ...buttonData(task.value.card), password: "hunter2-canary", list: "a,b\nc,d" };
  const answered = await stage.side.task("submit", sent, { chat: "a:29:ana" });
  expect(readCard(await answered.json()).text).toBe("Sealed.");
  const last = stage.heard.at(-1);
  expect(last).toMatchObject({ text: "endpoint secret old", channel, thread: null });
  expect([...(last?.values ?? [])].map(([name, value]) => `${name}=${value.reveal()}`)).toEqual([
    "password=hunter2-canary",
    "list=a,b\nc,d",
  ]);
  expect(JSON.stringify([stage.fake.messages, stage.logged])).not.toContain("hunter2");
});

test("a press that leads to a form shows the button that opens it, to whoever pressed", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  stage.answer.with = ({ person, channel: place, trigger }) =>
    surface.form({ person: person.id, place, trigger }, form);
  const response = await stage.side.press("endpoint secret old");
  const body = (await response.json()) as { type: string };
  expect(body.type).toBe("application/vnd.microsoft.card.adaptive");
  expect(readCard(body).buttons).toEqual(["Open the form"]);
  expect(stage.fake.messages).toEqual([]);
});

/** What the first button in a card brings. */
function buttonData(card: unknown): Record<string, unknown> {
  const found = JSON.stringify(card).match(/"actions":(\[.*?\}\}?\])/)?.[1];
  const [action] = JSON.parse(found ?? "[]") as { data: Record<string, unknown> }[];
  return action?.data ?? {};
}
