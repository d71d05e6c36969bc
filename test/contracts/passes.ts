import { describe, expect, test } from "vitest";
import { gap } from "../../engine/domain/counters.ts";
import { UserError } from "../../engine/domain/errors.ts";
import { noWindows } from "../../engine/domain/window.ts";
import {
  acme,
  begun,
  carry,
  completed,
  counted,
  failed,
  item,
  newEntry,
  newsOf,
  type OpenBooks,
  own,
  passOver,
  paused,
  stopped,
} from "./books.ts";
import { opened } from "./opened.ts";

/** What everything that keeps passes must do. */
export function passesContract(open: OpenBooks): void {
  describe("as passes", () => {
    const books = opened(open);

    test("a submitted pass has a run an entry, waits, and says so", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);

      const pass = await books.passes.submit(passOver(project, entries, { limit: 5 }));

      const snapshot = await books.passes.snapshot(pass);
      expect(snapshot).toMatchObject({
        state: "queued",
        kind: "full",
        limit: 5,
        startedBy: "local:owner",
        thread: "local:main",
        createdAt: books.clock.now(),
        startedAt: null,
        endedAt: null,
        expected: null,
        project: { id: project.id, name: "acme", zone: "Europe/Berlin" },
      });
      expect(snapshot.runs.map((run) => [run.source, run.state])).toEqual([
        ["anna@old.example", "queued"],
        ["bob@old.example", "queued"],
      ]);
      expect(await books.passes.waiting(10)).toEqual(snapshot.runs.map((run) => run.id));
      expect(await newsOf(books, pass)).toEqual([{ type: "pass queued" }]);
      expect(await books.passes.job(snapshot.runs[0]!.id)).toEqual({
        run: snapshot.runs[0]!.id,
        pass,
        entry: entries[0]!.id,
        project: project.id,
        kind: "full",
        limit: 5,
        types: ["mail"],
        filters: project.filters,
        tries: { own: 0, server: 0 },
        remigration: null,
      });
    });

    test("the first run of each project waits before the second of any, each with its place", async () => {
      const { project, entries } = await acme(books, ["anna", "bob", "cleo"]);
      const beta = await books.projects.create({
        name: "beta",
        sourceEndpoint: project.sourceEndpoint.id,
        targetEndpoint: project.targetEndpoint.id,
        policy: project.policy,
        zone: project.zone,
      });
      const others = await books.projects.add(beta.id, [newEntry("dora"), newEntry("emil")]);
      const runs = async (of: typeof project, its: typeof entries) => {
        const pass = await books.passes.submit(passOver(of, its, { license: "none" }));
        return (await books.passes.snapshot(pass)).runs.map(({ id }) => id);
      };

      const [anna, bob] = await runs(project, entries.slice(0, 2));
      const [dora, emil] = await runs(beta, others);
      const [cleo] = await runs(project, entries.slice(2));

      expect(await books.passes.turns(10)).toEqual([
        { run: anna, turn: 1 },
        { run: dora, turn: 1 },
        { run: bob, turn: 2 },
        { run: emil, turn: 2 },
        { run: cleo, turn: 3 },
      ]);
      expect(await books.passes.waiting(3)).toEqual([anna, dora, bob]);
    });

    test("what an engine left behind is among those that wait, however many stand before it", async () => {
      const { project, entries } = await acme(books, ["anna", "bob", "cleo"]);
      const pass = await books.passes.submit(passOver(project, entries));
      const [anna, bob, cleo] = (await books.passes.snapshot(pass)).runs.map(({ id }) => id);
      await using owned = await own(books, entries[2]!);
      await books.passes.begin(cleo!, owned.fence);

      expect(await books.passes.turns(1)).toEqual([
        { run: anna, turn: 1 },
        { run: cleo, turn: 3 },
      ]);
      expect(await books.passes.waiting(2)).toEqual([anna, bob, cleo]);
    });

    test("an entry that is in a pass already is refused, and nothing of the other is written", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const first = await books.passes.submit(passOver(project, [entries[0]!]));

      const second = books.passes.submit(passOver(project, entries));

      await expect(second).rejects.toThrow(
        `anna@old.example is already running in pass ${first}. Nothing was started.`,
      );
      expect(await books.passes.recent(project.id, 10)).toHaveLength(1);
      expect((await books.licenses.balance(project.id)).reserved).toBe(1);
    });

    test("a run that begins starts its pass, once", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using run = await begun(books, project, entries[0]!);
      books.clock.set(books.clock.now() + 1000);

      expect(await books.passes.begin(run.run, run.fence)).toBe(true);

      const snapshot = await books.passes.snapshot(run.pass);
      expect(snapshot).toMatchObject({
        state: "processing",
        startedAt: books.clock.now() - 1000,
        runs: [{ state: "processing" }],
      });
      const news = await newsOf(books, run.pass);
      expect(news.map(({ type }) => type)).toEqual(["pass queued", "pass started"]);
      // An engine may have died: until it ends, the run waits for one.
      expect(await books.passes.waiting(10)).toEqual([run.run]);
    });

    test("what the servers expect and what the folders count is added up", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using run = await begun(books, project, entries[0]!);
      const other = await books.ledger.folder(entries[0]!.id, "Sent", run.fence);

      await books.passes.expect(run.run, 12, run.fence);
      const inbox = counted({ listed: 5, duplicates: 5, changed: 2 });
      await books.ledger.count(run.run, run.folder.id, inbox, run.fence);
      const sent = counted({ listed: 3, filtered: 3, deleted: 1, changed: 1, gone: 4 });
      await books.ledger.count(run.run, other.id, sent, run.fence);

      const snapshot = await books.passes.snapshot(run.pass);
      expect(snapshot.expected).toBe(12);
      const sum = { listed: 8, duplicates: 5, filtered: 3, changed: 3, gone: 4, deleted: 1 };
      expect(snapshot.counters).toEqual(counted(sum));
      const unknown = { ...sent, changed: null };
      await books.ledger.count(run.run, other.id, unknown, run.fence);
      expect((await books.passes.snapshot(run.pass)).counters.changed).toBeNull();
    });

    test("every pass of a project is summed up without its runs, oldest first", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      await using run = await begun(books, project, entries[0]!);
      const other = await books.ledger.folder(entries[0]!.id, "Sent", run.fence);
      // More bytes than fit into 32 bits.
      const inbox = counted({ listed: 5, migrated: 5, bytes: 5_000_000_000 });
      await books.ledger.count(run.run, run.folder.id, inbox, run.fence);
      await books.ledger.count(run.run, other.id, counted({ listed: 2, migrated: 2 }), run.fence);
      const second = await books.passes.submit(passOver(project, [entries[1]!]));

      const times = { startedAt: books.clock.now(), endedAt: null };
      expect(await books.passes.sums(project.id)).toEqual([
        {
          ...{ id: run.pass, kind: "full", state: "processing", ...times },
          ...{ migrated: 7, bytes: 5_000_000_000 },
        },
        {
          ...{ id: second, kind: "full", state: "queued", startedAt: null, endedAt: null },
          ...{ migrated: 0, bytes: 0 },
        },
      ]);
    });

    test("a run that waits says for what and until when, and news says it once", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using run = await begun(books, project, entries[0]!);
      const waiting = { for: "throttled", until: books.clock.now() + 5 } as const;

      await books.passes.wait(run.run, waiting, run.fence);
      await books.passes.wait(run.run, { ...waiting, until: waiting.until + 5 }, run.fence);

      const [one] = (await books.passes.snapshot(run.pass)).runs;
      expect(one?.waiting).toEqual({ for: "throttled", until: waiting.until + 5 });
      const news = (await newsOf(books, run.pass)).filter(({ type }) => type === "entry waits");
      expect(news).toEqual([{ type: "entry waits", entry: "anna@old.example", ...waiting }]);
      await books.passes.wait(run.run, null, run.fence);
      expect((await books.passes.snapshot(run.pass)).runs[0]?.waiting).toBeNull();
    });

    describe("outside the hours of its project", () => {
      const windows = { hours: [{ days: [1, 2, 3], from: 1140, to: 420 }], blackout: [] };
      const until = (at: number | null) => () => at;
      const waits = async (pass: number) => (await books.passes.snapshot(pass)).runs[0];

      test("a run is put off until they come, and told of once", async () => {
        const { project, entries } = await acme(books, ["anna"]);
        await books.projects.change(project.id, { windows });
        const pass = await books.passes.submit(passOver(project, entries));
        const [run] = await books.passes.waiting(10);
        const at = books.clock.now() + 60_000;
        {
          await using owned = await own(books, entries[0]!);
          const asked: unknown[] = [];
          const ask = (seen: unknown) => {
            asked.push(seen);
            return at;
          };
          expect(await books.passes.putOff(run!, ask, owned.fence)).toBe(true);
          expect(await books.passes.putOff(run!, ask, owned.fence)).toBe(true);
          expect(asked[0]).toEqual({ windows, zone: "Europe/Berlin" });
        }

        expect(await waits(pass)).toMatchObject({
          state: "queued",
          waiting: { for: "window", until: at },
        });
        expect(await newsOf(books, pass)).toEqual([
          { type: "pass queued" },
          { type: "entry waits", entry: "anna@old.example", for: "window", until: at },
        ]);
        books.clock.set(at - 1);
        expect(await books.passes.waiting(10)).toEqual([]);
        books.clock.set(at);
        expect(await books.passes.waiting(10)).toEqual([run]);
        await using owned = await own(books, entries[0]!);
        expect(await books.passes.putOff(run!, until(null), owned.fence)).toBe(false);
        expect(await books.passes.begin(run!, owned.fence)).toBe(true);
        expect((await waits(pass))?.waiting).toBeNull();
      });

      test("a run waits for days where its hours are that far off", async () => {
        const { project, entries } = await acme(books, ["anna"]);
        await books.projects.change(project.id, { windows });
        await using run = await begun(books, project, entries[0]!);
        const at = books.clock.now() + 3 * 24 * 60 * 60_000;

        await books.passes.putOff(run.run, until(at), run.fence);

        expect(await books.passes.waiting(10)).toEqual([]);
        expect(await books.passes.begin(run.run, run.fence)).toBe(false);
      });

      test("a run keeps the tries it had before, and waits for its hours no longer once it begins", async () => {
        const { project, entries } = await acme(books, ["anna"]);
        await books.projects.change(project.id, { windows });
        await using run = await begun(books, project, entries[0]!);
        const at = books.clock.now() + 60_000;
        const tries = { own: 3, server: 40 };
        await books.passes.letGo(run.run, { for: "throttled", until: at - 1 }, tries, run.fence);

        await books.passes.putOff(run.run, until(at), run.fence);

        expect(await books.passes.job(run.run)).toMatchObject({ tries });
        expect(await waits(run.pass)).toMatchObject({ waiting: { for: "window", until: at } });
        books.clock.set(at);
        expect(await books.passes.begin(run.run, run.fence)).toBe(true);
        expect((await waits(run.pass))?.waiting).toBeNull();
        expect(await books.passes.job(run.run)).toMatchObject({ tries });
      });

      test("a run that was being carried waits as nobody's: it keeps what it has, and is steered at once", async () => {
        const { project, entries } = await acme(books, ["anna"]);
        await books.projects.change(project.id, { windows });
        const at = books.clock.now() + 60_000;
        await using run = await begun(books, project, entries[0]!);
        await carry(books, run, [item(1)]);
        await books.passes.putOff(run.run, until(at), run.fence);

        expect(await books.passes.snapshot(run.pass)).toMatchObject({
          state: "processing",
          counters: { migrated: 1 },
          licenses: { consumed: 1, reserved: 0 },
          runs: [{ state: "queued", waiting: { for: "window", until: at } }],
        });
        await books.passes.control(run.pass, "pause", "local:owner");
        expect(await waits(run.pass)).toMatchObject({ state: "paused", waiting: null });
        expect(await books.passes.putOff(run.run, until(at), run.fence)).toBe(false);
        await books.passes.control(run.pass, "run", "local:owner");
        expect(await books.passes.waiting(10)).toEqual([run.run]);
        await books.passes.putOff(run.run, until(at), run.fence);
        await books.passes.control(run.pass, "stop", "local:owner");
        expect(await books.passes.snapshot(run.pass)).toMatchObject({
          state: "stopped",
          runs: [{ state: "stopped", waiting: null }],
        });
      });

      test.each([
        { want: "pause", state: "paused" },
        { want: "stop", state: "stopped" },
      ] as const)(
        "a run that is to $want when it is put off is $state",
        async ({ want, state }) => {
          const { project, entries } = await acme(books, ["anna"]);
          await books.projects.change(project.id, { windows });
          await using run = await begun(books, project, entries[0]!);
          await books.passes.control(run.pass, want, "local:owner");

          expect(await books.passes.putOff(run.run, until(1), run.fence)).toBe(true);

          expect(await waits(run.pass)).toMatchObject({ state, waiting: null });
        },
      );

      test("a verify, and a pass of a project without hours, are kept to none", async () => {
        const { project, entries } = await acme(books, ["anna", "bob"]);
        await using anna = await begun(books, project, entries[0]!);
        expect(await books.passes.putOff(anna.run, until(1), anna.fence)).toBe(false);
        expect(await books.passes.windows([anna.run])).toEqual(new Map());

        await books.projects.change(project.id, { windows });
        const verify = { kind: "verify", license: "none" } as const;
        await using bob = await begun(books, project, entries[1]!, verify);
        expect(await books.passes.putOff(bob.run, until(1), bob.fence)).toBe(false);
        expect(await books.passes.windows([anna.run, bob.run])).toEqual(
          new Map([[anna.run, { windows, zone: "Europe/Berlin" }]]),
        );
        expect((await books.passes.snapshot(anna.pass)).runs[0]?.state).toBe("processing");
      });

      test("other hours end the wait, at whatever moment they are set", async () => {
        const { project, entries } = await acme(books, ["anna"]);
        await using run = await begun(books, project, entries[0]!);
        const at = books.clock.now() + 60_000;
        for (const change of [{ windows: noWindows }, { windows }, { zone: "UTC" }]) {
          await books.projects.change(project.id, { windows });
          await books.passes.putOff(run.run, until(at), run.fence);
          await books.projects.change(project.id, { closed: false });
          expect(await books.passes.waiting(10)).toEqual([]);
          await books.projects.change(project.id, change);
          expect(await books.passes.waiting(10)).toEqual([run.run]);
        }
        for (let n = 0; n < 10; n += 1) {
          await books.projects.change(project.id, { windows });
          await Promise.all([
            books.passes.putOff(
              run.run,
              ({ windows }) => (windows.hours[0] ? at : null),
              run.fence,
            ),
            books.projects.change(project.id, { windows: noWindows }),
          ]);
          expect(await books.passes.waiting(10)).toEqual([run.run]);
        }
      });
    });

    test("a stop of many that no engine has ends each, gives its license back and tells of it", async () => {
      const names = Array.from({ length: 60 }, (_, n) => `user${n}`);
      const { project, entries } = await acme(books, names, { licenses: 60 });
      const pass = await books.passes.submit(passOver(project, entries));
      const { runs } = await books.passes.snapshot(pass);
      await using owned = await own(books, entries[0]!);
      await books.passes.begin(runs[0]!.id, owned.fence);
      await books.passes.control(pass, "pause", "local:owner", entries[1]!.id);

      expect(await books.passes.control(pass, "stop", "local:owner")).toBe(60);

      const stopping = await books.passes.snapshot(pass);
      expect(stopping.runs.map(({ state }) => state)).toEqual([
        "processing",
        ...names.slice(1).map(() => "stopped"),
      ]);
      expect(stopping).toMatchObject({ state: "processing", licenses: { free: 59, reserved: 1 } });
      expect(await books.passes.wanted([runs[0]!.id])).toEqual(new Map([[runs[0]!.id, "stop"]]));
      await books.passes.end(runs[0]!.id, stopped, owned.fence);
      expect(await books.passes.snapshot(pass)).toMatchObject({
        state: "stopped",
        licenses: { free: 60, reserved: 0 },
      });
      const news = await newsOf(books, pass);
      const ends = news.filter((one) => one.type === "entry ended");
      expect(new Set(ends.map(({ entry }) => entry)).size).toBe(60);
      expect(ends).toHaveLength(60);
    });

    test("the last run to end ends the pass", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const pass = await books.passes.submit(passOver(project, entries));
      const { runs } = await books.passes.snapshot(pass);
      await end(runs[0]!.id, 0, completed);
      expect((await books.passes.snapshot(pass)).endedAt).toBeNull();

      await end(runs[1]!.id, 1, completed);

      const snapshot = await books.passes.snapshot(pass);
      expect(snapshot).toMatchObject({ state: "completed", endedAt: books.clock.now() });
      expect((await newsOf(books, pass)).map(({ type }) => type)).toEqual([
        "pass queued",
        "pass started",
        "entry ended",
        "entry ended",
        "pass ended",
      ]);
      expect(await books.passes.waiting(10)).toEqual([]);

      async function end(run: number, entry: number, how: typeof completed) {
        await using owned = await own(books, entries[entry]!);
        await books.passes.begin(run, owned.fence);
        await books.passes.end(run, how, owned.fence);
      }
    });

    const withErrors = { ...completed, state: "completed_with_errors" } as const;
    test.each([
      { ends: [completed, completed], state: "completed" },
      { ends: [failed, failed], state: "failed" },
      { ends: [stopped, stopped], state: "stopped" },
      { ends: [completed, failed], state: "completed_with_errors" },
      { ends: [completed, withErrors], state: "completed_with_errors" },
      { ends: [completed, stopped], state: "completed_with_errors" },
    ])(
      "a pass whose runs ended $ends.0.state and $ends.1.state is $state",
      async ({ ends, state }) => {
        const { project, entries } = await acme(books, ["anna", "bob"]);
        const pass = await books.passes.submit(passOver(project, entries));
        const { runs } = await books.passes.snapshot(pass);
        for (const [n, end] of ends.entries()) {
          await using owned = await own(books, entries[n]!);
          await books.passes.begin(runs[n]!.id, owned.fence);
          await books.passes.end(runs[n]!.id, end, owned.fence);
        }

        expect((await books.passes.snapshot(pass)).state).toBe(state);
      },
    );

    test("a pass of a dead engine goes on with the next owner", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      const run = await begun(books, project, entries[0]!);
      await run[Symbol.asyncDispose]();

      await using owned = await own(books, entries[0]!);

      expect(await books.passes.begin(run.run, owned.fence)).toBe(true);
      await books.passes.end(run.run, completed, owned.fence);
      expect(await books.passes.begin(run.run, owned.fence)).toBe(false);
    });

    test("runs nobody has begun stop and pause at once; those at work are asked", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const pass = await books.passes.submit(passOver(project, entries));
      const { runs } = await books.passes.snapshot(pass);
      const [anna, bob] = runs.map((run) => run.id);
      await using owned = await own(books, entries[0]!);
      await books.passes.begin(anna!, owned.fence);

      expect(await books.passes.control(pass, "pause", "local:owner")).toBe(2);

      expect((await books.passes.snapshot(pass)).runs.map((run) => run.state)).toEqual([
        "processing",
        "paused",
      ]);
      expect(await books.passes.wanted([anna!, bob!])).toEqual(
        new Map([
          [anna, "pause"],
          [bob, "pause"],
        ]),
      );
      await books.passes.end(anna!, paused, owned.fence);
      expect((await books.passes.snapshot(pass)).state).toBe("paused");
      expect(await books.passes.waiting(10)).toEqual([]);
      expect(await books.passes.begin(anna!, owned.fence)).toBe(false);
    });

    test("a paused pass keeps its reservations, is busy, and goes on when asked to", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      const pass = await books.passes.submit(passOver(project, entries));
      await books.passes.control(pass, "pause", "local:owner");

      expect((await books.licenses.balance(project.id)).reserved).toBe(1);
      expect((await books.projects.entry(entries[0]!.id)).busyWith).toBe(pass);
      expect(await books.passes.control(pass, "pause", "local:owner")).toBe(0);
      expect(await books.passes.control(pass, "run", "local:owner")).toBe(1);

      expect((await books.passes.snapshot(pass)).state).toBe("queued");
      expect(await books.passes.waiting(10)).toHaveLength(1);
      expect(await newsOf(books, pass)).toEqual([
        { type: "pass queued" },
        { type: "pass paused", by: "local:owner" },
        { type: "pass resumed", by: "local:owner" },
      ]);
    });

    test("asked to go on while its engine pauses it, a run waits for an engine again", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using run = await begun(books, project, entries[0]!);
      await books.passes.control(run.pass, "pause", "local:owner");
      await books.passes.control(run.pass, "run", "local:owner");

      await books.passes.end(run.run, paused, run.fence);

      expect(await books.passes.waiting(10)).toEqual([run.run]);
      expect(await books.passes.begin(run.run, run.fence)).toBe(true);
    });

    test("an engine that hears late of a pause taken back before the run began pauses nothing", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      const pass = await books.passes.submit(passOver(project, entries));
      const [run] = (await books.passes.snapshot(pass)).runs;
      await books.passes.control(pass, "pause", "local:owner");
      await books.passes.control(pass, "run", "local:owner");
      await using owned = await own(books, entries[0]!);
      await books.passes.begin(run!.id, owned.fence);

      await books.passes.end(run!.id, paused, owned.fence);

      expect(await books.passes.waiting(10)).toEqual([run!.id]);
    });

    test("asked to stop while its engine pauses it, a run is stopped", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using run = await begun(books, project, entries[0]!);
      await books.passes.control(run.pass, "pause", "local:owner");
      await books.passes.control(run.pass, "stop", "local:owner");

      await books.passes.end(run.run, paused, run.fence);

      expect((await books.passes.snapshot(run.pass)).state).toBe("stopped");
    });

    test.each(["queued", "paused"])(
      "stopping a pass that is %s ends it and frees its licenses",
      async (state) => {
        const { project, entries } = await acme(books, ["anna", "bob"]);
        const pass = await books.passes.submit(passOver(project, entries));
        if (state === "paused") await books.passes.control(pass, "pause", "local:owner");

        expect(await books.passes.control(pass, "stop", "local:owner")).toBe(2);

        const snapshot = await books.passes.snapshot(pass);
        expect(snapshot).toMatchObject({
          state: "stopped",
          endedAt: books.clock.now(),
          licenses: { owned: 10, reserved: 0, consumed: 0, free: 10 },
        });
        const news = (await newsOf(books, pass)).map(({ type }) => type);
        expect(news.slice(-3)).toEqual(["entry ended", "entry ended", "pass ended"]);
        expect(await books.passes.control(pass, "stop", "local:owner")).toBe(0);
      },
    );

    test("one entry of a pass can be stopped, and the others go on", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const pass = await books.passes.submit(passOver(project, entries));

      expect(await books.passes.control(pass, "stop", "local:owner", entries[0]!.id)).toBe(1);

      const { runs, state } = await books.passes.snapshot(pass);
      expect(runs.map((run) => run.state)).toEqual(["stopped", "queued"]);
      expect(state).toBe("queued");
    });

    test.each([
      { want: "pause", state: "paused" },
      { want: "stop", state: "stopped" },
    ] as const)(
      "a run whose engine died is $state by the next one, when that was asked meanwhile",
      async ({ want, state }) => {
        const { project, entries } = await acme(books, ["anna"]);
        const run = await begun(books, project, entries[0]!);
        await run[Symbol.asyncDispose]();
        await books.passes.control(run.pass, want, "local:owner");
        await using owned = await own(books, entries[0]!);

        expect(await books.passes.begin(run.run, owned.fence)).toBe(false);

        expect((await books.passes.snapshot(run.pass)).runs[0]?.state).toBe(state);
      },
    );

    test("a stopped run's sums balance: what nobody reached was not listed", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using run = await begun(books, project, entries[0]!);
      const counters = counted({ listed: 50, migrated: 2, duplicates: 3 });
      await carry(books, run, [item(1), item(2)], { counters });

      await books.passes.end(run.run, stopped, run.fence);

      const snapshot = await books.passes.snapshot(run.pass);
      expect(snapshot.counters.listed).toBe(5);
      expect(gap(snapshot.counters)).toBe(0);
    });

    test("a completed run's gap stays to be seen", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using run = await begun(books, project, entries[0]!);
      await carry(books, run, [item(1)], { counters: counted({ listed: 2, migrated: 1 }) });

      await books.passes.end(run.run, completed, run.fence);

      expect(gap((await books.passes.snapshot(run.pass)).counters)).toBe(1);
    });

    test("an end is kept with its reason and survey, and a second end changes nothing", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using run = await begun(books, project, entries[0]!, {
        kind: "verify",
        license: "none",
      });
      const side = { folders: 1, items: 2, bytes: null, types: ["mail" as const], free: 3 };
      const survey = { source: side, target: side };

      await books.passes.end(run.run, { ...completed, survey }, run.fence);
      await books.passes.end(run.run, failed, run.fence);

      const [one] = (await books.passes.snapshot(run.pass)).runs;
      expect(one).toMatchObject({ state: "completed", reason: null, survey, passesUsed: 0 });
    });

    test("passes of a project come newest first", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const first = await books.passes.submit(passOver(project, [entries[0]!]));
      const second = await books.passes.submit(passOver(project, [entries[1]!]));

      const recent = await books.passes.recent(project.id, 10);

      expect(recent.map(({ id }) => id)).toEqual([second, first]);
      expect(recent[0]?.runs.map((run) => run.source)).toEqual(["bob@old.example"]);
      expect(await books.passes.recent(project.id, 1)).toEqual([recent[0]]);
    });

    test("a pass is found by the thread of its root message", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      const pass = await books.passes.submit(passOver(project, entries));
      await books.newsroom.posted(pass, "local:main:17");

      expect(await books.passes.ofThread("local:main:17")).toBe(pass);
      expect(await books.passes.ofThread("local:main:18")).toBeNull();
    });

    test("a trial is given once", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      const trial = { kind: "trial", license: "none" } as const;
      {
        await using run = await begun(books, project, entries[0]!, trial);
        await carry(books, run, [item(1)]);
        await books.passes.end(run.run, completed, run.fence);
      }

      expect(await books.projects.entry(entries[0]!.id)).toMatchObject({
        trialUsed: true,
        passesUsed: 0,
        license: "none",
      });
      const again = books.passes.submit(passOver(project, entries, trial));
      await expect(again).rejects.toThrow(UserError);
    });

    test("a run of another's entry cannot be touched with one's own fence", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      await using run = await begun(books, project, entries[0]!);
      await using other = await own(books, entries[1]!);

      await expect(books.passes.end(run.run, completed, other.fence)).rejects.toThrow();

      expect((await books.passes.snapshot(run.pass)).state).toBe("processing");
    });
  });
}
