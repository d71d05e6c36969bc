import { describe, expect, test } from "vitest";
import type { PassSnapshot } from "../engine/domain/pass.ts";
import { compare } from "./servers/checker.ts";
import type { Dovecot } from "./servers/dovecot.ts";
import { twoDovecots } from "./servers/dovecots.ts";
import { count, type Person, person } from "./servers/person.ts";
import { startWorld, type World, type WorldOptions } from "./servers/world.ts";

// The rules of semantics.md about plans, licenses, repair and starting from scratch, on two real servers.

let old: Dovecot;
let fresh: Dovecot;

twoDovecots((...both) => {
  [old, fresh] = both;
});

let numbers = 0;

/** A project with people of names never used before. */
async function peopled(
  many: number,
  options: WorldOptions = {},
): Promise<World & { people: Person[] }> {
  const names = Array.from({ length: many }, () => `l${++numbers}`);
  const world = await startWorld(old, fresh, options);
  await world.add(...names);
  await world.godwit.desk.people.grant(world.project.id, "local:bo", "operator", "local:owner");
  return Object.assign(world, { people: names.map((name) => person(name, old, fresh)) });
}

/** The newest pass, carried to its end. */
async function finished(world: World): Promise<PassSnapshot> {
  const [newest] = await world.godwit.desk.passes.recent(world.project.id, 1);
  return world.finish(newest!.id);
}

const atNew = ({ name }: Person) => fresh.login(`${name}@new.example`);
const atOld = ({ name }: Person) => old.login(`${name}@old.example`);
const state = (dumped: Awaited<ReturnType<Person["target"]>>) =>
  compare(new Map(), dumped)
    .foreign.map(({ folder, sha }) => `${folder} ${sha}`)
    .sort();

describe("8. Moved items duplicate", () => {
  test("the plan shows the number, and the pass carries as many", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    await anna.deliver("INBOX", "one", "two", "three");
    await anna.deliver("Work", "four");
    await at.say("full --yes");
    await finished(at);
    await using client = await atOld(anna);
    await client.command("SELECT INBOX");
    await client.command("UID MOVE 1:2 Work");
    await anna.deliver("INBOX", "five");

    const plan = await at.say("delta --dry-run");
    expect(plan).toContain("expected: 3 items");
    expect(plan).toContain("carried again into their new folder: 2");

    await at.say("delta");
    expect((await finished(at)).counters).toMatchObject({ migrated: 3, gone: 2 });
  });
});

describe("What a plan says is what its pass does", () => {
  test("items, bytes, what is there already, what is left out, and what changed", async () => {
    await using at = await peopled(2);
    const [anna, bo] = at.people as [Person, Person];
    const day = 24 * 60 * 60 * 1000;
    await anna.deliver("INBOX", {
      body: "Subject: old\r\n\r\nold\r\n",
      date: Date.now() - 99 * day,
    });
    await anna.deliver("INBOX", "new");
    await bo.deliver("Work", { body: "Subject: x\r\n\r\nx\r\n", date: Date.now() - 95 * day });

    const planned = await at.godwit.desk.forecaster.ask({
      kind: "prestage",
      limit: Date.now() - 90 * day,
      filters: at.project.filters,
      entries: await at.godwit.desk.projects.entries(at.project.id),
    });
    await at.say("prestage 90d --yes");
    const pass = await finished(at);

    for (const [n, run] of pass.runs.entries()) {
      const { items, bytes, filtered, duplicates } = planned.entries[n]!;
      const { counters: c } = run;
      expect([items, bytes, filtered, duplicates]).toEqual([
        c.migrated,
        c.bytes,
        c.filtered,
        c.duplicates,
      ]);
    }
    await using client = await atOld(anna);
    await client.store("INBOX", "1", "+FLAGS (\\Flagged)");
    const delta = await at.say("delta --dry-run");
    expect(delta).toContain("expected: 1 item");
    expect(delta).toContain("2 already there");
    expect(delta).toContain("changed since they were carried, and not carried again: 1");
  });

  test("a mailbox that moved since is said instead of started", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    await anna.deliver("INBOX", "one", "two");
    expect(await at.say("full")).toContain("expected: 2 items");
    await anna.deliver("INBOX", "three");

    const said = await at.say("start 1");

    expect(said).toContain("Plan 1 is out of date: 3 items to carry instead of 2");
    expect(said).toContain("Nothing was started. Type `full` again");
    expect(await at.godwit.desk.passes.recent(at.project.id, 5)).toEqual([]);
    await at.say("full");
    expect(await at.say("start 2")).toContain("as pass 1");
    expect((await finished(at)).counters).toMatchObject({ migrated: 3 });
  });

  test("on a mailbox that moves between the plan and the pass, the difference is what moved", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    const many = Array.from({ length: 200 }, (_, n) => `mail ${n}`);
    await anna.deliver("INBOX", ...many);
    expect(await at.say("full")).toContain("expected: 200 items");
    await anna.deliver("INBOX", "arrived");
    // One in two hundred: still the plan that was shown.
    expect(await at.say("start 1")).toContain("as pass 1");
    await anna.deliver("Work", "arrived after the start");
    await using client = await atOld(anna);
    await client.expunge("INBOX", "1,2");

    const { counters } = await finished(at);

    expect(counters.migrated).toBe(200 + 2 - 2);
    expect(counters).toMatchObject({ duplicates: 0, failed: 0 });
    expect(await at.say("delta --dry-run")).toContain(
      "expected: 0 items, 0 bytes, 200 already there",
    );
  });

  test("a mailbox that cannot be opened is named in the plan", async () => {
    await using at = await peopled(1, { source: { login: "user" } });
    const [entry] = await at.godwit.desk.projects.entries(at.project.id);
    const { Secret } = await import("../engine/domain/secret.ts");
    await at.godwit.desk.projects.setLogins([
      {
        entry: entry!.id,
        sourceUser: null,
        sourcePassword: new Secret("wrong password"),
        targetUser: null,
        targetPassword: null,
      },
    ]);

    expect(await at.say("full --dry-run")).toMatch(
      /expected: 0 items, 0 bytes in 0 of 1 mailbox\n.*cannot be looked into: Login refused/,
    );
  });
});

