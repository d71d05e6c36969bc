import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { letters } from "./doubles/letters.ts";
import { compare, touched } from "./servers/checker.ts";
import { type CommandLine, type Ended, openCommandLine } from "./servers/command-line.ts";
import { type Dovecot, startDovecot } from "./servers/dovecot.ts";
import type { Dump } from "./servers/imap-client.ts";
import { type ImapProxy, startProxy } from "./servers/proxy.ts";

// The verbs as people type them, on two real servers: what the command line's documentation fixes.

let old: Dovecot;
let fresh: Dovecot;

beforeAll(async () => {
  [old, fresh] = await Promise.all([startDovecot(), startDovecot()]);
});

afterAll(async () => {
  await Promise.all([old?.[Symbol.asyncDispose](), fresh?.[Symbol.asyncDispose]()]);
});

const n = z.number().int().nonnegative();
const counters = {
  listed: n,
  migrated: n,
  duplicates: n,
  filtered: n,
  failed: n,
  vanished: n,
  notCarried: n,
};
const state = z.enum(["completed", "completed_with_errors", "failed", "stopped"]);
const thread = z.string().startsWith("local:");
const Line = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("private"), text: z.string().min(1) }),
  z.strictObject({
    kind: z.literal("post"),
    thread,
    text: z.string().min(1),
    facts: z.record(z.string(), z.string()),
    buttons: z.array(z.string()),
  }),
  z.strictObject({ kind: z.literal("edit"), thread, text: z.string().min(1) }),
  z.strictObject({ kind: z.literal("reply"), thread, text: z.string().min(1) }),
  z.strictObject({
    kind: z.literal("pass"),
    id: z.string().min(1),
    type: z.enum(["verify", "trial", "prestage", "full", "delta", "retry", "repair"]),
    state,
    ...counters,
    bytes: n,
    entries: z.array(
      z.strictObject({
        source: z.string(),
        target: z.string(),
        state,
        ...counters,
        passesUsed: n,
        license: z.enum(["none", "reserved", "consumed", "released"]),
      }),
    ),
    licenses: z.strictObject({ owned: n, reserved: n, consumed: n, free: n }),
  }),
]);
type Line = z.infer<typeof Line>;
type PassLine = Extract<Line, { kind: "pass" }>;
const sums = Object.keys(counters) as (keyof typeof counters)[];

/** Every line as its object; what is no documented object throws. */
function read({ stdout }: Pick<Ended, "stdout">): Line[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Line.parse(JSON.parse(line)));
}

function passes(ended: Pick<Ended, "stdout">): PassLine[] {
  return read(ended).filter((line) => line.kind === "pass");
}

function balanced(pass: PassLine): void {
  for (const one of [pass, ...pass.entries]) {
    const { listed, migrated, duplicates, filtered, failed, vanished, notCarried } = one;
    expect(listed).toBe(migrated + duplicates + filtered + failed + vanished + notCarried);
  }
  for (const name of sums) {
    expect(pass[name]).toBe(pass.entries.reduce((sum, entry) => sum + entry[name], 0));
  }
}

const secrets = { OLD_PASSWORD: "masterpass", NEW_PASSWORD: "masterpass", PERSON_PASSWORD: "pass" };
let people = 0;
const person = () => `person${++people}`;

/** So many letters over a year, in three folders. */
async function deliver(user: string, count: number, seed = 1): Promise<void> {
  await using client = await old.login(`${user}@old.example`);
  const there = new Set((await client.list()).map(({ name }) => name));
  for (const folder of ["INBOX", "Work", "Übersicht"]) {
    if (!there.has(folder)) await client.create(folder);
    const mails = letters({
      seed: seed * 10 + folder.length,
      count: count / 3,
      size: { min: 200, max: 900 },
    });
    await client.appendMany(
      folder,
      mails.map(({ raw, flags, date }) => ({ body: raw, flags, date: date.getTime() })),
    );
  }
}

async function dump(server: Dovecot, user: string): Promise<Dump> {
  await using client = await server.login(user);
  return await client.dump();
}

/** What the witness misses or finds twice between the two ends; empty when all is well. */
async function wrong(user: string) {
  const { lost, duplicated, foreign } = compare(
    await dump(old, `${user}@old.example`),
    await dump(fresh, `${user}@new.example`),
  );
  return [...lost, ...duplicated, ...foreign];
}

