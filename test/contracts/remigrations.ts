import { beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../engine/domain/errors.ts";
import type { Checked, PassId, RunEnd, RunId } from "../../engine/domain/pass.ts";
import { presets } from "../../engine/domain/policy.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import type { NewRemigration } from "../../engine/domain/remigration.ts";
import { Secret } from "../../engine/domain/secret.ts";
import {
  acme,
  type Begun,
  type Books,
  begun,
  carry,
  completed,
  endpoint,
  failed,
  item,
  newEntry,
  newsOf,
  type OpenBooks,
  own,
  passOver,
  paused,
} from "./books.ts";
import { opened } from "./opened.ts";

/** What everything that keeps remigrations must do. */
export function remigrationsContract(open: OpenBooks): void {
  describe("as remigrations", () => {
    const books = opened(open);

    const wanted = (
      project: Project,
      entries: Entry[],
      change: Partial<NewRemigration> = {},
    ): NewRemigration => ({
      project: project.id,
      because: "errors",
      reason: "folders were mapped wrongly",
      by: "local:owner",
      approvedBy: "local:bo",
      acceptsDuplicates: false,
      entries: entries.map(({ id }) => ({ entry: id, target: null })),
      ticks: [{ item: "reason", note: "errors" }],
      ...change,
    });
    /** Begins one over these and answers what took their place. */
    const again = async (project: Project, entries: Entry[]) => {
      const n = await books.remigrations.begin(wanted(project, entries));
      const fresh = await books.projects.entries(project.id);
      return { n, entries: fresh.filter((entry) => entry.remigration === n) };
    };
    const seen = async ({ id }: Project) => ({
      entries: await books.projects.entries(id),
      closed: await books.projects.closedEntries(id),
      remigrations: await books.remigrations.list(id),
    });

    test("an entry that is begun again is closed and read on, and a new one takes its place", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const anna = entries[0]!;
      {
        await using run = await begun(books, project, anna);
        await carry(books, run, [item(1), item(2)]);
        await books.passes.end(run.run, completed, run.fence);
      }
      const before = await books.projects.entry(anna.id);
      expect(before).toMatchObject({ license: "consumed", passesUsed: 1, unchecked: false });

      const n = await books.remigrations.begin(wanted(project, [anna]));

      const [bob, fresh, ...others] = await books.projects.entries(project.id);
      expect(others).toEqual([]);
      expect(bob).toEqual(entries[1]);
      expect(fresh).toEqual({
        ...anna,
        id: fresh!.id,
        remigration: n,
        unchecked: true,
        succeeds: anna.id,
      });
      expect(await books.ledger.folders(fresh!.id)).toEqual([]);
      expect(await books.projects.closedEntries(project.id)).toEqual([
        { ...before, closedAt: books.clock.now() },
      ]);
      const [folder] = await books.ledger.folders(anna.id);
      expect(await books.ledger.carried(folder!.id)).toBe(2);
      expect(await books.remigrations.look(n)).toEqual({
        n,
        project: project.id,
        because: "errors",
        reason: "folders were mapped wrongly",
        by: "local:owner",
        approvedBy: "local:bo",
        at: books.clock.now(),
        acceptsDuplicates: false,
        releasedAt: null,
        entries: [
          { entry: fresh!.id, succeeds: anna.id, source: anna.source, target: anna.target },
        ],
        ticks: [{ item: "reason", by: null, at: books.clock.now(), note: "errors" }],
      });
      expect(await books.remigrations.look(n + 1)).toBeNull();
    });

    test("passwords of its own open for the entry that took its place", async () => {
      const { project, anna } = await withLogins(books);
      const before = await books.projects.addresses(anna.id);

      const { entries } = await again(project, [anna]);

      const { source, target } = await books.projects.addresses(entries[0]!.id);
      expect(source.password?.reveal()).toBe("anna's old password");
      expect(target.password?.reveal()).toBe("anna's new password");
      expect(source).toEqual(before.source);
      expect(target).toEqual(before.target);
      // The closed one keeps its own.
      expect((await books.projects.addresses(anna.id)).target.password?.reveal()).toBe(
        "anna's new password",
      );
    });

    test("another new mailbox is opened with no login of the one before", async () => {
      const { project, anna } = await withLogins(books);
      const target = "anna@third.example";

      const n = await books.remigrations.begin(
        wanted(project, [anna], { entries: [{ entry: anna.id, target }] }),
      );

      const [fresh] = await books.projects.entries(project.id);
      expect(fresh).toMatchObject({ target, source: anna.source, remigration: n });
      expect(fresh?.notReady).toMatch(/password/);
      await expect(books.projects.addresses(fresh!.id)).rejects.toThrow(UserError);
      const targetPassword = new Secret("the third's password");
      const none = { sourceUser: null, sourcePassword: null, targetUser: null };
      await books.projects.setLogins([{ entry: fresh!.id, ...none, targetPassword }]);
      const ends = await books.projects.addresses(fresh!.id);
      expect(ends.source).toMatchObject({ user: "anna.old", mailbox: anna.source });
      expect(ends.source.password?.reveal()).toBe("anna's old password");
      expect(ends.target).toMatchObject({ user: target, mailbox: target });
      expect((await books.projects.closedEntries(project.id))[0]?.target).toBe(anna.target);
    });

    test("the same mailbox in other letters keeps its login", async () => {
      const { project, anna } = await withLogins(books);
      const target = anna.target.toUpperCase();

      await books.remigrations.begin(
        wanted(project, [anna], { entries: [{ entry: anna.id, target }] }),
      );

      const [fresh] = await books.projects.entries(project.id);
      const ends = await books.projects.addresses(fresh!.id);
      expect(ends.target).toMatchObject({ mailbox: target, user: "anna.new" });
      expect(ends.target.password?.reveal()).toBe("anna's new password");
    });

    test.each([
      {
        what: "busy",
        told: /bob@old\.example is in pass \d+, which has not ended/,
        async prepare(project: Project, bob: Entry) {
          await books.passes.submit(passOver(project, [bob]));
        },
      },
      {
        what: "closed",
        told: /bob@old\.example was started from scratch meanwhile/,
        async prepare(project: Project, bob: Entry) {
          await books.remigrations.begin(wanted(project, [bob]));
        },
      },
    ])("where one is $what, none is begun again", async ({ prepare, told }) => {
      const { project, entries } = await acme(books, ["anna", "bob", "carl"]);
      await prepare(project, entries[1]!);
      const before = await seen(project);

      const beginning = books.remigrations.begin(wanted(project, entries));

      await expect(beginning).rejects.toThrow(UserError);
      await expect(beginning).rejects.toThrow(told);
      expect(await seen(project)).toEqual(before);
      // The others alone can be.
      await books.remigrations.begin(wanted(project, [entries[0]!, entries[2]!]));
      expect(await books.projects.closedEntries(project.id)).not.toEqual(before.closed);
    });

    test("where a new mailbox is another's already, none is begun again", async () => {
      const { project, entries } = await acme(books, ["anna", "bob", "carl"]);
      const [anna, bob, carl] = entries;
      const before = await seen(project);
      const onto = (target: string) =>
        books.remigrations.begin(
          wanted(project, [], {
            entries: [
              { entry: anna!.id, target: null },
              { entry: bob!.id, target },
            ],
          }),
        );

      await expect(onto("CARL@new.example")).rejects.toThrow(UserError);
      await expect(onto(carl!.target)).rejects.toThrow(
        /carl@new\.example is the new mailbox of carl@old\.example already/,
      );
      expect(await seen(project)).toEqual(before);

      // Once nobody is carried to it any more it is free.
      await books.remigrations.begin(
        wanted(project, [], { entries: [{ entry: carl!.id, target: "carl@third.example" }] }),
      );
      await onto(carl!.target);
      expect((await seen(project)).entries.map(({ target }) => target).toSorted()).toEqual([
        "anna@new.example",
        "carl@new.example",
        "carl@third.example",
      ]);
    });

    test("an entry of another project is begun again with none", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      const other = await books.projects.create({
        name: "other",
        sourceEndpoint: project.sourceEndpoint.id,
        targetEndpoint: project.targetEndpoint.id,
        policy: project.policy,
        zone: project.zone,
      });
      const [dora] = await books.projects.add(other.id, [newEntry("dora")]);

      await expect(
        books.remigrations.begin(wanted(project, [entries[0]!, dora!])),
      ).rejects.toThrow();

      expect((await seen(project)).closed).toEqual([]);
      expect((await seen(other)).closed).toEqual([]);
    });

    test("of two that begin at once, one does", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      await using other = await books.again();

      const results = await Promise.allSettled([
        books.remigrations.begin(wanted(project, entries)),
        other.remigrations.begin(wanted(project, entries)),
      ]);

      const refused = results.filter((result) => result.status === "rejected");
      expect(refused.map(({ reason }) => String(reason))).toEqual([
        expect.stringMatching(/anna@old\.example was started from scratch meanwhile/),
      ]);
      const after = await seen(project);
      expect(after.remigrations).toHaveLength(1);
      expect(after.entries.map(({ source }) => source)).toEqual(entries.map((one) => one.source));
      expect(after.closed.map(({ id }) => id)).toEqual(entries.map(({ id }) => id));
    });

    test("of a pass and a remigration that begin at once, one does", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using other = await books.again();

      const [began, submitted] = await Promise.allSettled([
        books.remigrations.begin(wanted(project, entries)),
        other.passes.submit(passOver(project, entries)),
      ]);

      expect([began.status, submitted.status].toSorted()).toEqual(["fulfilled", "rejected"]);
      const [refused] = [began, submitted].filter((result) => result.status === "rejected");
      expect(refused?.reason).toBeInstanceOf(UserError);
      const { closed, entries: now } = await seen(project);
      expect(closed).toHaveLength(began.status === "fulfilled" ? 1 : 0);
      expect(now[0]?.busyWith === null).toBe(began.status === "fulfilled");
    });

    test("remigrations of a project are listed newest first", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const first = await again(project, [entries[0]!]);
      const second = await again(project, [entries[1]!]);
      const third = await again(project, first.entries);

      const list = await books.remigrations.list(project.id);

      expect(list.map(({ n }) => n)).toEqual([third.n, second.n, first.n]);
      expect(list).toEqual(await Promise.all(list.map(({ n }) => books.remigrations.look(n))));
      expect(await books.remigrations.list(project.id + 1)).toEqual([]);
      // A chain is kept: who took whose place.
      expect(third.entries[0]?.succeeds).toBe(first.entries[0]!.id);
      expect(first.entries[0]?.succeeds).toBe(entries[0]!.id);
    });

    test("a tick that is set again has the newest word", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const { n } = await again(project, [entries[0]!]);
      const other = await again(project, [entries[1]!]);
      await books.remigrations.tick(n, "backup", "local:bo", "by night");
      books.clock.set(books.clock.now() + 1000);
      await books.remigrations.tick(n, "permissions", "local:bo", "read and write");

      await books.remigrations.tick(n, "backup", "local:ana", "and again by day");

      const at = books.clock.now();
      const { ticks } = (await books.remigrations.look(n))!;
      expect(ticks.toSorted((a, b) => a.item.localeCompare(b.item))).toEqual([
        { item: "backup", by: "local:ana", at, note: "and again by day" },
        { item: "permissions", by: "local:bo", at, note: "read and write" },
        { item: "reason", by: null, at: at - 1000, note: "errors" },
      ]);
      expect((await books.remigrations.look(other.n))?.ticks).toHaveLength(1);
    });

    describe("when several are carried in one pass", () => {
      const checked: Checked = { carried: 2, missing: 0, duplicates: 0, passed: true };
      let project: Project;
      let entries: Entry[];
      let n: number;
      let pass: PassId;
      let runs: RunId[];
      beforeEach(async () => {
        const made = await acme(books, ["anna", "bob", "carl"]);
        project = made.project;
        ({ n, entries } = await again(project, made.entries));
        pass = await books.passes.submit(passOver(project, entries));
        runs = (await books.passes.snapshot(pass)).runs.map(({ id }) => id);
      });

      const start = async (at: number): Promise<Begun> => {
        const owned = await own(books, entries[at]!);
        const { fence } = owned;
        const run = runs[at]!;
        expect(await books.passes.begin(run, fence)).toBe(true);
        const folder = await books.ledger.folder(fence.entry, "INBOX", fence);
        const dispose = () => owned[Symbol.asyncDispose]();
        return { pass, run, fence, folder, [Symbol.asyncDispose]: dispose };
      };
      /** The first begins, carries something and ends like this. */
      const endFirst = async (end: RunEnd) => {
        await using run = await start(0);
        await carry(books, run, [item(1), item(2)]);
        await books.passes.end(run.run, end, run.fence);
      };
      const begin = async (at: number) => {
        await using owned = await own(books, entries[at]!);
        return books.passes.begin(runs[at]!, owned.fence);
      };
      const states = async () => (await books.passes.snapshot(pass)).runs.map(({ state }) => state);

      test("one goes first, and the others wait for its check", async () => {
        expect(await books.passes.waiting(10)).toEqual([runs[0]]);
        expect((await books.passes.snapshot(pass)).runs.map(({ after }) => after)).toEqual([
          null,
          "anna@old.example",
          "anna@old.example",
        ]);
        const jobs = await Promise.all(runs.map((run) => books.passes.job(run)));
        expect(jobs.map(({ remigration }) => remigration)).toEqual([
          { acceptsDuplicates: false, first: true },
          { acceptsDuplicates: false, first: false },
          { acceptsDuplicates: false, first: false },
        ]);
        expect(await begin(1)).toBe(false);
        expect(await begin(0)).toBe(true);
        // Nor while it is at work.
        expect(await books.passes.waiting(10)).toEqual([runs[0]]);
        expect(await begin(1)).toBe(false);
      });

      test("they begin when it came through its check", async () => {
        await endFirst({ ...completed, checked });

        expect(await books.passes.waiting(10)).toEqual(runs.slice(1));
        expect((await books.passes.snapshot(pass)).runs.map(({ after }) => after)).toEqual([
          null,
          null,
          null,
        ]);
        const remigration = await books.remigrations.look(n);
        expect(remigration?.releasedAt).toBe(books.clock.now());
        expect(remigration?.ticks.map((tick) => tick.item).toSorted()).toEqual([
          "counts",
          "duplicates",
          "errors",
          "first",
          "reason",
        ]);
        expect(await newsOf(books, pass)).toContainEqual({
          type: "first checked",
          entry: "anna@old.example",
          checked,
          others: 2,
        });
        expect(await begin(1)).toBe(true);
        expect((await books.projects.entries(project.id)).some((one) => one.unchecked)).toBe(false);
      });

      test("the next goes first when it completed with nothing to carry, and so to check", async () => {
        await endFirst(completed);

        expect(await states()).toEqual(["completed", "queued", "queued"]);
        const { runs } = await books.passes.snapshot(pass);
        expect(runs.map(({ after }) => after)).toEqual([null, null, "bob@old.example"]);
        expect(await books.passes.waiting(10)).toEqual([runs[1]!.id]);
        expect((await books.remigrations.look(n))?.releasedAt).toBeNull();
      });

      test.each([
        {
          how: "did not come through its check",
          end: { ...completed, checked: { ...checked, missing: 1, passed: false } } as RunEnd,
        },
        { how: "failed", end: failed as RunEnd },
      ])("they are stopped when it $how, and their licenses are free", async ({ end }) => {
        await endFirst(end);

        expect(await states()).toEqual([end.state, "stopped", "stopped"]);
        expect(await books.passes.waiting(10)).toEqual([]);
        expect(await books.licenses.balance(project.id)).toEqual({
          owned: 10,
          reserved: 0,
          consumed: 1,
          free: 9,
        });
        const snapshot = await books.passes.snapshot(pass);
        expect(snapshot.endedAt).toBe(books.clock.now());
        expect(snapshot.runs[1]).toMatchObject({ after: null, license: "released" });
        expect(snapshot.runs[1]?.reason).toMatch(/^anna@old\.example goes first and did not come/);
        expect((await books.remigrations.look(n))?.releasedAt).toBeNull();
        expect(await begin(1)).toBe(false);
        expect(await ends()).toEqual(["anna@old.example", "bob@old.example", "carl@old.example"]);
        // The next pass sends one first again.
        const next = await books.passes.submit(passOver(project, entries, { license: "none" }));
        const [first] = (await books.passes.snapshot(next)).runs;
        expect(await books.passes.waiting(10)).toEqual([first!.id]);
      });

      /** Whose end was told, in order. */
      const ends = async () =>
        (await newsOf(books, pass)).flatMap((news) =>
          news.type === "entry ended" ? [news.entry] : [],
        );

      test("they go on waiting while the first is paused, and when it goes on", async () => {
        const { passes } = books;
        expect(await passes.control(pass, "pause", "local:owner", entries[0]!.id)).toBe(1);
        expect(await passes.waiting(10)).toEqual([]);
        expect(await states()).toEqual(["paused", "queued", "queued"]);

        expect(await passes.control(pass, "run", "local:owner", entries[0]!.id)).toBe(1);

        expect(await passes.waiting(10)).toEqual([runs[0]]);
        await endFirst({ ...completed, checked });
        expect(await passes.waiting(10)).toEqual(runs.slice(1));
      });

      test("they go on waiting when the first was paused at its work", async () => {
        {
          await using owned = await own(books, entries[0]!);
          await books.passes.begin(runs[0]!, owned.fence);
          await books.passes.control(pass, "pause", "local:owner", entries[0]!.id);
          await books.passes.end(runs[0]!, paused, owned.fence);
        }
        expect(await states()).toEqual(["paused", "queued", "queued"]);
        expect(await books.passes.waiting(10)).toEqual([]);
        expect(await begin(1)).toBe(false);
      });

      test("all are stopped with their pass, and each end is told once", async () => {
        expect(await books.passes.control(pass, "stop", "local:owner")).toBeGreaterThan(0);

        expect(await states()).toEqual(["stopped", "stopped", "stopped"]);
        expect((await books.passes.snapshot(pass)).state).toBe("stopped");
        expect(await books.passes.waiting(10)).toEqual([]);
        expect(await books.licenses.balance(project.id)).toMatchObject({ reserved: 0, free: 10 });
        expect(await ends()).toEqual(["anna@old.example", "bob@old.example", "carl@old.example"]);
      });

      test("they are stopped with the first alone", async () => {
        await books.passes.control(pass, "stop", "local:owner", entries[0]!.id);

        expect(await states()).toEqual(["stopped", "stopped", "stopped"]);
        expect(await books.licenses.balance(project.id)).toMatchObject({ reserved: 0, free: 10 });
      });

      test("one that waits can be stopped alone", async () => {
        await books.passes.control(pass, "stop", "local:owner", entries[1]!.id);

        expect(await states()).toEqual(["queued", "stopped", "queued"]);
        await endFirst({ ...completed, checked });
        expect(await books.passes.waiting(10)).toEqual([runs[2]]);
      });

      test("once one was checked, a later pass sends none first", async () => {
        await endFirst({ ...completed, checked });
        await books.passes.control(pass, "stop", "local:owner");

        const later = await books.passes.submit(passOver(project, entries, { license: "none" }));

        const ids = (await books.passes.snapshot(later)).runs.map(({ id }) => id);
        expect(await books.passes.waiting(10)).toEqual(ids);
        const jobs = await Promise.all(ids.map((run) => books.passes.job(run)));
        expect(jobs.map(({ remigration }) => remigration?.first)).toEqual([false, false, false]);
      });

      test("no pass beside it carries another of them, before the first was checked", async () => {
        await books.passes.control(pass, "stop", "local:owner", entries[2]!.id);
        const beside = passOver(project, [entries[2]!], { kind: "delta", license: "none" });

        const second = books.passes.submit(beside);

        await expect(second).rejects.toThrow(UserError);
        await expect(second).rejects.toThrow(
          new RegExp(
            `anna@old\\.example goes first in remigration ${n} .*carl@old\\.example waits`,
          ),
        );
        expect(await books.passes.recent(project.id, 10)).toHaveLength(1);
        // What carries nothing of its own is in nobody's way.
        const verify = await books.passes.submit({ ...beside, kind: "verify" });
        await books.passes.control(verify, "stop", "local:owner");
        await endFirst({ ...completed, checked });
        await books.passes.submit(beside);
      });

      test("each remigration of a pass sends its own first, and the others wait for none", async () => {
        await books.passes.control(pass, "stop", "local:owner");
        const added = await books.projects.add(
          project.id,
          ["dora", "emil", "fritz"].map((one) => newEntry(one)),
        );
        const other = await again(project, added.slice(0, 2));
        const all = [...entries, ...other.entries, added[2]!];

        const both = await books.passes.submit(passOver(project, all));

        const { runs: its } = await books.passes.snapshot(both);
        expect(its.map(({ source, after }) => [source.split("@")[0], after])).toEqual([
          ["anna", null],
          ["bob", "anna@old.example"],
          ["carl", "anna@old.example"],
          ["dora", null],
          ["emil", "dora@old.example"],
          ["fritz", null],
        ]);
        expect(await books.passes.waiting(10)).toEqual([its[0]!.id, its[3]!.id, its[5]!.id]);
      });

      test("every mailbox carried whole is ticked, and not before", async () => {
        const tick = async () =>
          (await books.remigrations.look(n))?.ticks.find((one) => one.item === "validated");
        await endFirst({ ...completed, checked });
        for (const at of [1, 2]) {
          expect(await tick()).toBeUndefined();
          await using run = await start(at);
          await carry(books, run, [item(1)]);
          await books.passes.end(run.run, completed, run.fence);
        }

        expect(await tick()).toMatchObject({ by: null, note: "3 of 3" });
        expect((await books.passes.snapshot(pass)).state).toBe("completed");
        expect(await books.licenses.balance(project.id)).toMatchObject({
          consumed: 3,
          reserved: 0,
        });
      });
    });
  });
}

/** A project where every mailbox has a login of its own at both ends. */
async function withLogins({ projects }: Books): Promise<{ project: Project; anna: Entry }> {
  const change = { login: "user", masterUser: null, masterPassword: null } as const;
  const old = await projects.addEndpoint(endpoint("old", change));
  const fresh = await projects.addEndpoint(endpoint("new", change));
  const project = await projects.create({
    name: "acme",
    sourceEndpoint: old.id,
    targetEndpoint: fresh.id,
    policy: presets.rackspace,
    zone: "Europe/Berlin",
  });
  const [anna] = await projects.add(project.id, [
    newEntry("anna", {
      sourceUser: "anna.old",
      sourcePassword: new Secret("anna's old password"),
      targetUser: "anna.new",
      targetPassword: new Secret("anna's new password"),
    }),
  ]);
  return { project, anna: anna! };
}
