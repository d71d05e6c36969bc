import { afterEach, describe, expect, test } from "vitest";
import { localPerson } from "../../bot/surfaces/local/chat.ts";
import type { TranscriptLine } from "../../engine/domain/thread.ts";
import { type ChatWorld, canary, chatWorld } from "../doubles/chat-world.ts";
import { hostile } from "../doubles/hostile.ts";

let world: ChatWorld;
afterEach(() => world[Symbol.asyncDispose]());

const day = 24 * 60 * 60 * 1000;
const as = (name: string) => ({ person: localPerson(name) });
const grant = 'licenses add 5 --note "order 4712"';

/** A project in which ana and bo are owners, olu is an operator and vic looks on, with these settings. */
async function house(settings: string[], change: Parameters<typeof chatWorld>[0] = {}) {
  world = await chatWorld({ people: ["anna", "bob"], ...change });
  for (const line of [
    "roles grant ana owner",
    "roles grant bo owner",
    "roles grant olu operator",
    "roles grant vic viewer",
    ...settings.map((setting) => `project set ${setting}`),
  ]) {
    expect([line, (await world.say(line)).result]).toEqual([line, "accepted"]);
  }
}

const grants = "secondPerson.grants on";
const over = "secondPerson.passesOver 1";
const balance = async () => (await world.desk.licenses.balance(1)).owned;
const passes = () => world.desk.passes.recent(1, 10);
const policy = async () => (await world.desk.projects.byId(1)).policy;

/** The request's message as it stands now: the last edit of what was posted. */
async function card(n = 1): Promise<TranscriptLine> {
  const lines = await world.lines();
  const root = lines.find((line) => line.extra.key === `approval:${n}`);
  const [last] = lines
    .filter((line) => line.thread === root?.thread && line.for === null)
    .slice(-1);
  if (last === undefined) throw new Error(`There is no card of request ${n}.`);
  return last;
}

/** What is in the audit of the project, oldest first. */
async function audited(): Promise<string[]> {
  const lines = (await world.desk.audit.recent(1, 200)).reverse();
  return lines.map(({ who, did, outcome }) => `${who} | ${did} | ${outcome}`);
}

