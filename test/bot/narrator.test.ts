import { afterEach, expect, test } from "vitest";
import { makeNarrator } from "../../bot/narrator.ts";
import { newsText } from "../../bot/wording/news.ts";
import { rootMessage } from "../../bot/wording/root.ts";
import { noCounters } from "../../engine/domain/counters.ts";
import type { News, NewsRow } from "../../engine/domain/news.ts";
import type { PassSnapshot } from "../../engine/domain/pass.ts";
import { presets } from "../../engine/domain/policy.ts";
import type { TranscriptLine } from "../../engine/domain/thread.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";

let world: ChatWorld;
afterEach(() => world?.[Symbol.asyncDispose]());

const day = 24 * 60 * 60 * 1000;

function mail(who: string, count: number): void {
  for (let n = 0; n < count; n += 1) {
    const bytes = Buffer.from(`Subject: ${who} ${n}\r\n\r\nhello\r\n`);
    world.system.deliver(`${who}@old.example`, "INBOX", bytes, {
      createdAt: world.clock.now() - (n + 1) * 40 * day,
    });
  }
}

/** The lines of the channel since the project was made, without what was answered privately. */
async function told(): Promise<TranscriptLine[]> {
  const lines = await world.lines();
  const last = lines.findLastIndex((line) => /^Added|licenses added/.test(line.text));
  return lines.slice(last + 1).filter((line) => line.kind !== "private");
}

test("a pass has one root message; what happens is told under it, in order, once", async () => {
  world = await chatWorld({ people: ["anna"] });
  mail("anna", 5);
  await world.say("prestage 90d --yes");
  await world.narrator.tick();
  await world.carry();
  await world.narrator.tick();

  const lines = await told();
  expect(lines.map((line) => line.kind)).toEqual([
    "post",
    "reply",
    "reply",
    "reply",
    "edit",
    "reply",
    "pass",
  ]);
  expect(new Set(lines.map((line) => line.thread)).size).toBe(1);
  expect(lines[0]?.text).toMatch(
    /^Pre-stage of acme, mail before 2026-08-22 14:00 \(Europe\/Berlin\): queued/,
  );
  expect(lines[4]?.text).toMatch(
    /: completed\n {2}3 migrated \(.*\), 0 already there, 0 failed; licenses used 1 of 10/,
  );
  expect(
    lines.filter((line) => line.kind === "reply").map((line) => line.text.split("\n")[0]),
  ).toEqual([
    "Started: anna@old.example.",
    "A license is used for anna@old.example; 9 free.",
    "anna@old.example is done: 3 migrated, 0 already there, 2 filtered.",
    expect.stringMatching(/^Pre-stage of acme.*: completed\. 3 migrated/),
  ]);
});

test("narrators that die again and again tell everything, and nothing twice", async () => {
  world = await chatWorld({ people: ["anna"] });
  mail("anna", 3);
  await world.say("full --yes");
  await world.run();
  const { newsroom } = world.desk;
  /** Lives until it notes something for the second time: what it said just before is not noted. */
  const life = () => {
    let notes = 0;
    const dying = <Args extends unknown[]>(note: (...args: Args) => Promise<void>) => {
      return (...args: Args) => {
        notes += 1;
        return notes > 1 ? Promise.reject(new Error("power cut")) : note(...args);
      };
    };
    const torn = {
      ...newsroom,
      posted: dying(newsroom.posted),
      delivered: dying(newsroom.delivered),
    };
    const desk = { ...world.desk, newsroom: torn };
    return makeNarrator({ desk, surfaces: [world.surface], clock: world.clock }).tick();
  };
  let deaths = 0;
  while ((await newsroom.undelivered(1)).length > 0) {
    await life().catch((error: Error) => {
      expect(error.message).toBe("power cut");
      deaths += 1;
    });
  }

  expect(deaths).toBeGreaterThan(3);
  const lines = await told();
  expect(lines.filter((line) => line.kind === "post")).toHaveLength(1);
  expect(lines.filter((line) => line.kind === "pass")).toHaveLength(1);
  const replies = lines.filter((line) => line.kind === "reply").map((line) => line.text);
  expect(replies).toHaveLength(4);
  expect(new Set(replies).size).toBe(4);
});