describe("14. Repair puts back ledgered items that are missing at the target", () => {
  test("on request only, without a license, and never into a second copy", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    await anna.deliver("INBOX", "one", "two", "three", "twin", "twin");
    await anna.deliver("Work", "four");
    await at.say("full --yes");
    await finished(at);
    const before = state(await anna.target());
    await using client = await atNew(anna);
    // One is deleted, one of two twins too, and one was moved by its owner.
    await client.expunge("INBOX", "1,5");
    await client.create("Kept");
    await client.command("SELECT INBOX");
    await client.command("UID MOVE 2 Kept");

    await at.say("delta");
    expect((await finished(at)).counters).toMatchObject({ migrated: 0, duplicates: 6 });
    expect(await at.say("repair --dry-run")).toContain("expected: up to 3 items");
    await at.say("repair");
    const repair = await finished(at);

    expect(repair).toMatchObject({
      kind: "repair",
      state: "completed",
      counters: { listed: 6, migrated: 2, duplicates: 4, vanished: 0, failed: 0 },
      licenses: { consumed: 1, reserved: 0 },
    });
    expect(repair.runs[0]?.passesUsed, "the full pass and the delta").toBe(2);
    const after = await anna.target();
    expect([count(after, "INBOX"), count(after, "Kept"), count(after, "Work")]).toEqual([4, 1, 1]);
    const moved = (folder: string) => folder.replace(/^Kept /, "INBOX ");
    expect(state(after).map(moved).sort()).toEqual(before);
    await at.say("repair");
    expect((await finished(at)).counters).toMatchObject({ migrated: 0, duplicates: 6 });
  });

  test("what is gone at both ends cannot be put back and is counted", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    await anna.deliver("INBOX", "one", "two");
    await at.say("full --yes");
    await finished(at);
    await using client = await atNew(anna);
    await client.expunge("INBOX", "1");
    await using source = await atOld(anna);
    await source.expunge("INBOX", "1");

    await at.say("repair");

    const pass = await finished(at);
    expect(pass.counters).toMatchObject({ listed: 2, migrated: 0, duplicates: 1, vanished: 1 });
    expect(pass.state).toBe("completed");
  });

  test("a whole folder that was deleted is made again", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    await anna.deliver("Work", "one", "two");
    await at.say("full --yes");
    await finished(at);
    await using client = await atNew(anna);
    await client.command("DELETE Work");

    await at.say("repair");

    expect((await finished(at)).counters).toMatchObject({ migrated: 2 });
    expect(count(await anna.target(), "Work")).toBe(2);
  });
});