describe("a request", () => {
  test("stands before everybody with what it would do, and nothing is done", async () => {
    await house([grants]);
    const { result, lines, passes: started } = await world.say(grant, as("ana"));
    expect([result, started, lines.length]).toEqual(["accepted", [], 1]);
    expect(lines[0]?.kind).toBe("post");
    expect(lines[0]?.text).toBe(
      "To be added: 5 licenses for acme (order 4712).\nNothing was done. local:ana asked for it; a second person types `approve 1` or `deny 1`. The request is kept until 2026-11-21 13:00 (Europe/Berlin).",
    );
    expect(lines[0]?.extra.buttons).toEqual([
      { label: "Approve", command: "approve 1", style: "primary" },
      { label: "Deny", command: "deny 1", style: "danger" },
    ]);
    expect(await balance()).toBe(10);
  });

  test("of a pass shows its whole plan, by `--yes` too, and starts nothing", async () => {
    await house([over]);
    for (const typed of ["full", "full --yes", "prestage 90d --yes", "trial", "trial --yes"]) {
      const { lines, passes: started } = await world.say(typed, as("ana"));
      expect([typed, started]).toEqual([typed, []]);
      const text = lines.at(-1)?.text ?? "";
      expect(text).toMatch(/of acme.*2 mailboxes/);
      expect(text).toContain("anna@old.example, bob@old.example");
      expect(text).toMatch(/policy: .*a second person for passes over 1 mailbox/);
      expect(text).toMatch(/a second person types `approve \d`/);
      expect(text).not.toMatch(/`start/);
    }
    expect(await passes()).toEqual([]);
  });

  test("is not made by as many mailboxes as one person may start, nor by a dry run", async () => {
    await house([over]);
    expect((await world.say("full anna@old.example --yes", as("ana"))).passes).toEqual([1]);
    const dry = await world.say("full --dry-run", as("ana"));
    expect(dry.lines.map((line) => [line.kind, line.extra.buttons])).toEqual([
      ["private", undefined],
    ]);
    expect(await world.desk.approvals.look(1)).toBeNull();
  });

  test("is not made where licenses are short: the shortage is said instead", async () => {
    await house([over], { licenses: 1 });
    for (const typed of ["full", "full --yes"]) {
      const { result, lines } = await world.say(typed, as("ana"));
      expect([result, lines.map((line) => line.kind)]).toEqual(["refused", ["private"]]);
      expect(lines[0]?.text).toMatch(/Uses 2 licenses, 1 free: 1 short/);
    }
    expect(await world.desk.approvals.look(1)).toBeNull();
  });

  test("holds no secret, and hostile notes in it stay what they are", async () => {
    await house([grants, over]);
    await world.say("full", as("ana"));
    const notes = hostile.filter((text) => !/["\n]/.test(text)).slice(0, 40);
    let asked = 1;
    for (const note of notes) {
      const { result, lines } = await world.say(`licenses add 5 --note "${note}"`, as("ana"));
      if (result === "refused") continue;
      asked += 1;
      expect(lines.map((line) => line.kind)).toEqual(["post"]);
      expect(Object.keys(lines[0]?.extra ?? {}).sort()).toEqual(["buttons", "key", "tone"]);
      expect(lines[0]?.extra.buttons).toEqual([
        { label: "Approve", command: `approve ${asked}`, style: "primary" },
        { label: "Deny", command: `deny ${asked}`, style: "danger" },
      ]);
      expect(lines[0]?.text.split("\n")).toHaveLength(2);
    }
    expect(asked).toBeGreaterThan(20);
    await world.say("approve 1", as("bo"));
    const kept = await Promise.all([1, 2].map((n) => world.desk.approvals.look(n)));
    expect(JSON.stringify([await world.lines(), await audited(), kept])).not.toContain(canary);
  });
});

describe("who decides", () => {
  test("not the one who asked, who may take it back", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    const own = await world.say("approve 1", as("ana"));
    expect(own.result).toBe("refused");
    expect(own.lines.map((line) => [line.kind, line.for])).toEqual([["private", "local:ana"]]);
    expect(own.lines[0]?.text).toBe(
      "You asked for request 1 yourself: a second person has to approve it. Nothing was done. Type `deny 1` to take it back.",
    );
    expect((await world.desk.approvals.look(1))?.chosen).toBeNull();

    expect((await world.say("deny 1", as("ana"))).result).toBe("accepted");
    expect((await card()).text).toBe(
      "Request 1, 5 licenses for acme (order 4712), by local:ana: denied by local:ana at 13:00:00. Nothing was done.",
    );
    expect(await world.hear("approve 1", as("bo"))).toMatch(/was denied by local:ana at 13:00:00/);
    expect(await balance()).toBe(10);
  });

  test.each([
    ["mallory", /`approve` needs the role operator, and you have none/],
    ["vic", /`approve` needs the role operator, and you have viewer/],
    ["olu", /`licenses add` needs the role owner, and you have operator/],
  ])("not %s, who could not type it themselves; the request waits on", async (name, why) => {
    await house([grants]);
    await world.say(grant, as("ana"));
    const { result, lines } = await world.say("approve 1", as(name));
    expect([result, lines.map((line) => [line.kind, line.for])]).toEqual([
      "refused",
      [["private", `local:${name}`]],
    ]);
    expect(lines[0]?.text).toMatch(why);
    expect(await balance()).toBe(10);
    expect((await card()).extra.buttons).toHaveLength(2);
    // It was the person and not the request.
    expect((await world.say("approve 1", as("bo"))).result).toBe("accepted");
    expect(await balance()).toBe(15);
  });

  test("not an owner of the platform's guests", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    const guest = { person: { ...localPerson("bo"), guest: true } };
    expect(await world.hear("approve 1", guest)).toMatch(/guests .* can only look/);
    expect(await balance()).toBe(10);
  });

  test.each([
    ["mallory", /needs the role operator/],
    ["vic", /needs the role operator/],
  ])("%s cannot deny either", async (name, why) => {
    await house([grants]);
    await world.say(grant, as("ana"));
    expect(await world.hear("deny 1", as(name))).toMatch(why);
    expect((await world.desk.approvals.look(1))?.chosen).toBeNull();
  });

  test("an operator approves what an operator may type, and may deny what only an owner may", async () => {
    await house([grants, over]);
    await world.say("full", as("ana"));
    expect((await world.say("approve 1", as("olu"))).passes).toEqual([1]);
    await world.say(grant, as("ana"));
    expect((await world.say("deny 2", as("olu"))).result).toBe("accepted");
    expect(await balance()).toBe(10);
  });

  test.each([
    ["who has no role any more", "roles revoke ana"],
    ["who only looks on by now", "roles grant ana viewer"],
  ])("is asked about the one who asked as well: %s", async (_, taken) => {
    await house([grants]);
    await world.say(grant, as("ana"));
    await world.say(taken);
    const { result, lines } = await world.say("approve 1", as("bo"));
    expect(result).toBe("refused");
    expect(lines.map((line) => line.kind)).toEqual(["private"]);
    expect(lines[0]?.text).toMatch(
      /local:ana asked for request 1.*has not the role owner any more; nothing was done/,
    );
    expect(await balance()).toBe(10);
    // Nobody has decided: it waits until its day is over, or they have their role again.
    expect((await world.desk.approvals.look(1))?.chosen).toBeNull();
    expect((await card()).extra.buttons).toHaveLength(2);
    await world.say("roles grant ana owner");
    await world.say("approve 1", as("bo"));
    expect(await balance()).toBe(15);
  });
});

describe("approved", () => {
  test("it is done as the one who asked, and its message says who chose when", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    world.clock.advance(90_000);
    const { result, lines } = await world.say("approve 1", as("bo"));
    expect(result).toBe("accepted");
    expect(lines.map((line) => [line.kind, line.text])).toEqual([
      [
        "edit",
        "Request 1, 5 licenses for acme (order 4712), by local:ana: approved by local:bo at 13:01:30.",
      ],
      ["post", expect.stringMatching(/^5 licenses added to acme by local:ana \(order 4712\)/)],
    ]);
    expect((await card()).extra.buttons).toBeUndefined();
    const [movement] = await world.desk.licenses.history(1, 1);
    expect(movement).toMatchObject({ kind: "grant", count: 5, by: "local:ana" });
  });

  test("a pass is carried in the name of the one who asked", async () => {
    await house([over]);
    await world.say("full --yes", as("ana"));
    const { passes: started, lines } = await world.say("approve 1", as("bo"));
    expect(started).toEqual([1]);
    expect(lines.at(-1)?.text).toMatch(/pass 1/);
    expect(await world.desk.passes.snapshot(1)).toMatchObject({
      kind: "full",
      startedBy: "local:ana",
      thread: expect.stringContaining("local:main"),
    });
    await world.carry();
    expect((await world.desk.passes.snapshot(1)).state).toBe("completed");
  });

  test("the request, the approval and the deed are in the audit, each with its person", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    await world.say("approve 1", as("ana"));
    await world.say("approve 1", as("bo"));
    expect((await audited()).slice(-4)).toEqual([
      "local:ana | licenses add 5 --note order 4712: asks for a second person, request 1 | done",
      "local:ana | approve 1 | refused",
      "local:ana | 5 licenses for acme (order 4712), approved by local:bo (request 1) | done",
      "local:bo | approve 1: approves 5 licenses for acme (order 4712), asked for by local:ana | done",
    ]);
  });

  test("denied, it is in the audit and nothing is done", async () => {
    await house([over]);
    await world.say("full", as("ana"));
    await world.say("deny 1", as("bo"));
    expect((await audited()).at(-1)).toMatch(
      /^local:bo \| deny 1: denies .*acme.*, asked for by local:ana \| done$/,
    );
    expect((await card()).text).toMatch(/denied by local:bo at 13:00:00\. Nothing was done\.$/);
    expect(await passes()).toEqual([]);
  });
});

describe("one decision wins", () => {
  test.each([
    ["approve 1", /Request 1 was approved by local:bo at 13:00:00 already; nothing more was done/],
    ["deny 1", /Request 1 was approved by local:bo at 13:00:00 already; nothing more was done/],
  ])("`%s` after an approval hears who chose and when", async (typed, told) => {
    await house([grants]);
    await world.say(grant, as("ana"));
    await world.say("approve 1", as("bo"));
    const { text } = await card();
    world.clock.advance(60_000);
    const late = await world.say(typed);
    expect([late.result, late.lines.length]).toEqual(["refused", 1]);
    expect(late.lines[0]?.text).toMatch(told);
    expect((await card()).text).toBe(text);
    expect(await balance()).toBe(15);
  });

  test.each([
    ["approve 1", "approve 1"],
    ["approve 1", "deny 1"],
    ["deny 1", "approve 1"],
    ["deny 1", "deny 1"],
  ])("of `%s` and `%s` at the same moment one is taken", async (one, other) => {
    await house([grants]);
    await world.say(grant, as("ana"));
    const both = await Promise.all([world.say(one, as("bo")), world.say(other)]);
    expect(both.map(({ result }) => result).sort()).toEqual(["accepted", "refused"]);
    const taken = both[0]?.result === "accepted" ? [one, "local:bo"] : [other, "local:owner"];
    const what = taken[0] === "approve 1" ? "approve" : "deny";
    expect((await world.desk.approvals.look(1))?.chosen).toMatchObject({ what, by: taken[1] });
    expect(await balance()).toBe(what === "approve" ? 15 : 10);
    expect((await card()).text).toContain(what === "approve" ? "approved by" : "denied by");
  });

  test("books that let everybody choose would do it twice", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    const { approvals } = world.desk;
    world.desk.approvals = { ...approvals, choose: async () => true };
    await Promise.all([world.say("approve 1", as("bo")), world.say("approve 1")]);
    expect(await balance()).toBe(20);
  });

  test("one press delivered twice is one", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    const twice = { ...as("bo"), eventId: "event-1" };
    await Promise.all([world.say("approve 1", twice), world.say("approve 1", twice)]);
    expect(await balance()).toBe(15);
    expect((await world.lines()).filter((line) => line.kind === "edit")).toHaveLength(1);
  });
});

describe("what cannot be decided", () => {
  test("a request that is a day old, and until then it can", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    await world.say(grant, as("ana"));
    world.clock.advance(day - 1);
    expect((await world.say("approve 1", as("bo"))).result).toBe("accepted");
    world.clock.advance(1);
    for (const typed of ["approve 2", "deny 2"]) {
      const { result, lines } = await world.say(typed, as("bo"));
      expect([result, lines.length]).toEqual(["refused", 1]);
      expect(lines[0]?.text).toBe(
        "No request 2 waits here, or it is older than a day. Nothing was done. Whoever wants it types the command again.",
      );
    }
    expect(await balance()).toBe(15);
  });

  test("a number of nothing, and what is no number", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    for (const word of ["approve", "deny"]) {
      for (const nothing of ["0", "2", "007007", "999999999"]) {
        expect(await world.hear(`${word} ${nothing}`, as("bo"))).toMatch(/No request \d+ waits/);
      }
      for (const odd of ["", "it", "1 2", "1;", "-1", "1.0", "9999999999", "１"]) {
        expect(await world.hear(`${word} ${odd}`, as("bo"))).toBe(
          `\`${word}\` takes the number of a request that was shown; nothing was done. Type it like \`${word} 3\`.`,
        );
      }
    }
    expect((await world.desk.approvals.look(1))?.chosen).toBeNull();
    expect(world.logged).toEqual([]);
  });

  test("a request of another channel", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    await world.desk.projects.link("local:other", 1);
    const there = { ...as("bo"), channel: "local:other" };
    for (const typed of ["approve 1", "deny 1"]) {
      expect(await world.hear(typed, there)).toMatch(/No request 1 waits here/);
    }
    expect(await balance()).toBe(10);
    expect((await world.say("approve 1", as("bo"))).result).toBe("accepted");
  });
});

