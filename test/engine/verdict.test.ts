import { describe, expect, test } from "vitest";
import { type Cutover, standing, type Withheld, withheld } from "../../engine/domain/cutover.ts";
import type { LateSums } from "../../engine/domain/late-mail.ts";
import type { Phase } from "../../engine/domain/mx.ts";

const minute = 60_000;
const hour = 60 * minute;
const now = Date.UTC(2026, 10, 28, 12);

/** Seen to be changed two days ago, quiet since, looked at a minute ago with nothing left: safe. */
const safe: Cutover = {
  n: 1,
  project: 1,
  channel: "local:main",
  person: "local:owner",
  domain: "acme.example",
  old: ["mx.old.example"],
  wanted: [],
  plannedAt: null,
  quietHours: 24,
  state: "moved",
  known: {
    phase: "new",
    sight: { at: now - minute, authoritative: [], resolvers: [], missing: [], aliases: [] },
    changedAt: now - 48 * hour,
    oldUntil: now - 47 * hour,
    stale: [],
  },
  told: "new",
  movedAt: now - 48 * hour,
  movedBy: null,
  dueAt: now,
  mailDueAt: now,
  look: { at: now - minute, mailboxes: 2, problems: [], left: 0 },
  offer: null,
  safeAt: null,
  verdicts: 0,
  at: now - 72 * hour,
};
const noLate: LateSums = { mails: 0, mailboxes: 0, waiting: 0, lastAt: null, from: [] };

const why = (change: Partial<Cutover> = {}, late: Partial<LateSums> = {}) =>
  withheld({ ...safe, ...change }, { ...noLate, ...late }, now);
const known = (change: Partial<Cutover["known"]>) => ({ known: { ...safe.known, ...change } });
const look = (change: Partial<NonNullable<Cutover["look"]>>) => ({
  look: { ...safe.look!, ...change },
});

const stale = [{ server: "192.0.2.53", until: now + minute }];
const problems = [{ source: "bo@old.example", reason: "refused" }];

test("it is safe where all agree, the old mailboxes were quiet, and nothing is left in them", () => {
  expect(why()).toEqual([]);
});

describe("it is not safe, for this alone, when otherwise it would be:", () => {
  const movedAt = now - 10 * hour;
  const lastAt = now - 3 * hour;
  const ends = (from: number) => from + 24 * hour;

  test.each<[what: string, change: Partial<Cutover>, late: Partial<LateSums>, reason: Withheld]>([
    ["the change was not made", { state: "watching", movedAt: null }, {}, { type: "not changed" }],
    ["the watch has ended", { state: "ended" }, {}, { type: "not changed" }],
    [
      "a resolver goes on saying the old hosts",
      known({ phase: "split", stale }),
      {},
      { type: "stale", servers: stale },
    ],
    ["nobody looked", { look: null }, {}, { type: "not looked" }],
    ["the newest look is too old", look({ at: now - 2 * hour - 1 }), {}, { type: "not looked" }],
    ["a mailbox could not be asked", look({ problems }), {}, { type: "problems", problems, of: 2 }],
    ["late mail was not carried", {}, { mails: 3, waiting: 2 }, { type: "waiting", mails: 2 }],
    ["something is left to carry", look({ left: 5 }), {}, { type: "left", items: 5 }],
    ["nobody knows what is left", look({ left: null }), {}, { type: "left", items: null }],
    [
      "it was changed lately",
      { ...known({ oldUntil: movedAt + hour }), movedAt },
      {},
      { type: "quiet", until: ends(movedAt + hour), last: null },
    ],
    [
      "mail came late, and was carried",
      {},
      { mails: 1, lastAt },
      { type: "quiet", until: ends(lastAt), last: lastAt },
    ],
    [
      "the old records lived long",
      known({ oldUntil: now - 24 * hour + 1000 }),
      {},
      { type: "quiet", until: now + 1000, last: null },
    ],
  ])("%s", (_, change, late, reason) => {
    expect(why(change, late)).toEqual([reason]);
  });

  test.each<Exclude<Phase, "new">>(["old", "split", "dual", "strange", "none", "unseen"])(
    "the DNS is %s",
    (phase) => {
      expect(why(known({ phase }))).toEqual([{ type: "dns", phase }]);
    },
  );
});