describe("18. Initial migration 1; every delta of it 0; remigration 1 more, each time", () => {
  test.each(["rackspace", "bittitan", "cloudiway"] as const)("under %s", async (policy) => {
    await using at = await peopled(1, { policy });
    const [anna] = at.people as [Person];
    await anna.deliver("INBOX", "one");
    const used = async () => (await at.godwit.desk.licenses.balance(at.project.id)).consumed;
    const again = async () => {
      await using client = await atNew(anna);
      await client.expunge("INBOX", "1:*");
      const said = await at.say(
        `remigrate ${anna.name}* --because deleted --reason "emptied" --confirm acme`,
      );
      expect(said).toContain("start from scratch");
    };

    await at.say("full --yes");
    await finished(at);
    expect(await used()).toBe(1);
    await at.say("delta");
    await finished(at);
    expect(await used()).toBe(1);
    for (const license of [2, 3]) {
      await again();
      expect(await used(), "the command itself uses none").toBe(license - 1);
      await at.say("full --yes");
      expect((await finished(at)).counters).toMatchObject({ migrated: 1, duplicates: 0 });
      expect(await used()).toBe(license);
      await at.say("delta");
      await finished(at);
      expect(await used()).toBe(license);
    }
  });
});

describe("22. A remigration asks for a reason, and first says what would do instead", () => {
  test("a retry for what failed, a repair for what is missing, a full pass for wider filters", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    await anna.deliver("INBOX", "one", "two");
    await at.say("full --yes");
    await finished(at);
    await using client = await atNew(anna);
    await client.expunge("INBOX", "1");
    const ask = (because: string) =>
      at.say(`remigrate ${anna.name}* --because ${because} --reason "look" --accept-duplicates`);

    expect(await ask("deleted")).toContain("`repair` may do instead: 1 missing");
    expect(await ask("config")).toContain("`full` may do instead");
    await at.filters({ map: { INBOX: "Inbox" } });
    expect(await ask("config")).toContain("nothing cheaper does");
    expect(await ask("errors")).toContain("nothing failed");
    expect(await at.say(`remigrate ${anna.name}* --because boredom --reason x`)).toContain(
      "one of deleted, config, target, errors",
    );
    expect(await at.say(`remigrate ${anna.name}* --because config`)).toContain(
      "The reason is kept in the audit",
    );
    expect(await at.godwit.desk.remigrations.list(at.project.id)).toEqual([]);
  });
});

describe("23. The old entry is closed and stays readable", () => {
  test("a new one takes its place with its own ledger, counter and license, and may have another target", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    await anna.deliver("INBOX", "one", "two");
    await at.say("full --yes");
    const before = await finished(at);
    const target = `${anna.name}-b@new.example`;

    await at.say(
      `remigrate ${anna.name}* --because target --reason "another mailbox" --target ${target} --confirm acme`,
    );

    const { projects } = at.godwit.desk;
    const [entry] = await projects.entries(at.project.id);
    expect(entry).toMatchObject({ target, passesUsed: 0, license: "none", remigration: 1 });
    const [closed] = await projects.closedEntries(at.project.id);
    expect(closed).toMatchObject({ passesUsed: 1, license: "consumed", id: entry!.succeeds });
    expect(await at.say(`report ${before.id}`)).toContain(`${anna.name}@old.example`);
    expect(await at.say(`status ${anna.name}*`)).toContain("started from scratch since");
    await at.say("full --yes");
    expect((await finished(at)).counters).toMatchObject({ listed: 2, migrated: 2, duplicates: 0 });
    await using client = await fresh.login(target);
    expect(count(await client.dump(), "INBOX")).toBe(2);
    expect(count(await anna.target(), "INBOX"), "nobody touched the first").toBe(2);
  });
});

