import { describe, expect, test } from "vitest";
import { gap } from "../engine/domain/counters.ts";
import { type PassKind, passKinds } from "../engine/domain/pass.ts";
import { startDue } from "../engine/ticker.ts";
import { chatWorld } from "./doubles/chat-world.ts";
import { letters } from "./doubles/letters.ts";
import { letter } from "./doubles/twisted.ts";
import { compare, touched } from "./servers/checker.ts";
import { type Dovecot, startDovecot } from "./servers/dovecot.ts";
import { twoDovecots } from "./servers/dovecots.ts";
import { count, type Person, person, text } from "./servers/person.ts";
import { startWorld, type World, type WorldOptions } from "./servers/world.ts";

// The rules of semantics.md, each by its sentence, on two real servers.

let old: Dovecot;
let fresh: Dovecot;

twoDovecots((...both) => {
  [old, fresh] = both;
});

const day = 24 * 60 * 60 * 1000;
let people = 0;

/** A project with one person of a name never used before. */
async function oneEntry(options: WorldOptions = {}): Promise<World & Person> {
  const name = `p${++people}`;
  const world = await startWorld(old, fresh, options);
  await world.add(name);
  return Object.assign(world, person(name, old, fresh));
}

describe("1. Pre-stage carries mail only, created strictly before a limit", () => {
  test("to the second", async () => {
    await using at = await oneEntry();
    const limit = Date.UTC(2026, 7, 1, 10, 0, 0);
    for (const date of [limit - 1000, limit, limit + 1000]) {
      await at.deliver("INBOX", { body: text(`created ${date}`), date });
    }

    const pass = await at.pass("prestage", { at: limit });

    expect(pass.counters).toMatchObject({ listed: 3, migrated: 1, filtered: 2 });
    const [carried] = (await at.target()).get("INBOX")?.messages ?? [];
    expect(carried?.date).toBe(limit - 1000);
  });
});

describe("2. The limit overrides the project's own date filters for this pass", () => {
  test("and leaves them as they were", async () => {
    await using at = await oneEntry();
    const now = Date.now();
    await at.filters({ after: now - 200 * day, before: now - 150 * day });
    await at.deliver("INBOX", { body: text("old"), date: now - 300 * day });
    await at.deliver("INBOX", { body: text("new"), date: now - 10 * day });

    const pass = await at.pass("prestage", { days: 90 });

    expect(pass.counters).toMatchObject({ listed: 2, migrated: 1, filtered: 1 });
    const project = await at.godwit.desk.projects.byId(at.project.id);
    expect(project.filters).toMatchObject({ after: now - 200 * day, before: now - 150 * day });
  });
});

describe("3. Create date is INTERNALDATE, compared on our side, to the second", () => {
  test("a limit within a day divides that day, whatever the mail's own Date says", async () => {
    await using at = await oneEntry();
    const noon = Date.UTC(2026, 5, 10, 12);
    const lying = "Date: Mon, 1 Jan 2001 00:00:00 +0000\r\n";
    for (const date of [noon - 60_000, noon + 60_000]) {
      await at.deliver("INBOX", { body: `${lying}${text(String(date))}`, date });
    }

    const pass = await at.pass("prestage", { at: noon });

    expect(pass.counters).toMatchObject({ migrated: 1, filtered: 1 });
    expect(pass.limit).toBe(noon);
  });
});

describe("4. Full (delta) pass: all item types, no date filter", () => {
  test.each(["full", "delta"] as const)(
    "%s ignores the project's dates, and is reported by that word",
    async (kind) => {
      await using at = await oneEntry();
      await at.filters({ after: Date.now() - day });
      await at.deliver("INBOX", { body: text("old"), date: Date.now() - 300 * day });

      const pass = await at.pass(kind);

      expect(pass).toMatchObject({ kind, counters: { listed: 1, migrated: 1 } });
    },
  );
});

