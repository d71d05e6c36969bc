import { describe, expect, test } from "vitest";
import { makeCutoverTeller } from "../../bot/cutover-teller.ts";
import { watchDue } from "../../engine/cutover.ts";
import type { MxAnswer } from "../../engine/domain/dns.ts";
import type { TranscriptLine } from "../../engine/domain/thread.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";

const minute = 60_000;
const hour = 60 * minute;

const says = (server: string, hosts: string[], ttl: number): MxAnswer => ({
  server,
  outcome: "answered",
  hosts: hosts.map((host, at) => ({ host, preference: 10 * (at + 1) })),
  ttl,
});

/** What the zone's server and two resolvers say. */
function dns(world: ChatWorld, own: string[], one: string[], other: string[], ttl = 300): void {
  world.dns.says({
    authoritative: [says("ns1.old.example", own, ttl)],
    resolvers: [says("192.0.2.1", one, ttl), says("192.0.2.2", other, ttl)],
  });
}

const before = ["mx.old.example"];
const after = ["mx.new.example"];

/** Time goes by; every look and every message is by a process of its own. What was said, in order. */
async function pass(world: ChatWorld, ms: number, step = minute): Promise<TranscriptLine[]> {
  const last = await world.desk.transcript.last();
  for (let gone = 0; gone < ms; gone += step) {
    world.clock.advance(step);
    await watchDue(world.desk);
    await makeCutoverTeller(world.desk, [world.surface]).tick();
  }
  return world.desk.transcript.after(last, 5000);
}

const posts = (lines: TranscriptLine[]) =>
  lines.filter(({ kind }) => kind === "post").map(({ text }) => text.split("\n")[0]);

const mail = (from: string) =>
  Buffer.from(`From: Bo <bo@${from}>\r\nSubject: late\r\n\r\nHello from ${from}.\r\n`);

async function watching(options: { quiet?: number } = {}): Promise<ChatWorld> {
  const world = await chatWorld({
    start: Date.parse("2026-11-23T09:00:00Z"),
    people: ["anna", "bo"],
  });
  world.system.deliver("anna@old.example", "INBOX", mail("first.example"), {
    createdAt: Date.parse("2026-01-01T00:00:00Z"),
  });
  world.system.deliver("bo@old.example", "INBOX", mail("first.example"), {
    createdAt: Date.parse("2026-01-01T00:00:00Z"),
  });
  await world.say("prestage 30d --yes");
  await world.run();
  dns(world, before, before, before);
  const { result } = await world.say(
    `cutover watch old.example --to mx.new.example --quiet ${options.quiet ?? 24}`,
  );
  expect(result).toBe("accepted");
  return world;
}

test("the cutover story: watched, moved, late mail swept, safe, and the verdict taken back", async () => {
  await using world = await watching();
  expect(posts(await pass(world, 10 * minute))).toEqual([]);

  // Its own server says new, a resolver does not know yet.
  dns(world, after, after, before);
  const split = await pass(world, 5 * minute);
  expect(posts(split)).toEqual([]);
  expect(split.map(({ text }) => text).join("\n")).toContain(
    "1 new (192.0.2.1), 1 old (192.0.2.2)",
  );

  dns(world, after, after, after);
  expect(posts(await pass(world, 2 * minute))).toEqual([
    "MX of old.example moved at 10:16; run the delta for 2 mailboxes? 0 licenses.",
  ]);

  // The button is a command; the question is over for everybody.
  const swept = await world.say("cutover sweep");
  await world.run();
  expect(swept.passes).toHaveLength(1);
  expect(swept.lines.find(({ kind }) => kind === "edit")?.text).toBe(
    "MX of old.example moved: the delta was chosen by local:owner at 10:17.",
  );

  const arrives = world.clock.now();
  world.system.deliver("bo@old.example", "INBOX", mail("shop.example"), { createdAt: arrives });
  expect(posts(await pass(world, 30 * minute))).toEqual([
    "Sweep for old.example? 1 mail came to the old system since, in 1 mailbox, the last at 10:17, from shop.example 1; 1 not carried yet. A delta over 2 mailboxes: 0 licenses.",
  ]);
  // Unanswered, it is not asked twice; what has gathered since stands in the same message.
  world.system.deliver("anna@old.example", "INBOX", mail("bank.example"), {
    createdAt: world.clock.now(),
  });
  const more = await pass(world, 30 * minute);
  expect(posts(more)).toEqual([]);
  expect(more.some(({ text }) => text.includes("from bank.example 1, shop.example 1; 2"))).toBe(
    true,
  );
  await world.say("cutover sweep old.example");
  await world.run();
  expect(world.system.letters("bo@new.example", "INBOX")).toHaveLength(2);

  const last = world.clock.now() - 30 * minute;
  const almost = 24 * hour - (world.clock.now() - last) - 20 * minute;
  expect(posts(await pass(world, almost, 10 * minute))).toEqual([]);
  expect(posts(await pass(world, 40 * minute, 5 * minute))).toEqual([
    "old.example: Quiet for 24 hours: safe to switch the old system off. Every server that answers names the new hosts, and a delta would carry nothing more. When it is off, type `board tick switch-off`: then nobody looks for late mail any more.",
  ]);

  // A resolver answers old once more: what was said no longer holds.
  dns(world, after, after, before, 1800);
  const back = posts(await pass(world, 6 * minute));
  expect(back).toHaveLength(1);
  expect(back[0]).toMatch(
    /^old\.example: do NOT switch the old system off: 1 resolver \(192\.0\.2\.2\) does not name the new hosts yet/,
  );
  dns(world, after, after, after);
  const again = posts(await pass(world, 30 * minute));
  expect(again).toHaveLength(1);
  expect(again[0]).toContain("safe to switch the old system off");
});