describe("24. The target must be empty, or duplicates are wanted in so many words", () => {
  test("a target that is not empty is refused, also when it was filled later", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    await anna.deliver("INBOX", "one");
    await at.say("full --yes");
    await finished(at);
    const typed = `remigrate ${anna.name}* --because config --reason "again" --confirm acme`;

    expect(await at.say(typed)).toMatch(/must be empty: .* holds 1 item\. Nothing was done/);
    await using client = await atNew(anna);
    await client.expunge("INBOX", "1");
    expect(await at.say(typed)).toContain("Remigration 1 by");
    await client.append("INBOX", { body: "Subject: welcome\r\n\r\nhello\r\n" });
    await at.say("full --yes");

    const pass = await finished(at);
    expect(pass.state).toBe("failed");
    expect(pass.runs[0]?.reason).toContain("holds 1 items already");
    expect(pass.licenses).toMatchObject({ consumed: 1, reserved: 0 });
    expect(count(await anna.target(), "INBOX")).toBe(1);
  });

  test("duplicates that are wanted are carried", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    await anna.deliver("INBOX", "one");
    await at.say("full --yes");
    await finished(at);

    await at.say(
      `remigrate ${anna.name}* --because config --reason "again" --accept-duplicates --confirm acme`,
    );
    await at.say("full --yes");

    expect(await finished(at)).toMatchObject({ state: "completed", counters: { migrated: 1 } });
    expect(count(await anna.target(), "INBOX")).toBe(2);
  });

  test("it is emptied on a second person's word, of what the ledger wrote and nobody touched", async () => {
    await using at = await peopled(1);
    const [anna] = at.people as [Person];
    await anna.deliver("INBOX", "plain", {
      body: "Subject: seen\r\n\r\nseen\r\n",
      flags: ["\\Seen"],
    });
    await anna.deliver("INBOX", "read there", "only there");
    await anna.deliver("Work", "in a folder");
    await at.say("full --yes");
    await finished(at);
    await using client = await atNew(anna);
    await client.store("INBOX", "3", "+FLAGS (\\Seen)");
    await using source = await atOld(anna);
    await source.expunge("INBOX", "4");
    await client.append("INBOX", { body: "Subject: foreign\r\n\r\nforeign\r\n" });
    const typed = `remigrate ${anna.name}* --because config --reason "again" --empty-target --confirm acme`;

    expect(await at.say(typed)).toMatch(/would still hold 3 items\. Nothing was done/);
    expect(await at.say(`${typed} --accept-duplicates`)).toContain("approve 1");
    expect(count(await anna.target(), "INBOX"), "nothing without the second").toBe(5);
    expect(await at.say("approve 1")).toContain("a second person has to approve it");
    expect(await at.say("approve 1", "bo")).toContain("3 carried items removed");

    const after = await anna.target();
    expect([count(after, "INBOX"), count(after, "Work")]).toEqual([3, 0]);
    expect((await source.dump()).get("INBOX")?.messages, "the old place").toHaveLength(3);
    await at.say("full --yes");
    expect((await finished(at)).counters).toMatchObject({ migrated: 4 });
  });
});

describe("25. Several entries: one goes first and is checked; the rest start only after it passed", () => {
  async function scratch(many: number) {
    const at = await peopled(many);
    for (const one of at.people) await one.deliver("INBOX", "one", "two");
    await at.say("full --yes");
    await finished(at);
    for (const one of at.people) {
      await using client = await atNew(one);
      await client.expunge("INBOX", "1:*");
    }
    const said = await at.say('remigrate * --because deleted --reason "all of it" --confirm acme');
    expect(said).toContain("goes first and is checked");
    return at;
  }

  test("they begin by themselves, and the checklist is ticked", async () => {
    await using at = await scratch(3);

    expect(await at.say("full")).toContain("goes first; ");
    await at.say("start 1");
    const pass = await finished(at);

    expect(pass).toMatchObject({ state: "completed", counters: { migrated: 6 } });
    const shown = await at.say("remigration show 1");
    for (const item of ["first", "counts", "duplicates", "errors", "validated"]) {
      expect(shown).toMatch(new RegExp(`☑ .*\\(${item}\\)`));
    }
    expect(shown).toMatch(/☐ .*\(backup\)/);
    await at.say('remigration tick 1 backup --note "on tape"');
    expect(await at.say("remigration show 1")).toMatch(/☑ .*\(backup\).*on tape/);
  });

  test("where the first does not come through, the others carry nothing and give back their licenses", async () => {
    await using at = await scratch(3);
    const [first, ...others] = at.people as [Person, ...Person[]];
    await using client = await atNew(first);
    await client.append("INBOX", { body: "Subject: in the way\r\n\r\nx\r\n" });

    await at.say("full --yes");
    const pass = await finished(at);

    expect(pass.runs.map((run) => run.state)).toEqual(["failed", "stopped", "stopped"]);
    expect(pass.runs[1]?.reason).toContain(`${first.name}@old.example goes first`);
    expect(pass.licenses).toMatchObject({ consumed: 3, reserved: 0 });
    for (const one of others) expect(count(await one.target(), "INBOX")).toBe(0);
    await client.expunge("INBOX", "1:*");
    await at.say("full --yes");
    expect((await finished(at)).counters).toMatchObject({ migrated: 6 });
  });
});