describe("5. No duplicates", () => {
  test("however often a pass is submitted, and identical twins are carried as often as they are", async () => {
    await using at = await oneEntry();
    await at.deliver("INBOX", "twin", "twin", "single");

    for (const kind of ["full", "delta", "delta"] as const) await at.pass(kind);

    expect(compare(await at.source(), await at.target())).toMatchObject({
      lost: [],
      duplicated: [],
      present: 3,
    });
  });

  test("nor when something new has come to the folder, which is looked at then", async () => {
    await using at = await oneEntry();
    await at.deliver("INBOX", "twin", "twin", "single");
    await at.pass("full");
    await at.deliver("INBOX", "later");

    expect(await at.pass("delta")).toMatchObject({ counters: { migrated: 1, duplicates: 3 } });

    expect(compare(await at.source(), await at.target())).toMatchObject({
      lost: [],
      duplicated: [],
      present: 4,
    });
  });
});

describe("6. No deletes", () => {
  test("deleted at the source stays at the target", async () => {
    await using at = await oneEntry();
    await at.deliver("INBOX", "one", "two");
    await at.pass("full");
    await using client = await old.login(`${at.name}@old.example`);
    await client.expunge("INBOX", "1");

    const pass = await at.pass("delta");

    expect(pass.counters).toMatchObject({ listed: 1, duplicates: 1, gone: 1 });
    expect(count(await at.target(), "INBOX")).toBe(2);
  });
});

describe("7. No updates", () => {
  test("changed at the source stays as first carried, and is counted as changed since", async () => {
    await using at = await oneEntry();
    await at.deliver("INBOX", "one", "two");
    await at.pass("full");
    const before = await at.target();
    await using client = await old.login(`${at.name}@old.example`);
    await client.store("INBOX", "1", "+FLAGS (\\Flagged)");

    const pass = await at.pass("delta");

    expect(pass.counters).toMatchObject({ duplicates: 2, migrated: 0, changed: 1 });
    expect(touched(before, await at.target())).toEqual([]);
  });
});

describe("8. Moved items duplicate", () => {
  test("carried from A, then moved to B: the next pass carries it to B too", async () => {
    await using at = await oneEntry();
    await at.deliver("Work", "kept");
    await at.deliver("INBOX", "moved");
    await at.pass("full");
    await using client = await old.login(`${at.name}@old.example`);
    await client.command("SELECT INBOX");
    await client.command("UID MOVE 1 Work");

    const pass = await at.pass("delta");

    expect(pass.counters).toMatchObject({ migrated: 1, gone: 1 });
    const target = await at.target();
    expect([count(target, "INBOX"), count(target, "Work")]).toEqual([1, 2]);
  });
});

describe("9. What the user did at the target is respected", () => {
  test("moved or deleted there by its owner: a later delta does not put it back", async () => {
    await using at = await oneEntry();
    await at.deliver("INBOX", "moved", "deleted", "kept");
    await at.pass("full");
    await using client = await fresh.login(`${at.name}@new.example`);
    await client.create("Mine");
    await client.command("SELECT INBOX");
    await client.command("UID MOVE 1 Mine");
    await client.expunge("INBOX", "2");

    const pass = await at.pass("delta");

    expect(pass.counters).toMatchObject({ duplicates: 3, migrated: 0 });
    const target = await at.target();
    expect([count(target, "INBOX"), count(target, "Mine")]).toEqual([1, 1]);
  });

  test("a folder deleted there is not made again while nothing new belongs in it", async () => {
    await using at = await oneEntry();
    await at.deliver("Work", "one");
    await at.pass("full");
    await using client = await fresh.login(`${at.name}@new.example`);
    await client.command("DELETE Work");
    // So that the folder does not stand still at the source and is looked at.
    await using owner = await old.login(`${at.name}@old.example`);
    await owner.store("Work", "1", "+FLAGS (\\Seen)");

    await at.pass("delta");
    expect((await at.target()).has("Work")).toBe(false);

    await at.deliver("Work", "two");
    await at.pass("delta");
    expect(count(await at.target(), "Work")).toBe(1);
  });
});