test("the verdict is withheld while one resolver answers old, and given when it no longer does", async () => {
  await using world = await watching({ quiet: 1 });
  dns(world, after, after, after);
  await pass(world, 2 * minute);
  await world.say("delta --yes");
  await world.run();
  dns(world, after, after, before, 7200);

  const withheld = posts(await pass(world, 8 * hour, 20 * minute));
  const status = await world.hear("cutover status");
  dns(world, after, after, after);
  const given = posts(await pass(world, hour, 10 * minute));

  expect(withheld).toEqual([]);
  expect(status).toContain(
    "Do not switch the old system off yet: 1 resolver (192.0.2.2) does not name the new hosts yet",
  );
  expect(given.map((text) => /safe to switch/.test(text ?? ""))).toEqual([true]);
});

test("a domain that names nobody, or hosts of both systems, is told aloud", async () => {
  await using world = await watching();
  dns(world, [...before, ...after], before, before);
  const dual = await pass(world, 2 * minute);
  world.dns.says({ authoritative: [{ server: "ns1", outcome: "none", ttl: 60 }], resolvers: [] });
  const none = await pass(world, 2 * minute);

  const aloud = (lines: TranscriptLine[]) => lines.find(({ extra }) => extra.aloud === true)?.text;
  expect(aloud(dual)).toMatch(/names hosts of both systems: mail goes to either/);
  expect(aloud(none)).toMatch(/names nobody that has an address: mail for the domain goes nowhere/);
});

test("before the change it says the MX, its time to live and until when to lower it", async () => {
  await using world = await chatWorld({
    start: Date.parse("2026-11-23T09:00:00Z"),
    people: ["anna"],
  });
  world.dns.says({
    authoritative: [says("ns1.old.example", ["mx1.old.example", "mx2.other.example"], 86_400)],
    resolvers: [says("192.0.2.1", ["mx1.old.example", "mx2.other.example"], 4000)],
    missing: ["mx2.other.example"],
    aliases: ["mx1.old.example"],
  });

  const told = await world.hear('cutover watch old.example --at "2026-11-28 18:00"');
  const warned = await pass(world, 3 * 24 * hour, hour);

  expect(told).toContain(
    "MX: mx1.old.example (10), mx2.other.example (20); time to live 86\u202f400 s",
  );
  expect(told).toContain("lower it to 300 s by 2026-11-26 18:00 (Europe/Berlin), 2 d ahead");
  expect(told).toContain("no address is known of mx2.other.example: mail to it goes nowhere");
  expect(told).toContain("mx1.old.example is an alias");
  expect(told).toContain("hosts of 2 names take the mail (old.example, other.example)");
  // Three days ahead it is said once more, to the channel, once.
  expect(posts(warned)).toEqual([expect.stringMatching(/^old\.example: The time to live is/)]);
});

describe("where the DNS cannot be seen", () => {
  test("`cutover done` says it by hand, and the verdict names whose word it is", async () => {
    await using world = await chatWorld({
      start: Date.parse("2026-11-23T09:00:00Z"),
      people: ["anna"],
    });
    world.dns.says({});

    const done = await world.hear("cutover done old.example");
    const asked = posts(await pass(world, 2 * minute));
    await world.say("cutover sweep");
    await world.say("start 1");
    await world.run();
    const given = posts(await pass(world, 25 * hour, 15 * minute));

    expect(done).toContain("local:owner says that the MX of old.example was changed");
    expect(asked[0]).toContain(
      "by the word of local:owner; run the delta for 1 mailbox? 1 license.",
    );
    expect(given.at(-1)).toContain("That the MX was changed is the word of local:owner");
  });

  test("a DNS that says otherwise is believed, not the hand", async () => {
    await using world = await watching({ quiet: 1 });

    await world.say("cutover done");
    await pass(world, 2 * minute);
    await world.say("delta --yes");
    await world.run();
    const said = posts(await pass(world, 6 * hour, 10 * minute));

    expect(said.filter((text) => /safe to switch/.test(text ?? ""))).toEqual([]);
    expect(await world.hear("cutover status")).toContain("Do not switch the old system off yet");
  });
});