describe("what is not the same any more is not done, and its message says so", () => {
  const changes = [
    ["a mailbox was added", "add cleo@old.example cleo@new.example"],
    ["the policy was changed", "project set overLimit block"],
    ["a filter was changed", "project set maxItemSize 25MB"],
  ] as const;

  test.each(changes)("a pass: %s", async (_, typed) => {
    await house([over]);
    await world.say("full", as("ana"));
    expect((await world.say(typed)).result).toBe("accepted");
    const { result, lines, passes: started } = await world.say("approve 1", as("bo"));
    expect([result, started]).toEqual(["refused", []]);
    expect(lines.map((line) => line.kind)).toEqual(["edit", "private"]);
    for (const { text } of lines) {
      expect(text).toMatch(
        /^Request 1, .*approved by local:bo at 13:00:00\. It was not done: What request 1 asked for is not what it would do now .* Type the command again/,
      );
    }
    expect((await card()).extra.buttons).toBeUndefined();
    expect(await passes()).toEqual([]);
    expect((await audited()).slice(-2)).toEqual([
      expect.stringMatching(
        /^local:ana \| Full pass of acme.*, approved by local:bo \(request 1\) \| refused$/,
      ),
      "local:bo | approve 1 | refused",
    ]);
  });

  test.each(changes)(
    "it is the hash that refuses: %s, and bound anew it is done",
    async (_, typed) => {
      await house([over]);
      await world.say("full", as("ana"));
      await world.say(typed);
      await world.say("full", as("ana"));
      const { approvals } = world.desk;
      const anew = (await approvals.look(2))!.bound;
      expect((await approvals.look(1))!.bound).not.toBe(anew);
      world.desk.approvals = {
        ...approvals,
        async look(n) {
          const found = await approvals.look(n);
          return found && { ...found, bound: anew };
        },
      };
      expect((await world.say("approve 1", as("bo"))).passes).toEqual([1]);
    },
  );

  test("a pass that uses no license, when a mailbox was added", async () => {
    await house([over]);
    await world.say("trial", as("ana"));
    await world.say("add cleo@old.example cleo@new.example");
    const { result, lines } = await world.say("approve 1", as("bo"));
    expect([result, lines[0]?.kind]).toEqual(["refused", "edit"]);
    expect(lines[0]?.text).toMatch(/It was not done: What request 1 asked for is not what/);
    expect(await passes()).toEqual([]);
  });

  test("a pass whose licenses went meanwhile", async () => {
    await house([over], { licenses: 2 });
    await world.say("full", as("ana"));
    await world.say("full anna@old.example --yes");
    const { result, lines } = await world.say("approve 1", as("bo"));
    expect([result, lines[0]?.kind]).toEqual(["refused", "edit"]);
    expect(lines[0]?.text).toMatch(/It was not done: /);
    expect(await passes()).toHaveLength(1);
  });

  test("a policy that was changed otherwise meanwhile", async () => {
    await house([grants]);
    await world.say("project set secondPerson.grants off", as("ana"));
    await world.say("project set overLimit block");
    expect(await world.hear("approve 1", as("bo"))).toMatch(/It was not done/);
    expect(await policy()).toMatchObject({ overLimit: "block", secondPerson: { grants: true } });
  });

  test("a plan that was shown before a second person was asked for", async () => {
    await house([]);
    await world.say("full", as("ana"));
    await world.say(`project set ${over}`);
    expect(await world.hear("start 1", as("ana"))).toMatch(/Plan 1 is out of date: the policy/);
    expect(await passes()).toEqual([]);
  });
});