describe("10. The source is never changed", () => {
  test("no flag, no date and no item differs after every kind of pass", async () => {
    await using at = await oneEntry();
    const some = letters({ count: 40, folders: [["INBOX"], ["Work"]] });
    for (const { folder, raw, flags, date } of some) {
      await at.deliver(folder.join("/"), { body: raw, flags, date: date.getTime() });
    }
    const before = await at.source();

    for (const kind of passKinds) await at.pass(kind, kind === "prestage" ? { days: 90 } : {});

    expect(touched(before, await at.source())).toEqual([]);
  });
});

describe("11. The source stays in use", () => {
  test("an item that vanishes between its listing and its reading is counted, not an error", async () => {
    await using at = await oneEntry();
    await at.deliver("INBOX", "one", "two", "three");
    const imap = at.godwit.works.providers.imap;
    let expunged = false;
    at.godwit.works.providers.imap = {
      target: (address) => imap.target(address),
      async source(address) {
        const source = await imap.source(address);
        const open = source.open.bind(source);
        source.open = async (path) => {
          const folder = await open(path);
          const read = folder.read.bind(folder);
          folder.read = async function* (uids) {
            if (!expunged && path === "INBOX") {
              expunged = true;
              await using client = await old.login(`${at.name}@old.example`);
              await client.expunge("INBOX", "2");
            }
            yield* read(uids);
          };
          return folder;
        };
        return source;
      },
    };

    const pass = await at.pass("full");

    expect(pass).toMatchObject({
      state: "completed",
      counters: { listed: 3, migrated: 2, vanished: 1, failed: 0 },
    });
  });
});

describe("12. A delta costs what is new", () => {
  test("after a good pass it fetches no body the ledger knows", async () => {
    await using at = await oneEntry();
    await at.deliver("INBOX", "one", "two");
    await at.deliver("Work", "three");
    await at.pass("full");
    await at.deliver("INBOX", "four");
    const imap = at.godwit.works.providers.imap;
    const opened: string[] = [];
    const fetched: number[] = [];
    at.godwit.works.providers.imap = {
      target: (address) => imap.target(address),
      async source(address) {
        const source = await imap.source(address);
        const open = source.open.bind(source);
        source.open = async (path) => {
          opened.push(path);
          const folder = await open(path);
          const read = folder.read.bind(folder);
          folder.read = (uids) => {
            fetched.push(...uids);
            return read(uids);
          };
          return folder;
        };
        return source;
      },
    };

    const pass = await at.pass("delta");

    expect(pass.counters).toMatchObject({ listed: 4, migrated: 1, duplicates: 3 });
    expect(fetched).toEqual([3]);
    expect(opened, "a folder that stands still is not opened").toEqual(["INBOX"]);
  });
});

describe("13. Sums balance", () => {
  test("in every pass and every folder of it", async () => {
    await using at = await oneEntry();
    const some = letters({ count: 60, folders: [["INBOX"], ["Work"], ["Work", "2025"]] });
    for (const { folder, raw, flags, date } of some) {
      await at.deliver(folder.join("/"), { body: raw, flags, date: date.getTime() });
    }
    await at.deliver("INBOX", { body: text("deleted"), flags: ["\\Deleted"] });
    await at.filters({ exclude: ["Work/2025"], maxItemSize: 3000 });
    const kinds: PassKind[] = ["verify", "trial", "prestage", "full", "delta", "retry"];

    for (const kind of kinds) {
      const pass = await at.pass(kind, kind === "prestage" ? { days: 90 } : {});
      expect(gap(pass.counters), kind).toBe(0);
      for (const run of pass.runs) expect(gap(run.counters), kind).toBe(0);
      if (kind === "full") expect(pass.counters).toMatchObject({ listed: 61, deleted: 1 });
    }
  });
});

