import { describe, expect, test } from "vitest";
import { makeBoardKeeper } from "../../bot/board.ts";
import { watchDue } from "../../engine/cutover.ts";
import type { MxAnswer } from "../../engine/domain/dns.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";

const hour = 60 * 60_000;

/** Time goes by, and the board is kept by a process that knows nothing of before. Answers the board. */
async function later(world: ChatWorld, ms = 60_000): Promise<string> {
  world.clock.advance(ms);
  await watchDue(world.desk);
  await makeBoardKeeper(world.desk, [world.surface]).tick();
  return boardOf(world);
}

/** The board as people see it now. */
async function boardOf(world: ChatWorld): Promise<string> {
  const lines = await world.lines();
  const post = lines.findLast(({ kind, text }) => kind === "post" && text.startsWith("Board of"));
  const edit = lines.findLast(({ kind, thread }) => kind === "edit" && thread === post?.thread);
  return (edit ?? post)?.text ?? "";
}

const row = (board: string, step: string) =>
  board.split("\n").find((line) => line.slice(2).startsWith(step)) ?? "";

const open = (options: Parameters<typeof chatWorld>[0] = {}) =>
  chatWorld({ start: Date.parse("2026-11-20T09:00:00Z"), people: ["anna", "bo"], ...options });

test("every step ticks itself as it happens, and the board is one message that is edited", async () => {
  await using world = await open({ licenses: 1 });
  world.dns.names(["mx.old.example"], 86_400);
  await world.say("board");
  await world.say('cutover watch old.example --at "2026-11-24 18:00" --quiet 1');

  const first = await later(world);
  expect(first).toMatch(
    /^Board of acme: T−4 d 7 h, MX of old\.example planned for 2026-11-24 18:00/,
  );
  expect(row(first, "TTL lowered")).toMatch(/^○ TTL lowered +too long/);
  expect(row(first, "Licenses")).toMatch(/^! Licenses +1 license short, overdue +T−7 d/);
  expect(row(first, "Verify")).toMatch(/^! Verify +0 of 2 mailboxes/);

  await world.say('licenses add 5 --note "order 4712"');
  await world.say("verify");
  await world.run();
  world.dns.names(["mx.old.example"], 300);
  const second = await later(world);
  expect(row(second, "TTL lowered")).toMatch(/^✔ TTL lowered +low enough/);
  expect(row(second, "Licenses")).toMatch(/^✔ Licenses +enough for every mailbox/);
  expect(row(second, "Verify")).toMatch(/^✔ Verify +2 of 2 mailboxes/);
  expect(row(second, "Pre-stage")).toMatch(/^○ Pre-stage +0 of 2 mailboxes/);

  await world.say("prestage 30d --yes");
  const running = await later(world);
  expect(running).toContain("Pass 2, Pre-stage of acme");
  expect(running).toContain("Next: pass 2 sees to it");
  await world.run();
  expect(row(await later(world), "Pre-stage")).toMatch(/^✔/);
  expect(row(await later(world), "Delta")).toContain("after the change");

  world.dns.names(["mx.new.example"], 300);
  const moved = await later(world, 4 * 24 * hour);
  expect(row(moved, "MX changed")).toMatch(/^✔ MX changed +done/);
  expect(row(moved, "Delta")).toMatch(/^○ Delta +0 of 2 mailboxes since the change/);
  expect(row(await later(world, 3 * hour), "Delta")).toMatch(/^! Delta .*overdue/);
  await world.say("delta --yes");
  await world.run();
  expect(row(await later(world), "Delta")).toMatch(/^✔ Delta +2 of 2 mailboxes/);
  await later(world, 16 * 60_000);
  const safe = await later(world, 16 * 60_000);
  expect(row(safe, "Sweeps")).toMatch(/^✔ Sweeps +quiet/);
  expect(row(safe, "Old system off")).toMatch(/^○ Old system off +safe now/);

  await world.say('board tick switch-off --note "by Anna"');
  const done = await later(world);
  expect(row(done, "Old system off")).toContain("ticked by local:owner");
  expect(row(done, "MX changed")).toMatch(/^✔/);
  expect(row(done, "Sweeps")).toMatch(/^✔/);
  expect(done).toContain("The old system is off.");
  // Nobody looks into mailboxes that are gone.
  expect(await world.desk.cutovers.live()).toEqual([]);
  const posts = (await world.lines()).filter(
    ({ kind, text }) => kind === "post" && text.startsWith("Board of"),
  );
  expect(posts).toHaveLength(1);
});

