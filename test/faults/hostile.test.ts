import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PassSnapshot } from "../../engine/domain/pass.ts";
import { presets } from "../../engine/domain/policy.ts";
import type { Limits } from "../../engine/providers/imap/limits.ts";
import { preview, submit } from "../../engine/submit.ts";
import { addressAt, deliver } from "../engine/providers/addresses.ts";
import { type Dovecot, startDovecot } from "../servers/dovecot.ts";
import { type HostileServer, letterOf, standing, startHostile } from "../servers/hostile-imap.ts";
import { nodeFlags } from "../servers/node-flags.ts";
import { startWorld, type World } from "../servers/world.ts";
import { sources, targets } from "./misdeeds.ts";

// One engine carries a mailbox of each kind of broken or lying server, and honest ones beside them.

const quick: Partial<Limits> = { commandMs: 3000, loginMs: 15_000 };
const megabytes = 1024;
const honest = ["ada", "bob", "cyd"];

let server: HostileServer;
let dovecot: Dovecot;
let world: World;
let hostilePass: PassSnapshot;
let honestPass: PassSnapshot;
let peak = 0;

beforeAll(async () => {
  const misdeeds = { ...sources, ...atTheNewPlace() };
  [server, dovecot] = await Promise.all([
    startHostile({ misdeeds, capabilities: "COMPRESS=DEFLATE" }),
    startDovecot(),
  ]);
  for (const name of honest) await deliver(dovecot, name, "INBOX", mails(name));
  world = await startWorld(server, server, { licenses: 100 });
  await world.add(...Object.keys(sources), ...Object.keys(targets));
  const hostileId = await world.submit("full");
  const honestId = await submitHonest();
  peak = await engine(quick).peak;
  const { passes } = world.godwit.desk;
  hostilePass = await passes.snapshot(hostileId);
  honestPass = await passes.snapshot(honestId);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await Promise.all([server?.[Symbol.asyncDispose](), dovecot?.[Symbol.asyncDispose]()]);
});

describe("an engine that carries from and to every kind of them", () => {
  test("stays below 512 MB", () => {
    expect(peak).toBeLessThan(512 * megabytes);
  });

  test("carries the mailboxes of honest servers meanwhile, whole and once", async () => {
    const ends = honestPass.runs.map(({ state, reason }) => ({ state, reason }));
    expect(ends).toEqual(honest.map(() => ({ state: "completed", reason: null })));
    for (const name of honest) {
      await using client = await dovecot.login(`${name}-new`);
      const stored = (await client.dump()).get("INBOX")?.messages;
      expect(stored?.length).toBe(mails(name).length);
    }
  });

  test("never asks an old server for more than to look, and no server to compress", () => {
    const looks = /: (LOGIN|CAPABILITY|LIST|STATUS|EXAMINE|UID FETCH|NOOP|LOGOUT)\b/;
    const said = server.commands.filter((one) => one !== ": CAPABILITY");
    expect(said.filter((one) => !/^\S+\.new:/.test(one) && !looks.test(one))).toEqual([]);
    const fills =
      /: (SELECT|CREATE|SUBSCRIBE|APPEND|NOOP|LOGIN|CAPABILITY|LIST|UID FETCH|LOGOUT)\b/;
    expect(said.filter((one) => /^\S+\.new:/.test(one) && !fills.test(one))).toEqual([]);
  });
});

/** What a run says, and how many letters are at the new place in INBOX and Work. */
function outcome(kind: string) {
  const run = hostilePass.runs.find(({ source }) => source === `${kind}@old.example`)!;
  const put = (folder: string) => server.letters(`${kind}.new`, folder);
  return { ...run, inbox: put("INBOX").length, work: put("Work").length };
}

const sent = "gave up after 2 tries: old sent";
const late = /gave up after 2 tries: old did not come to the end of an answer .* in time/;

