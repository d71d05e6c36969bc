import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MxAnswer, MxSight } from "../../engine/domain/dns.ts";
import { advance, type Hosts, type MxKnown, type Side, sideOf } from "../../engine/domain/mx.ts";

const ttl = 3600;
const before = "mx.old.example";
const after = "mx.new.example";
const foreign = "mx.evil.example";
const any: Hosts = { old: [before, "mx2.old.example"], wanted: [] };
const exact: Hosts = { old: [before], wanted: [after, "mx2.new.example"] };

const named = (server: string, hosts: string[], seconds = ttl): MxAnswer => ({
  server,
  outcome: "answered",
  hosts: hosts.map((host, at) => ({ host, preference: at })),
  ttl: seconds,
});

/** What a server says, by what it means where new hosts are named. */
const says: Record<Side, (server: string, seconds?: number) => MxAnswer> = {
  old: (server, seconds) => named(server, [before], seconds),
  new: (server, seconds) => named(server, [after], seconds),
  dual: (server, seconds) => named(server, [before, after], seconds),
  strange: (server, seconds) => named(server, [after, foreign], seconds),
  none: (server, seconds = ttl) => ({ server, outcome: "none", ttl: seconds }),
  silent: (server) => ({ server, outcome: "silent", reason: "no answer" }),
};

/** A sight in words: what its own servers say, `|`, what the resolvers say. */
function sight(text: string, at = 0): MxSight {
  const [authoritative = [], resolvers = []] = text.split("|").map((half) =>
    half
      .trim()
      .split(" ")
      .filter((word) => word !== ""),
  );
  const answers = (words: string[], name: string) =>
    words.map((word, n) => {
      const [side, seconds = ttl] = word.split(":");
      return says[side as Side](`${name}${n + 1}`, Number(seconds));
    });
  return {
    at,
    authoritative: answers(authoritative, "ns"),
    resolvers: answers(resolvers, "r"),
    missing: [],
    aliases: [],
  };
}

/** What is known after these, a minute apart unless a time in seconds is given. */
function seen(...sights: (string | [seconds: number, text: string])[]): MxKnown {
  let known: MxKnown | null = null;
  sights.forEach((one, minute) => {
    const [seconds, text] = typeof one === "string" ? [minute * 60, one] : one;
    known = advance(exact, known, sight(text, seconds * 1000));
  });
  return known!;
}

describe("what one server says", () => {
  test.each<[what: string, hosts: string[], whereAny: Side, whereExact: Side]>([
    ["the old host", [before], "old", "old"],
    ["one more of the old hosts", [before, "mx2.old.example"], "old", "strange"],
    ["the new host", [after], "new", "new"],
    ["both new hosts", ["mx2.new.example", after], "new", "new"],
    ["an old and a new one", [after, before], "dual", "dual"],
    ["a host nobody named", [foreign], "new", "strange"],
    ["a new host and one nobody named", [after, foreign], "new", "strange"],
    ["an old host and one nobody named", [before, foreign], "dual", "strange"],
    ["one of each", [before, after, foreign], "dual", "strange"],
  ])("%s", (_, hosts, whereAny, whereExact) => {
    expect(sideOf(named("ns1", hosts), any)).toBe(whereAny);
    expect(sideOf(named("ns1", hosts), exact)).toBe(whereExact);
  });

  test("no host, no domain and no answer", () => {
    for (const hosts of [any, exact]) {
      expect(sideOf(says.none("ns1"), hosts)).toBe("none");
      expect(sideOf({ server: "ns1", outcome: "no domain", ttl: null }, hosts)).toBe("none");
      expect(sideOf(says.silent("ns1"), hosts)).toBe("silent");
    }
  });

  test("a host that stays counts as new where it is wanted, and as old where nothing is", () => {
    expect(sideOf(named("ns1", [before]), { old: [before], wanted: [before, after] })).toBe("new");
    expect(sideOf(named("ns1", [before, after]), { old: [before], wanted: [] })).toBe("dual");
  });
});