describe("14. Verify, trial, retry", () => {
  test("verify logs in to both ends, shows sizes, costs nothing, writes nothing", async () => {
    await using at = await oneEntry({ licenses: 0 });
    await at.deliver("INBOX", "one", "two");
    const before = await at.target();

    const pass = await at.pass("verify");

    expect(pass.state).toBe("completed");
    expect(pass.runs[0]?.survey?.source).toMatchObject({ items: 2, types: ["mail"] });
    expect(pass.runs[0]?.survey?.target.items).toBe(0);
    expect(touched(before, await at.target())).toEqual([]);
    expect(pass.runs[0]).toMatchObject({ license: "none", passesUsed: 0 });
  });

  test("trial carries up to ten mails a folder, once per entry, without a license; they are in the ledger", async () => {
    await using at = await oneEntry({ licenses: 1 });
    const twelve = Array.from({ length: 12 }, (_, n) => `mail ${n}`);
    await at.deliver("INBOX", ...twelve);
    await at.deliver("Work", "one");

    const trial = await at.pass("trial");

    expect(trial.counters).toMatchObject({ listed: 13, migrated: 11, filtered: 2 });
    expect(trial.licenses).toMatchObject({ reserved: 0, consumed: 0, free: 1 });
    await expect(at.submit("trial")).rejects.toThrow("trial has been used");
    const full = await at.pass("full");
    expect(full.counters).toMatchObject({ duplicates: 11, migrated: 2 });
  });

  test("retry carries only what failed, under the license the entry has, and is no pass in the count", async () => {
    await using tight = await startDovecot({ maxMailSize: "20k" });
    const at = person(`p${++people}`, old, tight);
    await using world = await startWorld(old, tight);
    await world.add(at.name);
    await at.deliver("INBOX", "small", { body: text("x".repeat(30_000)) });
    const full = await world.pass("full");

    const retry = await world.pass("retry");

    expect(full).toMatchObject({
      state: "completed_with_errors",
      counters: { migrated: 1, failed: 1 },
    });
    expect(retry.counters).toMatchObject({ listed: 1, failed: 1, duplicates: 0 });
    expect(retry.runs[0]).toMatchObject({ passesUsed: 1, license: "consumed" });
    expect(retry.licenses.consumed).toBe(1);
  });
});

describe("15. One, some or all entries", () => {
  test("by address, glob or list, and a selection that matches nothing starts nothing", async () => {
    await using world = await startWorld(old, fresh);
    const names = ["anna", "ben", "cleo"].map((name) => `${name}${++people}`);
    await world.add(...names);

    const one = await world.pass("verify", { selection: [`${names[0]}@old.example`] });
    const some = await world.pass("verify", { selection: ["anna*", `${names[1]}@new.example`] });
    const all = await world.pass("verify");

    expect([one, some, all].map((pass) => pass.runs.length)).toEqual([1, 2, 3]);
    await expect(world.submit("full", { selection: ["nobody@old.example"] })).rejects.toThrow(
      "No mailbox of this project matches nobody@old.example; nothing was started",
    );
    expect(await world.godwit.desk.passes.recent(world.project.id, 10)).toHaveLength(3);
  });
});

// Only the clock has a part in it: between mail systems in memory, where it stands until it is moved.
describe("16. Scheduled start", () => {
  async function oneLetter() {
    const at = await chatWorld({ people: ["anna"] });
    at.system.deliver("anna@old.example", "INBOX", letter(1));
    const started = async () => {
      await startDue(at.desk, ["local:owner"]);
      await at.run();
      return at.desk.passes.recent(1, 10);
    };
    return Object.assign(at, { started });
  }

  test.each([
    ["Europe/Berlin", Date.UTC(2026, 10, 20, 21)],
    ["America/New_York", Date.UTC(2026, 10, 21, 3)],
  ])("at a date and time in the project's zone, here %s, and not before", async (zone, begins) => {
    await using at = await oneLetter();
    await at.say(`project set zone ${zone}`);

    await at.say('full --at "2026-11-20 22:00" --yes');

    at.clock.advance(begins - 1 - at.clock.now());
    expect(await at.started()).toEqual([]);
    at.clock.advance(1);
    expect(await at.started()).toMatchObject([
      { kind: "full", startedAt: begins, state: "completed", counters: { migrated: 1 } },
    ]);
  });

  test("or now, where no time is given", async () => {
    await using at = await oneLetter();

    await at.say("full --yes");

    expect(await at.started()).toMatchObject([
      { kind: "full", startedAt: at.clock.now(), state: "completed", counters: { migrated: 1 } },
    ]);
  });
});