describe("a source that breaks off the connection by what it does ends as failed, with words:", () => {
  test.each([
    ["literal-of-a-terabyte", `${sent} a text of 1099511627776 bytes at once`],
    ["line-without-end", sent],
    ["words-without-end", `${sent} more than 131072 words at once`],
    ["word-that-is-copied", `${sent} a word without an end`],
    ["texts-without-end", `${sent} more than 1000 texts at once`],
    ["capabilities-of-ten-megabytes", sent],
    ["million-folders", "old lists more than 20000 folders"],
    ["compressed", "gave up after 2 tries: old"],
    ["literals-without-end", "gave up after 2 tries: old"],
    ["answers-without-end", "gave up after 2 tries: old"],
    ["drips-its-answer", late],
    ["drips-a-message", late],
    ["literal-too-short", "gave up after 2 tries"],
    ["wrong-tag", late],
    ["says-bye", "gave up after 2 tries"],
  ])("%s", (kind, words) => {
    const { state, reason, inbox, work } = outcome(kind);
    expect(state).toBe("failed");
    expect(reason).toMatch(words);
    expect(reason).toMatch(/`(delta|verify .*)`/);
    expect([inbox, work]).toEqual([0, 0]);
  });
});

describe("a folder or message that cannot be taken fails alone:", () => {
  test.each([
    ["name-of-ten-thousand", /its name has 10000 bytes/, 3, 2],
    ["name-with-a-command", /its name has bytes that may stand in none/, 3, 2],
    ["depth-of-five-thousand", /it lies 60 levels deep/, 3, 2],
    ["nested-in-brackets", /told of 1 folders in words that cannot be read/, 3, 2],
    ["names-of-objects", /__proto__ cannot be opened: none; constructor/, 3, 2],
    ["name-as-a-path", /cannot be opened/, 3, 2],
    ["wrong-charset", /cannot be opened/, 3, 2],
    ["four-billion-messages", /said to hold 4000000000 messages/, 0, 2],
    ["more-than-can-be", /does not tell how many messages/, 0, 2],
    ["uidvalidity-of-nothing", /has no UIDVALIDITY/, 0, 2],
  ])("%s", (kind, words, ...put) => {
    const { state, reason, inbox, work } = outcome(kind);
    expect(state).toBe("completed_with_errors");
    expect(reason).toMatch(words);
    expect([inbox, work]).toEqual(put);
  });
});

test("each message without an end fails by itself", () => {
  const { state, counters, inbox, work } = outcome("message-without-end");
  const { listed } = counters;
  expect(listed).toBe(standing.INBOX + standing.Work);
  expect({ state, counters, inbox, work }).toMatchObject({
    state: "completed_with_errors",
    counters: { migrated: 0, failed: listed },
    inbox: 0,
    work: 0,
  });
});

test("no place is made for a folder that is not taken", () => {
  const kinds = ["name-of-ten-thousand", "name-with-a-command", "depth-of-five-thousand"];
  const made = server.commands.filter((one) =>
    kinds.some((kind) => one.startsWith(`${kind}.new: CREATE`)),
  );
  expect(made.sort()).toEqual(kinds.map((kind) => `${kind}.new: CREATE "Work"`).sort());
});

describe("what is only odd is carried, and each letter once:", () => {
  test.each([
    "uids-that-cannot-be",
    "uids-told-again",
    "uids-nobody-asked-for",
    "hundred-thousand-flags",
    "keywords-of-objects",
    "answers-twice",
    "uidnext-of-words",
    "goes-on-unasked",
  ])("%s", (kind) => {
    expect(outcome(kind)).toMatchObject({ state: "completed", inbox: standing.INBOX });
    const bodies = server.letters(`${kind}.new`, "INBOX").map(({ body }) => String(body));
    expect(bodies).toEqual([1, 2, 3].map((n) => String(letterOf(kind, "INBOX", n))));
  });

  test("of a hundred thousand keywords no more than are kept reach the new place", () => {
    const [first] = server.letters("hundred-thousand-flags.new", "INBOX");
    expect(first?.flags.split(" ").length).toBeLessThanOrEqual(200);
  });
});