describe("what all of them say", () => {
  test.each([
    ["all the old", "old old | old old", "old"],
    ["all the new", "new new | new new", "new"],
    ["the new, one of its own servers silent", "new silent | new new", "new"],
    ["the new, one resolver silent", "new | new new silent", "new"],
    ["the new, two resolvers of three silent", "new | new silent silent", "unseen"],
    ["the new, its only resolver", "new | new", "new"],
    ["the new, its only resolver silent", "new | silent", "unseen"],
    ["the new, no resolver is asked", "new |", "new"],
    ["one of its own servers the old", "old new | new new", "split"],
    ["one resolver the old", "new | old new", "split"],
    ["its own servers the old, resolvers the new", "old | new new", "split"],
    ["one of its own servers nothing", "new none | new new", "split"],
    ["one resolver nothing", "new | none new", "split"],
    ["own servers silent, all resolvers the new", "silent | new new", "unseen"],
    ["no servers of its own are known, all resolvers the new", "| new new", "unseen"],
    ["own servers silent, all resolvers the old", "silent | old old", "old"],
    ["own servers silent, resolvers differ", "silent | old new", "split"],
    ["nobody answers", "silent silent | silent silent", "unseen"],
    ["nobody is asked", "|", "unseen"],
    ["both systems at its own servers", "dual | old old", "dual"],
    ["both systems at one of its own servers", "new dual | new new", "dual"],
    ["both systems at one resolver alone", "new | dual new", "split"],
    ["both systems at all that answer", "silent | dual dual", "dual"],
    ["strange hosts at its own servers", "strange | old old", "strange"],
    ["strange hosts at one of its own servers", "old strange | old old", "strange"],
    ["strange hosts at one resolver alone", "old | strange old", "split"],
    ["strange hosts at all that answer", "silent | strange", "strange"],
    ["both systems and strange hosts", "strange dual | old", "dual"],
    ["nothing anywhere", "none none | none none", "none"],
    ["nothing, some silent", "none silent | none silent", "none"],
    ["nothing at its own servers alone", "none | old old", "split"],
  ])("%s", (_, text, phase) => {
    expect(seen(text).phase).toBe(phase);
  });

  test("what nobody wanted is strange only where somebody said what is wanted", () => {
    const moved = { ...sight("|"), authoritative: [named("ns1", [foreign])] };
    expect(advance(any, null, moved).phase).toBe("new");
    expect(advance(exact, null, moved).phase).toBe("strange");
  });
});

describe("a resolver that said something else and falls silent", () => {
  const old = "new | old:100 new new";
  const silent = "new | silent new new";

  test("counts as that until its time to live is over, to the second", () => {
    expect(seen([0, old], [100, silent])).toMatchObject({ phase: "new", stale: [] });
    expect(seen([0, old], [99, silent])).toMatchObject({
      phase: "split",
      stale: [{ server: "r1", until: 100_000 }],
    });
  });

  test("is not given more time by its silence, and is by saying it again", () => {
    expect(seen([0, old], [50, silent], [99, silent]).phase).toBe("split");
    expect(seen([0, old], [50, silent], [100, silent]).phase).toBe("new");
    expect(seen([0, old], [50, "new | old:100 new new"], [100, silent]).phase).toBe("split");
  });

  test("counts no more once it has said the new hosts", () => {
    expect(seen([0, old], [50, "new | new new new"], [60, silent]).phase).toBe("new");
  });

  test.each(["dual", "strange", "none"])("counts as well where it said %s", (what) => {
    const sights = (seconds: number): [number, string][] => [
      [0, `new | ${what}:100 new new`],
      [seconds, silent],
    ];
    expect(seen(...sights(99)).phase).toBe("split");
    expect(seen(...sights(100)).phase).toBe("new");
  });

  test("nothing that nobody may remember is not remembered", () => {
    const nothing = { server: "r1", outcome: "no domain" as const, ttl: null };
    const first = sight("new | new new new");
    const known = advance(exact, null, {
      ...first,
      resolvers: [nothing, ...first.resolvers.slice(1)],
    });
    expect(known.phase).toBe("split");
    expect(advance(exact, known, sight(silent, 1000)).phase).toBe("new");
  });

  test("its own servers are not remembered: what they say now is so everywhere", () => {
    expect(seen("old new | new new", "silent new | new new").phase).toBe("new");
  });
});

