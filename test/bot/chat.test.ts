import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { plainLine } from "../../bot/surfaces/local/render.ts";
import { runTerminal } from "../../bot/surfaces/local/terminal.ts";
import { type ChatWorld, chatWorld, projectLines } from "../doubles/chat-world.ts";

let world: ChatWorld;
beforeEach(async () => {
  world = await chatWorld();
  for (const [n, who] of ["anna", "bob"].entries()) {
    const bytes = Buffer.from(`Subject: for ${who}\r\n\r\n${n}\r\n`);
    const createdAt = world.clock.now() - 200 * 24 * 60 * 60 * 1000;
    world.system.deliver(`${who}@old.example`, "INBOX", bytes, { createdAt });
  }
});
afterEach(() => world[Symbol.asyncDispose]());

describe("the exit code of chat", () => {
  test("is 0 when all were accepted and every pass completed without failed items", async () => {
    const { code } = await world.chat([...projectLines(["anna"]), "verify", "prestage 90d --yes"]);
    expect(code).toBe(0);
  });

  test("is 2 when a command was refused, and nothing after it runs", async () => {
    const lines = [...projectLines(["anna"]), "prestage soon", 'licenses add 5 --note "more"'];
    const { code, printed } = await world.chat(lines);
    expect(code).toBe(2);
    expect(JSON.parse(printed.at(-1) ?? "")).toEqual({
      kind: "private",
      text: "“soon” is not a limit. Write it like 90d, or a date like 2026-08-01.",
    });
  });

  test("is 3 when a pass ended otherwise, and what follows still runs", async () => {
    await world.chat(projectLines(["anna"]));
    const { carry } = world;
    // Somebody else stops it before an engine has it.
    world.carry = async () => {
      await world.desk.passes.control(1, "stop", "local:bob");
      await carry();
    };
    const { code, printed } = await world.chat(["full --yes", "list"]);
    expect(code).toBe(3);
    expect(JSON.parse(printed.at(-1) ?? "").text).toMatch(/acme, 1 mailbox/);
  });

  test("is 1 for a fault of ours", async () => {
    world.desk.projects.list = () => Promise.reject(new Error("no disk"));
    expect((await world.chat(["list projects"])).code).toBe(1);
  });

  test("is 2 for somebody who may not", async () => {
    expect((await world.chat(["list projects"], { as: "mallory" })).code).toBe(2);
  });
});

test("with --no-wait it does not wait for what it started", async () => {
  await world.chat(projectLines(["anna"]));
  const { code } = await world.chat(["full --yes"], { wait: false });
  expect(code).toBe(0);
  expect((await world.desk.passes.recent(1, 1))[0]?.state).toBe("queued");
});

test("a plan that waits for its start is no pass to wait for; its start is", async () => {
  await world.chat(projectLines(["anna"]));
  expect((await world.chat(["full"])).code).toBe(0);
  const { code, printed } = await world.chat(["start 1"]);
  expect(code).toBe(0);
  expect(printed.filter((line) => line.startsWith('{"kind":"pass"'))).toHaveLength(1);
});

test("--json prints exactly the documented objects, and the pass line last", async () => {
  await world.chat(projectLines(["anna", "bob"]));
  const { printed } = await world.chat(["prestage 90d", "start 1"]);
  const lines = printed.map((line) => JSON.parse(line) as Record<string, unknown>);
  const keys: Record<string, string[]> = {
    private: ["kind", "text"],
    post: ["kind", "thread", "text", "facts", "buttons"],
    edit: ["kind", "thread", "text"],
    reply: ["kind", "thread", "text"],
  };
  for (const line of lines.slice(0, -1)) {
    expect(Object.keys(line)).toEqual(keys[line.kind as string]);
    if ("thread" in line) expect(line.thread).toMatch(/^local:main:\w+$/);
  }
  expect(lines[0]).toMatchObject({ kind: "post", buttons: ["Start", "Cancel"] });
  const sums = {
    listed: 1,
    migrated: 1,
    duplicates: 0,
    filtered: 0,
    failed: 0,
    vanished: 0,
    notCarried: 0,
  };
  const entry = (who: string) => ({
    source: `${who}@old.example`,
    target: `${who}@new.example`,
    state: "completed",
    ...sums,
    passesUsed: 1,
    license: "consumed",
  });
  expect(lines.at(-1)).toEqual({
    kind: "pass",
    id: "1",
    type: "prestage",
    state: "completed",
    ...sums,
    listed: 2,
    migrated: 2,
    bytes: expect.any(Number),
    entries: [entry("anna"), entry("bob")],
    licenses: { owned: 10, reserved: 0, consumed: 2, free: 8 },
  });
});

test("what is said privately is seen by that person alone", async () => {
  await world.chat(["list projects"]);
  const { printed } = await world.chat(["help"], { as: "mallory", json: false });
  expect(printed.join()).not.toMatch(/no projects yet/);
});

test("nothing in a line moves the cursor of a terminal or colours it", () => {
  const text = "anna \u001b[2J\u0007\u009b31m\u202egnp.exe\rX\nsecond";
  const line = {
    id: 1,
    at: 0,
    kind: "reply",
    thread: "local:main:1",
    for: null,
    extra: {},
  } as const;
  expect(plainLine({ ...line, text })).toBe("    anna [2J31mgnp.exeX\n    second");
});

test("the terminal answers each line, shows the channel, and ends with its input", async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  input.end(`${projectLines(["anna"]).join("\n")}\n\nlist\nexit\nlist projects\n`);
  const { bot, clock } = world;
  const { transcript } = world.desk;
  // Standing still, but letting the others have their turn.
  const turns = { now: clock.now, sleep: () => new Promise<void>((next) => setImmediate(next)) };
  const signal = new AbortController().signal;
  await runTerminal({
    input,
    output,
    prompt: false,
    as: null,
    bot,
    transcript,
    clock: turns,
    signal,
  });
  const shown = String(output.read());
  expect(shown).toMatch(/# Project acme, from old to new/);
  expect(shown).toMatch(/ {2}acme, 1 mailbox\n {2}mailbox +goes to/);
  expect(shown).not.toMatch(/this channel$/m);
});
