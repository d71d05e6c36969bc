import { expect, test } from "vitest";
import type { ChatError } from "../../../../bot/surface.ts";
import { waitOf } from "../../../../bot/surfaces/teams/pace.ts";
import type { Failure } from "../../../servers/teams.ts";
import { channelId } from "../../../servers/teams-side.ts";
import { openStage } from "./stage.ts";

const channel = `teams:${encodeURIComponent(channelId)}`;
const send = /^POST \/v3\/conversations\/[^/]+\/activities/;

test.each([
  [{ status: 429, headers: { "retry-after": "7" } }, "limited", 7000],
  [{ status: 429 }, "limited", 1000],
  [{ status: 412 }, "limited", 1000],
  [{ status: 500 }, "unreachable", 1000],
  [{ status: 502 }, "unreachable", 1000],
  [{ status: 503 }, "unreachable", 1000],
  [{ status: 504 }, "unreachable", 1000],
  [{ status: 400 }, "refused", undefined],
  [{ status: 401 }, "refused", undefined],
  [{ status: 403 }, "refused", undefined],
  [{ status: 404 }, "refused", undefined],
  [{ status: 413 }, "refused", undefined],
] as [Omit<Failure, "on">, string, number | undefined][])(
  "Teams' %o is told as %s, and asked once only",
  async (failure, kind, retryAfterMs) => {
    await using stage = await openStage();
    await stage.side.mention("status");
    await stage.until(() => stage.heard.length === 1);
    stage.fake.asked.splice(0);
    stage.fake.fail({ on: send, ...failure, times: 100 });
    const error = await thrown(stage.platform.surface.post(channel, { text: "Hello." }));
    expect(error).toMatchObject({ name: "ChatError", kind, retryAfterMs });
    expect(stage.fake.asked.filter((line) => send.test(line))).toHaveLength(1);
    expect(stage.fake.messages).toEqual([]);
  },
);

test("a service that is gone is unreachable", async () => {
  await using stage = await openStage();
  await stage.side.mention("status");
  await stage.until(() => stage.heard.length === 1);
  await stage.fake[Symbol.asyncDispose]();
  const error = await thrown(stage.platform.surface.post(channel, { text: "Hello." }));
  expect(error).toMatchObject({ kind: "unreachable" });
});

test("where nobody spoke to us yet, nothing can be said, and what to do is", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  const error = await thrown(surface.post(channel, { text: "Hello." }));
  expect(error).toMatchObject({ kind: "refused" });
  expect(error.message).toContain("mention me once");
  for (const place of ["teams:%", "slack:C1", "teams:a:b:c", "teams:"]) {
    expect(await thrown(surface.reply(place, { text: "x" }))).toMatchObject({ kind: "refused" });
  }
});

test("an edit of a message that is gone is refused, not tried for ever", async () => {
  await using stage = await openStage();
  await stage.side.mention("status");
  await stage.until(() => stage.heard.length === 1);
  const error = await thrown(stage.platform.surface.edit(`${channel}:404`, { text: "x" }));
  expect(error).toMatchObject({ kind: "refused" });
});

test("more messages than Teams takes are held back before they are sent", async () => {
  await using stage = await openStage();
  const { surface } = stage.platform;
  await stage.side.mention("status");
  await stage.until(() => stage.heard.length === 1);
  for (let n = 0; n < 7; n += 1) await surface.post(channel, { text: `${n}` });
  const error = await thrown(surface.post(channel, { text: "Too much." }));
  expect(error).toMatchObject({ kind: "limited", retryAfterMs: 1000 });
  expect(stage.fake.messages).toHaveLength(7);
  // Another thread has a pace of its own.
  await surface.reply(`${channel}:100`, { text: "Elsewhere." });
  stage.clock.advance(1000);
  await surface.post(channel, { text: "Now." });
  expect(stage.fake.messages).toHaveLength(9);
});

test("each of the limits is kept", () => {
  const at = (n: number, ms: number) => Array.from({ length: n }, (_, i) => i * ms);
  expect(waitOf([], 0)).toBe(0);
  expect(waitOf(at(7, 0), 999)).toBe(1);
  expect(waitOf(at(8, 200), 1450)).toBe(550);
  expect(waitOf(at(60, 400), 23_600)).toBe(6400);
  expect(waitOf(at(1800, 1900), 3_419_000)).toBe(181_000);
  expect(waitOf(at(60, 500), 30_000)).toBe(0);
});

async function thrown(work: Promise<unknown>): Promise<ChatError> {
  return work.then(
    () => Promise.reject(new Error("It was taken.")),
    (error) => error,
  );
}