describe("of a target that lies", () => {
  test.each([
    "drips-its-receipt",
    "nests-its-receipt",
    "refuses-in-ten-megabytes",
    "says-bye-on-append",
    "folders-without-end",
  ])("nothing is taken for carried: %s", (kind) => {
    const { state, reason, counters } = outcome(kind);
    expect(state).toBe("failed");
    expect(reason).toMatch(/gave up after 2 tries: .*`delta`|lists more than 20000 folders/);
    expect(counters.migrated).toBe(0);
  });

  test("a UID that another message has is not believed, and what another folder says changes no place", () => {
    expect(outcome("uid-of-another")).toMatchObject({ state: "completed" });
    expect(outcome("opens-another-folder")).toMatchObject({
      state: "completed",
      inbox: 3,
      work: 2,
    });
  });

  test("that it stored nothing is seen by a verify", async () => {
    expect(outcome("stores-nothing")).toMatchObject({ state: "completed", inbox: 0 });
    const pass = await world.pass("verify", { selection: ["stores-nothing@old.example"] });
    expect(pass.runs[0]?.survey).toMatchObject({ source: { items: 5 }, target: { items: 0 } });
  });
});

describe("without the limits", () => {
  test("the memory is seen to grow and the deadline to pass", async () => {
    await using unlimited = await startWorld(server, server);
    await unlimited.add("drips-its-answer", "words-without-end");
    const pass = await unlimited.submit("full");
    const lifted = { line: 2 ** 40, tokens: 2 ** 40, work: 2 ** 50, commandMs: 2 ** 30 };
    const began = Date.now();
    const running = engine(lifted, unlimited);
    try {
      while ((await running.memory()) < 512 * megabytes && Date.now() - began < 30_000) {
        await delay(20);
      }
      expect(await running.memory()).toBeGreaterThanOrEqual(512 * megabytes);
      await delay(Math.max(0, began + 2 * 3000 + 1000 - Date.now()));
      const { runs } = await unlimited.godwit.desk.passes.snapshot(pass);
      const dripping = runs.find(({ source }) => source.startsWith("drips"));
      expect(dripping?.state).toBe("processing");
    } finally {
      running.kill();
      await running.peak;
    }
  });
});

function atTheNewPlace() {
  return Object.fromEntries(Object.entries(targets).map(([kind, does]) => [`${kind}.new`, does]));
}

function mails(name: string) {
  return Array.from({ length: 40 }, (_, n) => ({ body: `Subject: ${name} ${n}\r\n\r\n${n}\r\n` }));
}

/** A project of its own on the honest server. */
async function submitHonest(): Promise<number> {
  const { desk } = world.godwit;
  const ends = await Promise.all(
    ["honest-old", "honest-new"].map((name) => {
      const { id: _, ...endpoint } = addressAt(dovecot, "", { name }).endpoint;
      return desk.projects.addEndpoint(endpoint);
    }),
  );
  const project = await desk.projects.create({
    name: "honest",
    sourceEndpoint: ends[0]!.id,
    targetEndpoint: ends[1]!.id,
    policy: presets.rackspace,
    zone: "Europe/Berlin",
  });
  await desk.licenses.grant(project.id, 10, "test", "order 2");
  const none = { sourceUser: null, sourcePassword: null, targetUser: null, targetPassword: null };
  await desk.projects.add(
    project.id,
    honest.map((name) => ({ source: name, target: `${name}-new`, ...none })),
  );
  const request = { kind: "full" as const, limit: null, selection: [], types: null };
  const plan = await preview(request, project.id, false, desk);
  return submit(plan, { who: "test", thread: "test:2" }, desk);
}

/** An engine in a process of its own; `peak` ends with it, in KB. */
function engine(limits: Partial<Limits>, { databaseUrl }: World = world) {
  const child = spawn(
    process.execPath,
    [
      ...nodeFlags,
      ...[join(import.meta.dirname, "hostile-process.ts"), databaseUrl, JSON.stringify(limits)],
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, GODWIT_KEYS: "" } },
  );
  let told = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    told = Number(/^PEAK (\d+)/.exec(line)?.[1] ?? told);
  });
  return {
    peak: once(child, "close").then(() => told),
    kill: () => void child.kill("SIGKILL"),
    /** Resident at most until now, in KB. */
    async memory() {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    },
  };
}
