import { expect, test } from "vitest";
import { makeCutoverTeller } from "../bot/cutover-teller.ts";
import { localSurface } from "../bot/surfaces/local/surface.ts";
import { watchDue } from "../engine/cutover.ts";
import { type Clock, wallClock } from "../engine/domain/clock.ts";
import { compare, touched } from "./servers/checker.ts";
import { type Authority, startAuthority, startResolver } from "./servers/dns.ts";
import { mx, record, type Zone } from "./servers/dns-zones.ts";
import type { Dovecot } from "./servers/dovecot.ts";
import { twoDovecots } from "./servers/dovecots.ts";
import { person } from "./servers/person.ts";
import { startWorld, type World } from "./servers/world.ts";

// The cutover between two real mail servers, with a real DNS that is changed. The clock goes as the wall's does, and
// can be put forward.

let old: Dovecot;
let fresh: Dovecot;
twoDovecots((...both) => {
  [old, fresh] = both;
});

const minute = 60_000;
const hour = 60 * minute;
const domain = "old.example";

function movingClock(): Clock & { advance(ms: number): void } {
  // A server takes no date from its own future.
  let ahead = -24 * hour;
  return {
    now: () => Date.now() + ahead,
    sleep: wallClock.sleep,
    advance: (ms) => {
      ahead += ms;
    },
  };
}

const zone = (host: string, ttl: number): Zone[] => [
  {
    origin: domain,
    records: [record(domain, "NS", "ns1.dns.example"), mx(domain, host, 10, ttl)],
  },
  {
    origin: "example",
    records: [
      record("mx.old.example", "A", "192.0.2.10"),
      record("mx.new.example", "A", "192.0.2.20"),
    ],
  },
];

/** From now on the server names this host. */
function names(server: Authority, host: string, ttl: number): void {
  server.zones = zone(host, ttl);
}

/** Looks and tells, as the processes do; what was posted in the channel. */
async function watch(world: World): Promise<string[]> {
  const { desk } = world.godwit;
  const last = await desk.transcript.last();
  await watchDue(desk);
  await makeCutoverTeller(desk, [localSurface(desk.transcript)]).tick();
  const lines = await desk.transcript.after(last, 100);
  return lines.filter(({ kind }) => kind === "post").map(({ text }) => text.split("\n")[0] ?? "");
}

/** Runs the pass that was started last. */
async function finish(world: World): Promise<number> {
  const [newest] = await world.godwit.desk.passes.recent(world.project.id, 1);
  const { state, counters } = await world.finish(newest?.id ?? 0);
  expect(state).toBe("completed");
  return counters.migrated;
}

const from = (sender: string, n: number) =>
  `Subject: ${n}\r\nFrom: Somebody <x@${sender}>\r\nMessage-ID: <${n}@${sender}>\r\n\r\nmail ${n}\r\n`;

test("the MX flips, late mail is swept once, and the verdict waits for the last resolver", async () => {
  const clock = movingClock();
  await using own = await startAuthority(zone("mx.old.example", 600));
  // What the second resolver hears: it is the last to learn, and the first to forget.
  await using behind = await startAuthority(zone("mx.old.example", 600));
  await using one = await startResolver([own], clock);
  await using two = await startResolver([behind], clock);
  await using world = await startWorld(old, fresh, {
    clock,
    dns: { resolvers: [one.at, two.at], authoritative: [own.at] },
  });
  await world.add("ada", "bea");
  const [ada, bea] = [person("ada", old, fresh), person("bea", old, fresh)];
  await ada.deliver("INBOX", { body: from("first.example", 1), date: Date.UTC(2025, 0, 1) });
  await bea.deliver("Work", { body: from("first.example", 2), date: Date.UTC(2025, 0, 1) });
  await world.pass("prestage", { days: 30 });

  const card = await world.say(
    `cutover watch ${domain} --to mx.new.example --quiet 2 --at "in 3h"`,
  );
  expect(card).toContain("MX: mx.old.example (10); time to live 600 s");
  expect(card).toContain("the domain's own servers: 1 old");
  expect(card).toContain("resolvers: 2 old");

  // Its own server says new: split, while the resolvers remember.
  names(own, "mx.new.example", 300);
  clock.advance(minute);
  expect(await watch(world)).toEqual([]);
  expect(await world.say("cutover status")).toContain("is being changed");
  clock.advance(11 * minute);
  expect(await watch(world), "one resolver has learnt, the other not").toEqual([]);
  expect(await world.say("cutover status")).toMatch(/resolvers: 1 new \([^)]*\), 1 old/);
  names(behind, "mx.new.example", 300);
  clock.advance(11 * minute);
  const asked = await watch(world);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatch(
    /^MX of old\.example moved at \d\d:\d\d; run the delta for 2 mailboxes\? 0 licenses\.$/,
  );

  await world.say("cutover sweep");
  await finish(world);
  clock.advance(minute);
  await watch(world);

  // Late mail, among it what nobody waits for.
  await ada.deliver("INBOX", { body: from("late.example", 3), date: clock.now() });
  await bea.deliver("Lists", { body: from("late.example", 4), date: clock.now() });
  await bea.deliver("Sent", { body: from("old.example", 5), date: clock.now() });
  clock.advance(15 * minute);
  const sweep = await watch(world);
  expect(sweep[0]).toContain("2 mails came to the old system since, in 2 mailboxes, the last at");
  expect(sweep[0]).toContain("from late.example 2; 2 not carried yet");
  const before = [await ada.source(), await bea.source()];
  await world.say("cutover sweep");
  expect(await finish(world)).toBe(3);
  for (const [at, who] of [ada, bea].entries()) {
    const source = await who.source();
    const { lost, duplicated, foreign, differences } = compare(source, await who.target());
    expect({ lost, duplicated, foreign, differences }).toEqual({
      lost: [],
      duplicated: [],
      foreign: [],
      differences: [],
    });
    expect(touched(before[at]!, source)).toEqual([]);
  }

  // Two quiet hours later a resolver answers old again: no verdict until it does not.
  clock.advance(90 * minute);
  await watch(world);
  names(behind, "mx.old.example", 3600);
  clock.advance(32 * minute);
  expect(await watch(world)).toEqual([]);
  expect(await world.say("cutover status")).toMatch(
    /Do not switch the old system off yet: 1 resolver \(127\.0\.0\.1:\d+\) does not name the new hosts yet/,
  );
  names(behind, "mx.new.example", 300);
  clock.advance(hour + minute);
  const said = await watch(world);
  clock.advance(15 * minute);
  said.push(...(await watch(world)));
  expect(said.join("\n")).toMatch(
    /^old\.example: Quiet for \d+ hours: safe to switch the old system off\./,
  );
});