describe("the setting itself", () => {
  test.each([
    [[], "secondPerson.grants on"],
    [[], "secondPerson.remigration on"],
    [[], "secondPerson.passesOver 50"],
    [["secondPerson.passesOver 50"], "secondPerson.passesOver 49"],
    [["secondPerson.passesOver 50"], "secondPerson.passesOver 50"],
    [[grants], "passesPerLicense unlimited"],
    [[grants], "policy cloudiway"],
  ])("with %s, one person is enough for `%s`", async (before, after) => {
    await house(before);
    expect(await world.hear(`project set ${after}`, as("ana"))).toMatch(/^Set for acme:/);
    expect(await world.desk.approvals.look(1)).toBeNull();
  });

  test.each([
    ["secondPerson.grants on", "secondPerson.grants off"],
    ["secondPerson.remigration on", "secondPerson.remigration off"],
    ["secondPerson.passesOver 50", "secondPerson.passesOver 51"],
    ["secondPerson.passesOver 50", "secondPerson.passesOver none"],
  ])("after `%s`, `%s` takes two", async (before, after) => {
    await house([before]);
    const kept = await policy();
    const { lines } = await world.say(`project set ${after}`, as("ana"));
    expect(lines[0]?.text).toMatch(/^To be changed: policy of acme: secondPerson\.\w+ from .* to /);
    expect(await policy()).toEqual(kept);
    expect(await world.hear("approve 1", as("ana"))).toMatch(/You asked for request 1 yourself/);
    expect(await policy()).toEqual(kept);
    expect((await world.say("approve 1", as("bo"))).result).toBe("accepted");
    expect(await policy()).not.toEqual(kept);
  });

  test("a preset leaves it, so that nobody gets rid of it by one", async () => {
    await house([grants, over]);
    await world.say("project set policy bittitan", as("ana"));
    expect((await policy()).secondPerson).toMatchObject({ grants: true, passesOver: 1 });
    expect(await world.hear(grant, as("ana"))).toMatch(/a second person types `approve 1`/);
  });

  test("off again, one person does it alone", async () => {
    await house([grants]);
    await world.say("project set secondPerson.grants off", as("ana"));
    await world.say("approve 1", as("bo"));
    expect(await world.hear(grant, as("ana"))).toMatch(/^5 licenses added/);
    expect(await balance()).toBe(15);
  });
});

