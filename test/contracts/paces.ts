import { describe, expect, test } from "vitest";
import { unhurried, type Word } from "../../engine/domain/pace.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import {
  acme,
  type Books,
  begun,
  carry,
  completed,
  endpoint,
  item,
  newEntry,
  newsOf,
  type OpenBooks,
  own,
  passOver,
} from "./books.ts";
import { opened } from "./opened.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

/** What everything that keeps the paces of mail servers must do. */
export function pacesContract(open: OpenBooks): void {
  describe("as paces", () => {
    const books = opened(open);

    const word = ({ id }: Entry, change: Partial<Word> = {}): Word => ({
      entry: id,
      retryAfterMs: null,
      ...change,
    });

    /** Begins the run of this entry, as an engine would; whether it might. */
    async function begins(entry: Entry, run: number): Promise<boolean> {
      await using owned = await own(books, entry);
      return await books.passes.begin(run, owned.fence);
    }

    test("a server takes as many at once as people set, whichever of its ends it is", async () => {
      const { project, entries } = await acme(books, ["anna", "bob", "cleo"]);
      for (const { id } of [project.sourceEndpoint, project.targetEndpoint]) {
        await books.paces.set(id, 2);
        expect(await books.paces.of(id)).toEqual({ ...unhurried, atOnce: 2 });
        const runs = await submitted(books, project, entries);

        expect(await begins(entries[0]!, runs[0]!)).toBe(true);
        expect(await books.passes.waiting(10)).toEqual(runs);
        expect(await begins(entries[1]!, runs[1]!)).toBe(true);
        expect(await begins(entries[2]!, runs[2]!)).toBe(false);
        // Those that were left behind have their places; who has none stands in no line.
        expect(await books.passes.waiting(10)).toEqual(runs.slice(0, 2));
        expect((await books.vitals.figures()).waiting).toBe(0);

        await end(books, entries[0]!, runs[0]!);
        expect(await books.passes.waiting(10)).toEqual(runs.slice(1));
        expect(await begins(entries[2]!, runs[2]!)).toBe(true);
        await end(books, entries[1]!, runs[1]!);
        await end(books, entries[2]!, runs[2]!);
        await books.paces.set(id, null);
        expect(await books.paces.of(id)).toEqual(unhurried);
      }
    });

    test("projects that share a server share its places; others are not held up", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      const elsewhere = await books.projects.addEndpoint({
        ...(await books.projects.endpoint("new"))!,
        name: "elsewhere",
      });
      const beside = async (name: string, source: number, target: number) => {
        const made = await books.projects.create({
          name,
          sourceEndpoint: source,
          targetEndpoint: target,
          policy: project.policy,
          zone: project.zone,
        });
        const [entry] = await books.projects.add(made.id, [newEntry(name)]);
        const [run] = await submitted(books, made, [entry!]);
        return { entry: entry!, run: run! };
      };
      await books.paces.set(project.targetEndpoint.id, 1);
      const [first] = await submitted(books, project, entries);
      const same = await beside("same", elsewhere.id, project.targetEndpoint.id);
      const other = await beside("other", project.sourceEndpoint.id, elsewhere.id);

      expect(await begins(entries[0]!, first!)).toBe(true);

      expect(await books.passes.waiting(10)).toEqual([other.run, first]);
      expect(await begins(same.entry, same.run)).toBe(false);
      expect(await begins(other.entry, other.run)).toBe(true);
    });

    describe("projects that share a server's only place", () => {
      /** Acme and beta at the same servers, of which one takes a single mailbox. */
      async function two() {
        const { project, entries } = await acme(books, ["anna", "bob", "cleo"]);
        const beta = await books.projects.create({
          name: "beta",
          sourceEndpoint: project.sourceEndpoint.id,
          targetEndpoint: project.targetEndpoint.id,
          policy: project.policy,
          zone: project.zone,
        });
        const names = ["dora", "emil", "finn"];
        const its = await books.projects.add(
          beta.id,
          names.map((name) => newEntry(name)),
        );
        await books.paces.set(project.sourceEndpoint.id, 1);
        return { project, entries, beta, its };
      }

      /** Carries the run whose turn it is; answers whose it was. */
      async function carryNext(): Promise<string> {
        const [run] = await books.passes.waiting(10);
        const { entry } = await books.passes.job(run!);
        const its = await books.projects.entry(entry);
        books.clock.set(books.clock.now() + 1);
        expect(await begins(its, run!)).toBe(true);
        await end(books, its, run!);
        return its.source.slice(0, its.source.indexOf("@"));
      }

      test.each(["one pass", "a pass of each mailbox"])(
        "take turns at it to the end, though one makes %s",
        async (how) => {
          const { project, entries, beta, its } = await two();
          await submitted(books, beta, its);
          if (how === "one pass") await submitted(books, project, entries);
          else for (const entry of entries) await submitted(books, project, [entry]);

          const order: string[] = [];
          while ((await books.passes.waiting(1)).length > 0) order.push(await carryNext());

          expect(order).toEqual(["dora", "anna", "emil", "bob", "finn", "cleo"]);
        },
      );

      test("take turns at it though a clock was ahead when one began", async () => {
        const { project, entries, beta, its } = await two();
        const now = books.clock.now();
        await submitted(books, project, entries.slice(0, 1));
        books.clock.set(now + day);
        await carryNext();
        books.clock.set(now);
        await submitted(books, beta, its);
        await submitted(books, project, entries.slice(1));

        const order = [await carryNext(), await carryNext(), await carryNext()];

        expect(order).toEqual(["dora", "bob", "emil"]);
      });
    });

    test("what was tried often in vain stands behind all others, whatever project it is of", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      await using anna = await begun(books, project, entries[0]!);
      const [bob] = await submitted(books, project, [entries[1]!]);
      const until = books.clock.now() + minute;
      for (const [server, order] of [
        [7, [anna.run, bob]],
        [8, [bob, anna.run]],
      ] as const) {
        const tries = { own: 0, server };
        await books.passes.letGo(anna.run, { for: "connection limit", until }, tries, anna.fence);
        books.clock.set(until);
        expect(await books.passes.waiting(10)).toEqual(order);
      }
    });

    test("however many are carried, a look sees as many of those that wait", async () => {
      const names = ["anna", "bob", "cleo", "dora", "emil"];
      const { project, entries } = await acme(books, names);
      const runs = await submitted(books, project, entries);
      for (const [n, entry] of entries.slice(0, 3).entries()) await begins(entry, runs[n]!);

      expect(await books.passes.waiting(2)).toEqual(runs);
    });

    test("of engines that reach for the last place at the same moment one gets it", async () => {
      const { project, entries } = await acme(books, ["anna", "bob", "cleo", "dora"]);
      await books.paces.set(project.sourceEndpoint.id, 1);
      const runs = await submitted(books, project, entries);
      await using second = await books.again();
      const from = [books, second];

      const got = await Promise.all(
        entries.map(async (entry, n) => {
          const its = from[n % 2]!;
          await using owned = await own(its, entry);
          return await its.passes.begin(runs[n]!, owned.fence);
        }),
      );

      expect(got.filter(Boolean)).toHaveLength(1);
    });

    test("a left behind run goes on at its own place, though the server takes no more", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      await using run = await begun(books, project, entries[0]!);
      await books.paces.set(project.sourceEndpoint.id, 1);
      const [later] = await submitted(books, project, [entries[1]!]);

      expect(await books.passes.begin(run.run, run.fence)).toBe(true);
      expect(await begins(entries[1]!, later!)).toBe(false);
    });

    test("a word to one mailbox slows nobody, a second mailbox's halves what is carried, and time eases it", async () => {
      const names = ["anna", "bob", "cleo", "dora"];
      const { project, entries } = await acme(books, names);
      const { id } = project.sourceEndpoint;
      const runs = await submitted(books, project, entries);
      for (const [n, entry] of entries.entries()) await begins(entry, runs[n]!);

      for (let n = 0; n < 3; n += 1) await books.paces.heard(id, word(entries[0]!));
      expect(await books.paces.of(id)).toMatchObject({ atOnce: null, slowed: null });
      const slower = await books.paces.heard(id, word(entries[1]!));
      expect(slower.slowed).toEqual({ from: 4, to: 2, at: books.clock.now() });
      expect(await books.paces.of(id)).toEqual(slower);

      for (const [n, entry] of entries.slice(0, 3).entries()) await end(books, entry, runs[n]!);
      const more = await submitted(books, project, entries.slice(0, 3));
      expect(await begins(entries[0]!, more[0]!)).toBe(true);
      expect(await begins(entries[1]!, more[1]!)).toBe(false);
      books.clock.set(books.clock.now() + minute);
      expect(await begins(entries[1]!, more[1]!)).toBe(true);
      expect(await begins(entries[2]!, more[2]!)).toBe(false);
      books.clock.set(books.clock.now() + minute);
      expect(await begins(entries[2]!, more[2]!)).toBe(true);
    });

    test("a pause that the server names for all holds every mailbox of its until then, and no other server's", async () => {
      const { project, entries } = await acme(books, ["anna", "bob", "cleo"]);
      const runs = await submitted(books, project, entries);
      for (const entry of entries.slice(0, 2)) {
        await books.paces.heard(
          project.targetEndpoint.id,
          word(entry, { retryAfterMs: 5 * minute }),
        );
      }

      expect(await books.passes.waiting(10)).toEqual([]);
      expect(await begins(entries[2]!, runs[2]!)).toBe(false);
      books.clock.set(books.clock.now() + 5 * minute - 1);
      expect(await books.passes.waiting(10)).toEqual([]);
      books.clock.set(books.clock.now() + 1);
      expect(await books.passes.waiting(10)).toEqual(runs);
      expect(await books.paces.of(project.sourceEndpoint.id)).toEqual(unhurried);
    });

    test("a pause that a server names to mailboxes with logins of their own is no other mailbox's", async () => {
      const { entries } = await acme(books, ["anna", "bob"]);
      const { id } = await books.projects.addEndpoint(
        endpoint("own", {
          login: "user",
          masterUser: null,
          masterPassword: null,
        }),
      );
      for (const entry of entries) {
        await books.paces.heard(id, word(entry, { retryAfterMs: 5 * minute }));
      }

      expect(await books.paces.of(id)).toMatchObject({ heldUntil: null, slowed: { to: 1 } });
    });

    describe("a run that is let go of", () => {
      const waits = async (pass: number) => (await books.passes.snapshot(pass)).runs[0];

      test("waits as nobody's, is told of once however often it is tried, and knows its tries", async () => {
        const { project, entries } = await acme(books, ["anna"]);
        await using run = await begun(books, project, entries[0]!);
        await carry(books, run, [item(1)]);
        const at = books.clock.now() + minute;
        await books.passes.letGo(
          run.run,
          { for: "throttled", until: at },
          { own: 0, server: 1 },
          run.fence,
        );

        expect(await waits(run.pass)).toMatchObject({
          state: "queued",
          waiting: { for: "throttled", until: at },
        });
        expect(await books.passes.waiting(10)).toEqual([]);
        expect(await books.passes.begin(run.run, run.fence)).toBe(false);
        books.clock.set(at);
        expect(await books.passes.waiting(10)).toEqual([run.run]);
        expect(await books.passes.job(run.run)).toMatchObject({ tries: { own: 0, server: 1 } });
        expect(await books.passes.begin(run.run, run.fence)).toBe(true);
        expect(await waits(run.pass)).toMatchObject({ waiting: { for: "throttled", until: null } });
        await books.passes.letGo(
          run.run,
          { for: "throttled", until: at + 1 },
          { own: 0, server: 2 },
          run.fence,
        );

        const news = await newsOf(books, run.pass);
        expect(news.filter(({ type }) => type === "entry waits")).toEqual([
          { type: "entry waits", entry: "anna@old.example", for: "throttled", until: at },
        ]);
        expect(await books.passes.snapshot(run.pass)).toMatchObject({
          state: "processing",
          counters: { migrated: 1 },
          licenses: { consumed: 1, reserved: 0 },
        });
      });

      test("waits for an hour at most: a clock that was further ahead is not believed", async () => {
        const { project, entries } = await acme(books, ["anna"]);
        await using run = await begun(books, project, entries[0]!);
        const now = books.clock.now();
        const wait = async (until: number) => {
          const tries = { own: 1, server: 0 };
          await books.passes.letGo(run.run, { for: "connection", until }, tries, run.fence);
        };
        await wait(now + 60 * minute);
        // An engine whose clock is a little behind sees the same wait.
        books.clock.set(now - 1000);
        expect(await books.passes.waiting(10)).toEqual([]);
        expect(await books.passes.begin(run.run, run.fence)).toBe(false);

        await wait(now + day);

        expect(await books.passes.waiting(10)).toEqual([run.run]);
        expect((await books.vitals.figures()).waiting).toBe(1);
        expect(await books.passes.begin(run.run, run.fence)).toBe(true);
      });

      test.each([
        { want: "pause", state: "paused" },
        { want: "stop", state: "stopped" },
      ] as const)("while it is to $want is $state", async ({ want, state }) => {
        const { project, entries } = await acme(books, ["anna"]);
        await using run = await begun(books, project, entries[0]!);
        await books.passes.control(run.pass, want, "local:owner");

        await books.passes.letGo(
          run.run,
          { for: "throttled", until: 1 },
          { own: 2, server: 0 },
          run.fence,
        );

        expect(await waits(run.pass)).toMatchObject({ state, waiting: null });
      });

      test("is paused, resumed and stopped at once, and begins anew after a resume", async () => {
        const { project, entries } = await acme(books, ["anna"]);
        await using run = await begun(books, project, entries[0]!);
        const until = books.clock.now() + minute;
        await books.passes.letGo(
          run.run,
          { for: "connection", until },
          { own: 2, server: 0 },
          run.fence,
        );
        await books.passes.control(run.pass, "pause", "local:owner");
        expect(await waits(run.pass)).toMatchObject({ state: "paused", waiting: null });
        await books.passes.control(run.pass, "run", "local:owner");
        expect(await books.passes.waiting(10)).toEqual([run.run]);
        expect(await books.passes.job(run.run)).toMatchObject({ tries: { own: 0, server: 0 } });
        await books.passes.letGo(
          run.run,
          { for: "connection", until },
          { own: 1, server: 0 },
          run.fence,
        );
        await books.passes.control(run.pass, "stop", "local:owner");
        expect(await waits(run.pass)).toMatchObject({ state: "stopped", waiting: null });
      });
    });
  });
}

async function submitted(books: Books, project: Project, entries: Entry[]): Promise<number[]> {
  const pass = await books.passes.submit(passOver(project, entries, { license: "none" }));
  return (await books.passes.snapshot(pass)).runs.map(({ id }) => id);
}

async function end(books: Books, entry: Entry, run: number): Promise<void> {
  await using owned = await own(books, entry);
  await books.passes.end(run, completed, owned.fence);
}