test("a plan that was chosen and not started is asked for again", async () => {
  await using world = await chatWorld({
    start: Date.parse("2026-11-23T09:00:00Z"),
    people: ["anna"],
  });
  dns(world, before, before, before);
  await world.say("cutover watch old.example");
  dns(world, after, after, after);
  await pass(world, 2 * minute);
  await world.say("cutover sweep");
  await world.say("cancel 1");

  expect(posts(await pass(world, 20 * minute))).toEqual([
    "Sweep for old.example? no delta was run since the MX moved. A delta over 1 mailbox: 1 license.",
  ]);
});

test("only the mailboxes of the domain are swept, where others are in the project", async () => {
  await using world = await watching();
  await world.say("add eve@third.example eve@elsewhere.example");
  dns(world, after, after, after);
  await pass(world, 2 * minute);

  const { lines, passes } = await world.say("cutover sweep");

  expect(passes).toHaveLength(1);
  expect(lines.map(({ text }) => text).join("\n")).not.toContain("eve@third.example");
});

describe("refused, saying what to type", () => {
  test.each([
    ["cutover watch", "`cutover watch example.com`"],
    ["cutover watch anna@old.example", "“anna@old.example” is no domain"],
    ["cutover watch 192.0.2.1", "is no domain"],
    ["cutover watch localhost", "is no domain"],
    ["cutover watch old.example --to nonsense", "`--to mx1.new.example,mx2.new.example`"],
    ["cutover watch old.example --quiet soon", "`--quiet 24`"],
    ["cutover watch old.example --quiet 0", "`--quiet 24`"],
    ["cutover watch old.example --at yesterday", "is not a time"],
    ["cutover watch old.example --to mx.old.example", "`cutover done old.example`"],
    ["cutover status", "`cutover watch example.com`"],
    ["cutover sweep nowhere.example", "`cutover watch example.com`"],
    ["cutover done", "`cutover watch example.com`"],
    ["cutover cancel x", "`cutover watch example.com`"],
  ])("%s", async (line, hint) => {
    await using world = await chatWorld({ people: ["anna"] });
    dns(world, before, before, before);

    const { result, lines } = await world.say(line);

    expect(result).toBe("refused");
    expect(lines.map(({ text }) => text).join("\n")).toContain(hint);
    expect(await world.desk.cutovers.live()).toEqual([]);
  });

  test.each([
    ["nobody answers", {}, "No server answers for old.example now; nothing is watched."],
    [
      "there is no MX",
      { resolvers: [{ server: "192.0.2.1", outcome: "none", ttl: 60 } as const] },
      "`cutover watch old.example --to <new hosts>`",
    ],
  ])("%s, so that any host would pass for the new one", async (_, sight, hint) => {
    await using world = await chatWorld({ people: ["anna"] });
    world.dns.says(sight);

    const { result, lines } = await world.say("cutover watch old.example");

    expect(result).toBe("refused");
    expect(lines.at(-1)?.text).toContain(hint);
    expect(await world.desk.cutovers.live()).toEqual([]);
  });

  test("a domain that is watched already, and one of several that is not named", async () => {
    await using world = await watching();

    const twice = await world.hear("cutover watch OLD.example.");
    await world.say("cutover watch other.example");
    const which = await world.hear("cutover status");
    const wrong = await world.hear("cutover status third.example");

    expect(twice).toContain("old.example is watched already; nothing was changed");
    expect(which).toContain(
      "Of which domain? Nothing was done. Name one of old.example, other.example",
    );
    expect(wrong).toContain("third.example is not watched in acme");
  });

  test("a viewer may look and not touch", async () => {
    await using world = await watching();
    await world.say("roles grant vera viewer");
    const vera = { person: { id: "local:vera", name: "vera", guest: false } };

    expect((await world.say("cutover status", vera)).result).toBe("accepted");
    expect((await world.say("cutover sweep", vera)).result).toBe("refused");
    expect((await world.say("cutover cancel old.example", vera)).result).toBe("refused");
    expect((await world.say("cutover done", vera)).result).toBe("refused");
  });
});

test("cancelled, it is asked for no more, and its question dies", async () => {
  await using world = await watching();
  dns(world, after, after, after);
  await pass(world, 2 * minute);
  const asked = world.dns.asked.length;

  const { lines } = await world.say("cutover cancel old.example");
  await pass(world, hour);

  expect(lines.filter(({ kind }) => kind === "edit")).toHaveLength(2);
  expect(world.dns.asked).toHaveLength(asked);
  expect(await world.hear("cutover sweep")).toContain("No cutover of acme is watched");
});