describe("to the second:", () => {
  test("a look holds for two hours", () => {
    expect(why(look({ at: now - 2 * hour }))).toEqual([]);
    expect(why(look({ at: now - 2 * hour - 1 }))).toEqual([{ type: "not looked" }]);
  });

  test.each<[from: string, at: (from: number) => [Partial<Cutover>, Partial<LateSums>]]>([
    ["the change", (movedAt) => [{ ...known({ changedAt: null, oldUntil: null }), movedAt }, {}]],
    ["the last late mail", (lastAt) => [{}, { mails: 1, lastAt }]],
    ["the end of the old records", (oldUntil) => [known({ oldUntil }), {}]],
  ])("the quiet hours count from %s", (_, at) => {
    for (const quietHours of [1, 24, 40]) {
      const [change, late] = at(now - quietHours * hour);
      expect(why({ quietHours, ...change }, late)).toEqual([]);
      const [sooner, lateToo] = at(now - quietHours * hour + 1000);
      expect(why({ quietHours, ...sooner }, lateToo)).toMatchObject([
        { type: "quiet", until: now + 1000 },
      ]);
    }
  });

  test("they count from the last of the three", () => {
    const until = (oldUntil: number, movedAt: number, lastAt: number) => {
      const [quiet] = why({ ...known({ oldUntil }), movedAt }, { mails: 1, lastAt });
      return quiet?.type === "quiet" ? now - (quiet.until - 24 * hour) : null;
    };
    expect(until(now - 9 * hour, now - 6 * hour, now - 7 * hour)).toBe(6 * hour);
    expect(until(now - 9 * hour, now - 6 * hour, now - 5 * hour)).toBe(5 * hour);
    expect(until(now - 4 * hour, now - 6 * hour, now - 7 * hour)).toBe(4 * hour);
  });
});

describe("somebody's word that the MX was changed", () => {
  const movedBy = "Anna";

  test("stands for a DNS that cannot be seen", () => {
    expect(why({ ...known({ phase: "unseen", changedAt: null }), movedBy })).toEqual([]);
    expect(why({ ...known({ phase: "unseen", changedAt: null }), movedBy: null })).toEqual([
      { type: "dns", phase: "unseen" },
    ]);
  });

  test.each<Exclude<Phase, "new" | "unseen">>(["old", "split", "dual", "strange", "none"])(
    "does not stand against one that is %s",
    (phase) => {
      expect(why({ ...known({ phase }), movedBy })).toEqual([{ type: "dns", phase }]);
    },
  );

  test("does not stand against one resolver that was heard to say the old hosts", () => {
    const stale = [{ server: "192.0.2.53", until: now + minute }];
    expect(why({ ...known({ phase: "unseen", stale }), movedBy })).toEqual([
      { type: "stale", servers: stale },
    ]);
  });
});

test("all that stands in the way is said at once, the DNS first", () => {
  const problems = [{ source: "bo@old.example", reason: "refused" }];
  const all = why(
    { ...known({ phase: "dual" }), ...look({ problems, left: null }) },
    { mails: 4, waiting: 1, lastAt: now - hour },
  );
  expect(all.map(({ type }) => type)).toEqual(["dns", "quiet", "problems", "waiting"]);
  expect(why({ ...known({ phase: "old" }), look: null }).map(({ type }) => type)).toEqual([
    "dns",
    "not looked",
  ]);
});

describe("a verdict that was given", () => {
  const given: Partial<Cutover> = { safeAt: now - hour, verdicts: 1 };
  const stands = (change: Partial<Cutover>, late: Partial<LateSums> = {}) =>
    standing({ ...safe, ...given, ...change }, { ...noLate, ...late }, now).safe;

  test.each<[what: string, change: Partial<Cutover>]>([
    ["nobody could be asked, as when it is switched off", look({ problems, left: null })],
    ["nobody looked for a day, as after a restart", look({ at: now - 24 * hour })],
    ["it is not known what is left", look({ left: null })],
    ["too few servers answer", known({ phase: "unseen" })],
  ])("holds where %s", (_, change) => {
    expect(stands(change)).toBe(true);
    expect(stands({ ...change, safeAt: null }), "and is not given then").toBe(false);
  });

  test.each<[what: string, change: Partial<Cutover>, late: Partial<LateSums>]>([
    ["a resolver says old", known({ phase: "split", stale }), {}],
    ["the MX names the old hosts again", known({ phase: "old" }), {}],
    ["late mail came", {}, { mails: 1, lastAt: now - minute }],
    ["late mail waits", {}, { mails: 1, waiting: 1, lastAt: now - 40 * hour }],
    ["something is left to carry", look({ left: 1 }), {}],
  ])("falls where %s", (_, change, late) => {
    expect(stands(change, late)).toBe(false);
  });
});