describe("when it was changed", () => {
  test.each<[what: string, sights: string[], minute: number | null]>([
    ["not before its own servers say so", ["old | old", "old | new"], null],
    ["with the first of its own servers", ["old old | old", "old new | old"], 1],
    ["the first time is kept", ["old | old", "new | old", "new | new", "new | new"], 1],
    ["while the servers of the zone differ", ["new old | old", "old new | old", "new new |"], 0],
    ["taken back when all are at the old hosts again", ["new | old", "old | old"], null],
    ["and made again later", ["new | old", "old | old", "new | old"], 2],
    ["kept while its own servers are silent", ["new | new", "silent | new", "new | new"], 0],
    ["not by both systems at once", ["dual | old"], null],
    ["not by strange hosts", ["strange | old"], null],
  ])("%s", (_, sights, minute) => {
    expect(seen(...sights).changedAt).toBe(minute === null ? null : minute * 60_000);
  });
});

describe("how long the old records may be remembered", () => {
  test.each<[what: string, sights: string[], seconds: number | null]>([
    ["as long as its own servers give them", ["old:300 | old:7200"], 300],
    ["the longest of them", ["old:300 old:900 | old:10"], 900],
    ["by whoever asked before it was lowered", ["old:86400 | ", "old:300 | "], 86400],
    ["counted from the last time they were given", ["old:300 |", "old:300 |"], 360],
    ["after the change too", ["old:86400 |", "new:60 | old:40", "silent |"], 86400],
    ["by a server of the zone that lags", ["old:60 |", "new:60 old:900 | old:40"], 960],
    ["unknown where they were never seen", ["new:60 | old:40", "silent | old:40"], null],
  ])("%s", (_, sights, seconds) => {
    expect(seen(...sights).oldUntil).toBe(seconds === null ? null : seconds * 1000);
  });
});

test("new hosts that have no address are no change: they take no mail", () => {
  const slip = { ...sight("new | new new"), missing: [after] };
  const both = { ...slip, missing: [foreign] };

  expect(advance(exact, null, slip).phase).toBe("none");
  expect(advance(exact, null, both).phase, "the control").toBe("new");
});

describe("whatever is seen", () => {
  const side = fc.constantFrom<Side>("old", "new", "dual", "strange", "none", "silent");
  // Mostly new: what is looked for are the rare ways to it.
  const mostlyNew = fc.oneof({ weight: 4, arbitrary: fc.constant<Side>("new") }, side);
  const seconds = fc.integer({ min: 0, max: 300 });
  const sightings = fc.tuple(fc.nat(3), fc.nat(3)).chain(([own, others]) =>
    fc.array(
      fc.record({
        later: seconds,
        own: fc.array(mostlyNew, { minLength: own, maxLength: own }),
        others: fc.array(fc.tuple(mostlyNew, seconds), { minLength: others, maxLength: others }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  );

  test("it is new only where one of its own servers says so and nobody is heard or remembered to say otherwise", () => {
    let news = 0;
    fc.assert(
      fc.property(sightings, (all) => {
        let known: MxKnown | null = null;
        let at = 0;
        /** Until when, in ms, each resolver may give what it said last. */
        const otherwise = new Map<number, number>();
        for (const { later, own, others } of all) {
          at += later * 1000;
          known = advance(exact, known, {
            ...sight("|", at),
            authoritative: own.map((one, n) => says[one](`ns${n}`)),
            resolvers: others.map(([one, left], n) => says[one](`r${n}`, left)),
          });
          others.forEach(([one, left], n) => {
            if (one === "new") otherwise.delete(n);
            else if (one !== "silent") otherwise.set(n, at + left * 1000);
          });
          if (known.phase !== "new") continue;
          news += 1;
          const heard = [...own, ...others.map(([one]) => one)].filter((one) => one !== "silent");
          const then = at;
          expect(own).toContain("new");
          expect(new Set(heard)).toEqual(new Set(["new"]));
          expect([...otherwise.values()].filter((until) => until > then)).toEqual([]);
          expect(known.changedAt).not.toBeNull();
        }
      }),
      { numRuns: 1000 },
    );
    expect(news, "and it was new often enough").toBeGreaterThan(300);
  });
});