test("an MX that is late or half changed is not said to be changed", async () => {
  await using world = await open();
  world.dns.names(["mx.old.example"], 86_400);
  await world.say("board");
  await world.say('cutover watch old.example --at "2026-11-20 10:50"');

  const near = await later(world);
  const over = await later(world, hour);
  const hosts = [{ host: "mx.new.example", preference: 10 }];
  world.dns.says({
    authoritative: [{ server: "ns1", outcome: "answered", hosts, ttl: 300 }],
    resolvers: [
      { server: "192.0.2.1", outcome: "answered", hosts, ttl: 300 },
      {
        server: "192.0.2.2",
        outcome: "answered",
        hosts: [{ host: "mx.old.example", preference: 10 }],
        ttl: 300,
      },
    ],
  });
  const half = await later(world);
  world.dns.names(["mx.new.example"]);
  const moved = await later(world);

  expect(near).toMatch(/^Board of acme: T−40 min, MX of old\.example planned for/);
  expect(row(near, "TTL lowered")).toContain("too long: 24 h");
  expect(over).toMatch(/^Board of acme: T\+10 min, MX of old\.example was planned for/);
  expect(row(over, "MX changed")).toMatch(/^! MX changed +not yet, overdue/);
  expect(row(half, "MX changed")).toMatch(/^! MX changed +being changed/);
  expect(half).toContain("Next: type `verify`");
  expect(moved).toMatch(/^Board of acme: T, MX of old\.example changed at/);
});

test("a board that says the same is not edited again", async () => {
  await using world = await open();
  await world.say("board");
  const keeper = makeBoardKeeper(world.desk, [world.surface]);
  await keeper.tick();
  const before = await world.desk.transcript.last();

  for (let n = 0; n < 5; n += 1) {
    world.clock.advance(60_000);
    await keeper.tick();
  }
  const still = await world.desk.transcript.last();
  await world.say("board assign mx anna");
  world.clock.advance(60_000);
  await keeper.tick();

  expect(still).toBe(before);
  expect(row(await boardOf(world), "MX changed")).toContain("local:anna");
});

test("`status` shows it again, and `board` posts it anew where it is typed", async () => {
  await using world = await open();
  const without = await world.hear("status");
  await world.say("board");

  const status = await world.say("status");
  const { lines } = await world.say("board");

  expect(without).not.toContain("Board of acme");
  expect(
    status.lines.some(({ kind, text }) => kind === "private" && text.startsWith("Board of acme")),
  ).toBe(true);
  expect(lines.map(({ kind }) => kind)).toEqual(["edit", "post"]);
  expect(lines[0]?.text).toContain("has a newer message");
});

test("what is next by itself stands on it", async () => {
  await using world = await open();
  await world.say("board");
  await world.say("remind weekdays 18:00 delta");
  await world.say('delta anna* --at "2026-11-20 12:00" --yes');

  expect(await later(world)).toContain("Next by itself: Delta of anna* at 12:00");
});

describe("people's own words", () => {
  test("a tick stands above what is seen, and can be taken back", async () => {
    await using world = await open();
    await world.say("board");
    await world.say('board tick ttl --note "5 min, seen at the registrar"');
    const ticked = row(await later(world), "TTL lowered");
    await world.say("board untick ttl");

    expect(ticked).toMatch(
      /^✔ TTL lowered +ticked by local:owner at .*: 5 min, seen at the registrar/,
    );
    expect(row(await later(world), "TTL lowered")).toMatch(/^○ TTL lowered +no domain is watched/);
  });

  test("the old system is not ticked off while the verdict is withheld, but for `--anyway`", async () => {
    await using world = await open();
    world.dns.names(["mx.old.example"]);
    await world.say("cutover watch old.example");

    const refused = await world.say("board tick switch-off");
    const forced = await world.say("board tick switch-off --anyway");

    expect(refused.result).toBe("refused");
    expect(refused.lines.at(-1)?.text).toContain(
      "It is not safe to switch the old system off: old.example: the MX was not changed. Nothing was ticked.",
    );
    expect(forced.result).toBe("accepted");
  });

  test.each([
    ["board nonsense", "`board assign <step> <person>`"],
    ["board assign", "with one of ttl, licenses, verify, prestage, mx, delta, sweep, switch-off"],
    ["board assign mx", "`board assign mx @bo`"],
    ["board assign mx no*body", "Nobody is known by no*body"],
    ["board tick", "`board tick <step>`"],
    ["board tick mx now", "`board tick <step>`"],
    ["board untick all", "`board untick <step>`"],
    ["board remove", "has no board; nothing was done. Type `board`"],
  ])("%s is refused, saying what to type", async (line, hint) => {
    await using world = await open();

    const { result, lines } = await world.say(line);

    expect(result).toBe("refused");
    expect(lines.at(-1)?.text).toContain(hint);
  });
});

test("a domain whose own servers are silent has no time to live that is low", async () => {
  await using world = await open();
  const silent: MxAnswer = { server: "ns1", outcome: "silent", reason: "no answer" };
  const hosts = [{ host: "mx.old.example", preference: 10 }];
  const told: MxAnswer = { server: "192.0.2.1", outcome: "answered", hosts, ttl: 60 };
  world.dns.says({ authoritative: [silent], resolvers: [told] });
  await world.say("board");
  await world.say("cutover watch old.example");

  expect(row(await later(world), "TTL lowered")).toMatch(/^○/);
});