test("the root message is edited only on change, at most every 5 seconds, and the last time always", async () => {
  world = await chatWorld({ people: ["anna", "bob"] });
  await world.say("full --yes");
  const { passes } = world.desk;
  const { snapshot } = passes;
  let migrated = 0;
  passes.snapshot = async (id) => {
    const pass = await snapshot(id);
    return pass.state === "queued" || pass.state === "processing"
      ? { ...pass, state: "processing", counters: { ...pass.counters, listed: 100, migrated } }
      : pass;
  };
  const edits = async () => (await told()).filter((line) => line.kind === "edit").length;
  await world.narrator.tick();
  expect(await edits()).toBe(0);
  migrated = 1;
  await world.narrator.tick();
  expect(await edits()).toBe(1);
  for (const ms of [1000, 1000, 1000, 1000]) {
    world.clock.advance(ms);
    migrated += 1;
    await world.narrator.tick();
  }
  expect(await edits()).toBe(1);
  world.clock.advance(1000);
  await world.narrator.tick();
  expect(await edits()).toBe(2);
  world.clock.advance(60_000);
  await world.narrator.tick();
  expect(await edits()).toBe(2);
  // The end comes a moment after an edit and is drawn all the same.
  migrated += 1;
  await world.narrator.tick();
  expect(await edits()).toBe(3);
  await world.carry();
  expect(await edits()).toBe(4);
});

test("a large pass is read no more often than its root message may be edited, news at once", async () => {
  world = await chatWorld({ people: ["anna"] });
  await world.say("full --yes");
  const { passes } = world.desk;
  const { snapshot } = passes;
  let [looks, mailboxes] = [0, 101];
  passes.snapshot = async (id) => {
    looks += 1;
    const pass = await snapshot(id);
    return { ...pass, runs: Array.from({ length: mailboxes }, () => pass.runs[0]!) };
  };
  const looksWithin = async (seconds: number) => {
    looks = 0;
    for (let n = 0; n < seconds; n += 1) {
      await world.narrator.tick();
      world.clock.advance(1000);
    }
    return looks;
  };
  expect(await looksWithin(60)).toBe(12);
  await world.say("pause");
  expect(await looksWithin(1)).toBe(1);

  mailboxes = 2;
  await looksWithin(10);
  expect(await looksWithin(60)).toBe(60);
});

test("many mailboxes that end together are told in one", async () => {
  const people = ["a", "b", "c", "d", "e", "f", "g"];
  world = await chatWorld({ people });
  for (const who of people) mail(who, 1);
  await world.say("full --yes");
  await world.carry();
  const replies = (await told()).filter((line) => line.kind === "reply").map((line) => line.text);
  expect(replies).toHaveLength(4);
  expect(replies[1]).toMatch(/^7 licenses are used for a@old\.example, .*; 3 free\.$/);
  expect(replies[2]).toMatch(/^7 mailboxes completed: a@old\.example, b@old\.example/);
});

test("pause, resume and stop are told with who did it", async () => {
  world = await chatWorld({ people: ["anna"] });
  mail("anna", 1);
  await world.say("full --yes");
  for (const typed of ["pause", "resume", "stop anna@old.example"]) {
    expect((await world.say(typed)).result).toBe("accepted");
    await world.narrator.tick();
  }
  const text = (await told()).map((line) => line.text).join("\n");
  expect(text).toMatch(/Paused by local:owner\. Type `resume 1`/);
  expect(text).toMatch(/Resumed by local:owner/);
  expect(text).toMatch(/anna@old\.example was stopped; what was carried stays/);
});