/** Both ends by their master, ten licenses, and these people; `to` may stand in front of the target. */
async function setUp(line: CommandLine, users: string[], to: Pick<ImapProxy, "port"> = fresh) {
  const ended = await line.godwit(
    [
      "chat",
      `endpoint new old imap://127.0.0.1:${old.port} --login master --user master --password-env OLD_PASSWORD --insecure`,
      `endpoint new new imap://127.0.0.1:${to.port} --login master --user master --password-env NEW_PASSWORD --insecure`,
      "project new acme --from old --to new",
      'licenses add 10 --note "order 4711"',
      ...users.map((user) => `add ${user}@old.example ${user}@new.example`),
    ],
    secrets,
  );
  expect(ended).toMatchObject({ code: 0 });
}

describe("chat --json", () => {
  test("carries the mailboxes of a documented journey, each pass one line whose sums balance", async () => {
    await using line = await openCommandLine();
    const [alice, bob] = [person(), person()];
    await deliver(alice, 30);
    await deliver(bob, 15);
    const before = await dump(old, `${alice}@old.example`);
    await line.write("ca.pem", fresh.certificate.ca);
    await line.write(
      "mailboxes.csv",
      [alice, bob]
        .map((name) => `${name}@old.example,${name}@new.example,PERSON_PASSWORD`)
        .reduce((text, row) => `${text}${row}\n`, "source,target,target_password_env\n"),
    );

    const ended = await line.godwit(
      [
        "chat",
        "--json",
        `endpoint new old imap://127.0.0.1:${old.port} --login master --user master --password-env OLD_PASSWORD --insecure`,
        `endpoint new new imaps://127.0.0.1:${fresh.tlsPort} --login user --ca ./ca.pem`,
        "project new acme --from old --to new --policy rackspace --zone Europe/Berlin",
        'licenses add 20 --note "order 4711"',
        `add ${alice}@old.example ${alice}@new.example`,
        "import ./mailboxes.csv",
        "verify",
        "prestage 90d --yes",
        "delta --yes",
        "delta --yes",
      ],
      secrets,
    );

    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stderr).toMatch(/^A key that seals passwords was made in \S+godwit\.key\. .*\n$/);
    const all = passes(ended);
    expect(all.map(({ type, state }) => [type, state])).toEqual([
      ["verify", "completed"],
      ["prestage", "completed"],
      ["delta", "completed"],
      ["delta", "completed"],
    ]);
    all.forEach(balanced);
    const [verify, prestage, delta, again] = all;
    expect(verify).toMatchObject({ licenses: { owned: 20, reserved: 0, consumed: 0, free: 20 } });
    expect(prestage?.filtered).toBeGreaterThan(0);
    expect((prestage?.migrated ?? 0) + (delta?.migrated ?? 0)).toBe(45);
    expect(again).toMatchObject({ migrated: 0, duplicates: 45, failed: 0, bytes: 0 });
    expect(again?.licenses).toEqual({ owned: 20, reserved: 0, consumed: 2, free: 18 });
    expect(again?.entries.map((entry) => [entry.source, entry.license, entry.passesUsed])).toEqual([
      [`${alice}@old.example`, "consumed", 3],
      [`${bob}@old.example`, "consumed", 3],
    ]);
    expect(await wrong(alice)).toEqual([]);
    expect(await wrong(bob)).toEqual([]);
    expect(touched(before, await dump(old, `${alice}@old.example`))).toEqual([]);
  });

  test("starts a mailbox from scratch in words alone, with a second person where it empties", async () => {
    await using line = await openCommandLine();
    const alice = person();
    await deliver(alice, 30);
    await setUp(line, [alice]);
    const from = `remigrate ${alice}@old.example --because config --reason "wrong folders"`;
    const first = await line.godwit(["chat", "--json", "full --yes", "roles grant bo operator"]);
    expect(first.code).toBe(0);

    const unconfirmed = await line.godwit(["chat", "--json", from]);
    const full = await line.godwit(["chat", "--json", `${from} --confirm acme`]);
    const asked = await line.godwit(["chat", "--json", `${from} --empty-target --confirm acme`]);
    const own = await line.godwit(["chat", "--json", "approve 1"]);
    const begun = await line.godwit(["chat", "--json", "--as", "bo", "approve 1"]);
    const carried = await line.godwit(["chat", "--json", "full --yes", "delta --yes"]);

    expect([unconfirmed, full, asked, own, begun, carried].map(({ code }) => code)).toEqual([
      2, 2, 0, 2, 0, 0,
    ]);
    expect(read(full).at(-1)).toMatchObject({ text: expect.stringContaining("holds 30 items") });
    expect(read(asked).at(-1)).toMatchObject({ kind: "post", buttons: ["Approve", "Deny"] });
    expect(read(begun).at(-1)).toMatchObject({
      text: expect.stringContaining("30 carried items removed"),
    });
    expect(passes(carried)).toMatchObject([
      { type: "full", state: "completed", migrated: 30, duplicates: 0 },
      { type: "delta", migrated: 0, duplicates: 30 },
    ]);
    expect(passes(carried)[1]?.licenses).toMatchObject({ owned: 10, consumed: 2 });
    expect(passes(carried)[1]?.entries[0]).toMatchObject({ passesUsed: 2, license: "consumed" });
    expect(await wrong(alice)).toEqual([]);
  });

  test("repairs what was taken out of the new mailbox, without a license", async () => {
    await using line = await openCommandLine();
    const alice = person();
    await deliver(alice, 30);
    await setUp(line, [alice]);
    await line.godwit(["chat", "--json", "full --yes"]);
    await using client = await fresh.login(`${alice}@new.example`);
    await client.expunge("Work", "1:4");

    const repaired = await line.godwit(["chat", "--json", "repair"]);

    expect(repaired.code).toBe(0);
    const [pass] = passes(repaired);
    expect(pass).toMatchObject({ type: "repair", state: "completed", migrated: 4, duplicates: 26 });
    expect(pass?.licenses.consumed).toBe(1);
    balanced(pass as PassLine);
    expect(await wrong(alice)).toEqual([]);
  });

  test("ends with 3 when a login fails or an item does, and the pass says so", async () => {
    await using line = await openCommandLine();
    const [alice, bob] = [person(), person()];
    await deliver(alice, 6);
    await deliver(bob, 6);
    await using full = await startProxy(fresh, {
      rules: [{ on: /^APPEND /i, nth: "every", do: "answer", with: "NO [LIMIT] too big" }],
    });
    await setUp(line, [alice], full);
    const failing = await line.godwit(["chat", "--json", "full --yes", "licenses"]);
    expect(failing.code).toBe(3);
    expect(passes(failing)).toMatchObject([
      { type: "full", state: "completed_with_errors", migrated: 0, failed: 6 },
    ]);
    passes(failing).forEach(balanced);
    expect(read(failing).at(-1), "what comes after it still runs").toMatchObject({
      kind: "private",
    });

    await using other = await openCommandLine();
    await setUp(other, [bob]);
    const ended = await other.godwit(
      ["chat", "--json", "endpoint secret new --password-env WRONG", "verify", "delta --yes"],
      { WRONG: "not the master's" },
    );
    expect(ended.code).toBe(3);
    expect(passes(ended)).toMatchObject([
      { type: "verify", state: "failed", entries: [{ state: "failed" }] },
      { type: "delta", state: "failed", entries: [{ state: "failed", license: "released" }] },
    ]);
    passes(ended).forEach(balanced);
  });

  test("ends with 2 at a refusal, and nothing after it runs; a stranger is refused", async () => {
    await using line = await openCommandLine();
    const alice = person();
    await deliver(alice, 3);
    await setUp(line, [alice]);

    const ended = await line.godwit(["chat", "--json", "licenses", "prestage soon", "delta --yes"]);
    const stranger = await line.godwit(["chat", "--json", "--as", "mallory", "delta --yes"]);
    const own = await line.godwit(["chat", "--json", "list"]);

    expect(ended.code).toBe(2);
    expect(read(ended).map(({ kind }) => kind)).toEqual(["private", "private"]);
    expect(read(ended)[1]).toMatchObject({ text: expect.stringMatching(/“soon” is not a limit/) });
    expect(stranger.code).toBe(2);
    expect(read(stranger)).toMatchObject([
      { kind: "private", text: expect.stringMatching(/role operator/) },
    ]);
    expect(passes(own)).toEqual([]);
    expect(
      await dump(fresh, `${alice}@new.example`).then((all) => all.get("INBOX")?.messages),
    ).toEqual([]);
  });

  test("ends with 1 for anything else, and says why on standard error alone", async () => {
    await using line = await openCommandLine();
    const nothing = await line.godwit(["chat", "--json"]);
    const unknown = await line.godwit(["chat", "--jsn", "status"]);
    const nowhere = await line.godwit(["chat", "--json", "status"], {
      DATABASE_URL: "sqlite:/nowhere/godwit.db",
    });
    for (const ended of [nothing, unknown, nowhere]) {
      expect(ended).toMatchObject({ code: 1, stdout: "" });
      expect(ended.stderr).toMatch(/\S/);
      expect(ended.stderr, "no stack").not.toMatch(/\n {4}at /);
    }
  });

  test("with --no-wait it leaves the pass to the next process", async () => {
    await using line = await openCommandLine();
    const alice = person();
    await deliver(alice, 30);
    await setUp(line, [alice]);

    const left = await line.godwit(["chat", "--json", "--no-wait", "full --yes"]);
    expect(left.code).toBe(0);
    const next = await line.godwit(["chat", "--json", "resume"]);
    expect(next.code).toBe(0);
    expect(passes(next)).toMatchObject([
      { type: "full", state: "completed", listed: 30, failed: 0 },
    ]);
    expect(await wrong(alice)).toEqual([]);
  });
});