describe("what is approved is what was shown", () => {
  async function two(): Promise<void> {
    const [acme] = await world.desk.projects.list();
    const other = await world.desk.projects.create({
      name: "globex",
      sourceEndpoint: acme!.sourceEndpoint.id,
      targetEndpoint: acme!.targetEndpoint.id,
      policy: await policy(),
      zone: "Europe/Berlin",
    });
    for (const one of ["ana", "bo"]) {
      await world.desk.people.grant(other.id, `local:${one}`, "owner", "local:owner");
    }
  }

  test("licenses go to no other project, whatever the channel is about by then", async () => {
    await house([grants]);
    await two();
    await world.say(grant, as("ana"));
    await world.say("link globex", as("ana"));
    await world.say("approve 1", as("bo"));
    expect((await world.desk.licenses.balance(2)).owned).toBe(0);
  });

  test("no other project's policy is loosened, whatever the channel is about by then", async () => {
    await house([grants]);
    await two();
    await world.say("project set secondPerson.grants off", as("ana"));
    await world.say("link globex", as("ana"));
    await world.say("approve 1", as("bo"));
    expect((await world.desk.projects.byId(2)).policy.secondPerson.grants).toBe(true);
  });

  test("a pass up to a moment keeps the moment that was shown, whatever the zone is by then", async () => {
    await house([over]);
    await world.say('prestage "2026-08-01 18:00"', as("ana"));
    await world.say("project set zone UTC");
    await world.say("approve 1", as("bo"));
    const [pass] = await passes();
    expect(pass?.limit ?? Date.UTC(2026, 7, 1, 16)).toBe(Date.UTC(2026, 7, 1, 16));
  });

  test("whoever approves is told whose role is missing", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    await world.say("roles revoke ana");
    const text = await world.hear("approve 1", as("bo"));
    expect(text).toContain("local:ana");
    expect(text).not.toContain("you have none");
  });

  test("a fault of ours after the choice leaves no card that still asks", async () => {
    await house([grants]);
    await world.say(grant, as("ana"));
    world.desk.licenses.grant = () => Promise.reject(new Error("disk I/O error"));
    expect((await world.say("approve 1", as("bo"))).result).toBe("failed");
    expect((await card()).extra.buttons).toBeUndefined();
  });
});