describe("17. States and filters", () => {
  test("include, exclude, map and size hold for every pass", async () => {
    await using at = await oneEntry();
    await at.filters({ exclude: ["Trash"], map: { Work: "Business" }, maxItemSize: 1000 });
    await at.deliver("INBOX", "kept", { body: text("y".repeat(2000)) });
    await at.deliver("Trash", "left out");
    await at.deliver("Work", "mapped");

    const pass = await at.pass("full");

    expect(pass.counters).toMatchObject({ listed: 4, migrated: 2, filtered: 2 });
    const target = await at.target();
    expect([count(target, "Business"), count(target, "Trash")]).toEqual([1, 0]);
  });

  test("Trash and Junk are carried unless a filter says otherwise", async () => {
    await using at = await oneEntry();
    await at.deliver("Trash", "thrown away");
    await at.deliver("Junk", "spam");

    await at.pass("full");

    const target = await at.target();
    expect([count(target, "Trash"), count(target, "Junk")]).toEqual([1, 1]);
  });

  test("a paused pass goes on where it stood; a stopped one releases what it reserved", async () => {
    await using at = await oneEntry();
    await at.deliver("INBOX", "one", "two");
    const { passes } = at.godwit.desk;

    const pass = await at.submit("full");
    await passes.control(pass, "pause", "test");
    expect((await passes.snapshot(pass)).state).toBe("paused");
    await passes.control(pass, "run", "test");
    expect(await at.finish(pass)).toMatchObject({ state: "completed", counters: { migrated: 2 } });

    await using other = await oneEntry({ licenses: 1 });
    const stopped = await other.submit("full");
    await other.godwit.desk.passes.control(stopped, "stop", "test");
    expect(await other.godwit.desk.passes.snapshot(stopped)).toMatchObject({
      state: "stopped",
      licenses: { reserved: 0, consumed: 0, free: 1 },
    });
  });
});

describe("18 to 21. Licenses", () => {
  test("the initial migration uses 1, every delta of it 0, and it is consumed with the first item", async () => {
    await using at = await oneEntry({ licenses: 1 });
    await at.deliver("INBOX", "one");

    const first = await at.pass("prestage", { days: 1 });
    expect(first.licenses, "nothing was written").toMatchObject({ consumed: 0, free: 1 });
    const full = await at.pass("full");
    const delta = await at.pass("delta");

    expect(full.licenses).toEqual({ owned: 1, reserved: 0, consumed: 1, free: 0 });
    expect(delta.licenses).toEqual({ owned: 1, reserved: 0, consumed: 1, free: 0 });
    expect(delta.runs[0]).toMatchObject({ license: "consumed" });
    const kinds = (await at.godwit.desk.licenses.history(at.project.id, 20)).map((m) => m.kind);
    expect(kinds.sort()).toEqual(["consume", "grant", "release", "reserve", "reserve"]);
  });

  test("short of licenses, nothing starts, and it says how many are short", async () => {
    await using world = await startWorld(old, fresh, { licenses: 1 });
    await world.add(`p${++people}`, `p${++people}`);

    await expect(world.submit("full")).rejects.toThrow("Uses 2 licenses, 1 free: 1 short");
    expect(await world.godwit.desk.passes.recent(world.project.id, 5)).toEqual([]);
  });

  test("the eleventh pass of a license is refused where there is nobody to ask", async () => {
    await using at = await oneEntry();
    await at.deliver("INBOX", "one");
    for (let n = 0; n < 10; n += 1) await at.pass("delta");

    await expect(at.submit("delta")).rejects.toThrow("10 of 10 passes are used");
  });
});