describe("several processes on one database", () => {
  test("chat and serve hear of each pass once, and it is carried once", async () => {
    await using line = await openCommandLine();
    const [alice, bob] = [person(), person()];
    await deliver(alice, 60);
    await deliver(bob, 30);
    await setUp(line, [alice, bob]);
    const serve = line.start(["serve"]);
    await serve.says("Type `help`");

    const ended = await line.godwit(["chat", "--json", "prestage 30d --yes", "delta --yes"]);
    const served = serve.says(/Delta of acme: completed/);
    await served;
    serve.type("exit");
    const { code, stdout } = await serve.ended;

    expect(ended.code).toBe(0);
    expect(passes(ended).map(({ type, state }) => [type, state])).toEqual([
      ["prestage", "completed"],
      ["delta", "completed"],
    ]);
    passes(ended).forEach(balanced);
    expect(passes(ended).reduce((sum, pass) => sum + pass.migrated, 0)).toBe(90);
    expect(code).toBe(0);
    expect(stdout.match(/^# Delta of acme/gm), "its root message is posted once").toHaveLength(1);
    expect([...(await wrong(alice)), ...(await wrong(bob))]).toEqual([]);
  });

  test("a chat killed in the middle of a pass is gone on with by the next, and nothing is there twice", async () => {
    await using line = await openCommandLine();
    const alice = person();
    await deliver(alice, 60);
    await using lossy = await startProxy(fresh, {
      rules: [{ on: /^APPEND /i, nth: 2, do: "silence before answer" }],
    });
    await setUp(line, [alice], lossy);
    const killed = line.start(["chat", "--json", "full --yes"]);
    await vi.waitFor(
      () => {
        expect(lossy.commands.filter((one) => /^APPEND /i.test(one)).length).toBeGreaterThan(1);
      },
      { timeout: 30_000 },
    );
    killed.kill("SIGKILL");
    const first = await killed.ended;
    expect(first.code).toBe(null);
    expect(passes(first)).toEqual([]);

    // The pass of the dead has the mailbox until it has ended: a delta beside it is refused, and says so.
    const early = await line.godwit(["chat", "--json", "delta --yes"]);
    const next = await line.godwit(["chat", "--json", "resume", "delta --yes"]);

    expect(early.code).toBe(2);
    expect(read(early)).toContainEqual({
      kind: "private",
      text: expect.stringMatching(/has not ended.*`resume 1` to wait for it/),
    });
    expect(next.code).toBe(0);
    expect(passes(next)).toMatchObject([
      { id: "1", type: "full", state: "completed", migrated: 60, failed: 0 },
      { id: "2", type: "delta", migrated: 0, duplicates: 60, failed: 0 },
    ]);
    passes(next).forEach(balanced);
    expect(await wrong(alice)).toEqual([]);
  });
});