test("in a pass's thread a command without a number means that pass", async () => {
  world = await chatWorld({ people: ["anna", "bob"] });
  await world.say("full anna@old.example --yes");
  await world.say("full bob@old.example --yes");
  await world.narrator.tick();
  expect(await world.hear("stop")).toMatch(/Several passes.*`stop 2` \(full\), `stop 1` \(full\)/);
  const thread = await world.desk.newsroom.root(2);
  await world.say("stop", { thread });
  await world.carry();
  const states = (await world.desk.passes.recent(1, 5)).map((pass) => pass.state);
  expect(states).toEqual(["stopped", "completed"]);
});

const pass: PassSnapshot = {
  id: 7,
  project: { id: 1, name: "acme", zone: "Europe/Berlin" },
  kind: "delta",
  state: "processing",
  limit: null,
  policy: presets.rackspace,
  startedBy: "local:owner",
  thread: "local:main",
  createdAt: 0,
  startedAt: 0,
  endedAt: null,
  counters: {
    ...noCounters(),
    listed: 20_000,
    migrated: 1204,
    duplicates: 18_230,
    failed: 0,
    bytes: 52_428_800,
  },
  expected: 38_868,
  runs: [
    {
      id: 1,
      entry: 1,
      source: "anna@old.example",
      target: "anna@new.example",
      state: "processing",
      reason: null,
      waiting: null,
      after: null,
      counters: noCounters(),
      expected: null,
      passesUsed: 1,
      license: "consumed",
      survey: null,
    },
  ],
  licenses: { owned: 20, reserved: 0, consumed: 12, free: 8 },
};

test("the root message says how far, how fast, how long still, and what to type next", () => {
  expect(rootMessage(pass, 100_000).text).toBe(
    [
      "Delta of acme: processing",
      "  [██████████░░░░░░░░░░] 50 %",
      "  1\u202f204 migrated (50 MB), 18\u202f230 already there, 0 failed; licenses used 12 of 20",
      "  pass 7, started by local:owner, 1 mailbox; 2 min so far, 512 KB/s, about 2 min left",
      "  Type `pause 7` or `stop 7`.",
    ].join("\n"),
  );
});

test("the root message names what is waited for, and promises no time then", () => {
  const [run] = pass.runs;
  const waits = { for: "throttled", until: 160_000 } as const;
  const text = rootMessage(
    { ...pass, runs: run ? [{ ...run, waiting: waits }] : [] },
    100_000,
  ).text;
  expect(text).toMatch(
    /anna@old\.example waits for a server that asked for a pause until 01:02:40/,
  );
  expect(text).toMatch(/time left not known/);
});

test("the last message of a delta says what changed and went at the source, and what that means", () => {
  const over: PassSnapshot = {
    ...pass,
    state: "completed",
    endedAt: 60_000,
    counters: { ...pass.counters, filtered: 566, deleted: 6, changed: 3, gone: 2, datesClamped: 1 },
  };
  const text = newsText(row({ type: "pass ended", state: "completed" }), over) ?? "";
  for (const part of [
    /566 left out by filters, 6 of them marked as deleted/,
    /1 had an impossible date/,
    /3 carried mails changed .* the new place keeps them as carried/,
    /2 carried mails are gone .* the new place keeps them/,
    /Type `delta` again/,
  ]) {
    expect(text).toMatch(part);
  }
  const untold = { ...over, counters: { ...over.counters, changed: null } };
  expect(newsText(row({ type: "pass ended", state: "completed" }), untold)).toMatch(/cannot tell/);
});

test("what a mail server says is shown without control characters, cut and on one line", () => {
  const reason = `NO \u001b[31mbad\u202e\r\n@here <!channel> ${"x".repeat(2000)}`;
  const text = newsText(
    row({ type: "first failure", entry: "anna@old.example", folder: "IN\u0007BOX\nX", reason }),
    pass,
  );
  expect(text).toMatch(/folder IN BOX X: NO \[31mbad @here/);
  expect(text).not.toMatch(/[\u001b\u202e\r\n]/);
  expect(text?.length).toBeLessThan(800);
});

function row(news: News): NewsRow {
  return { id: 1, pass: 7, at: 0, news };
}
