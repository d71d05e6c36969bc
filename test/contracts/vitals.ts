import { describe, expect, test } from "vitest";
import type { Figures } from "../../engine/domain/vitals.ts";
import {
  acme,
  begun,
  carry,
  completed,
  counted,
  item,
  type OpenBooks,
  own,
  passOver,
} from "./books.ts";
import { opened } from "./opened.ts";

/** What those who watch are told, whatever keeps it. */
export function vitalsContract(open: OpenBooks): void {
  describe("as what is watched", () => {
    const books = opened(open);

    const nothing: Figures = {
      passes: [],
      waiting: 0,
      begun: 0,
      waits: [],
      items: { migrated: 0, duplicates: 0, filtered: 0, failed: 0, vanished: 0, notCarried: 0 },
      bytes: 0,
      licenses: { reserved: 0, consumed: 0, free: 0 },
      news: { undelivered: 0, oldestAt: null },
    };

    test("an empty database answers, and every figure is nought", async () => {
      await books.vitals.answers();

      expect(await books.vitals.figures()).toEqual(nothing);
    });

    test("passes are counted by kind and state, and another process counts the same", async () => {
      const { project, entries } = await acme(books, ["anna", "bo", "cy"]);
      const [anna, bo, cy] = entries;
      await using run = await begun(books, project, anna!, { kind: "prestage" });
      await books.passes.end(run.run, completed, run.fence);
      await using _other = await begun(books, project, bo!);
      await books.passes.submit(passOver(project, [cy!]));
      await using again = await books.again();

      const { passes } = await again.vitals.figures();

      expect(passes).toHaveLength(3);
      expect(passes).toEqual(
        expect.arrayContaining([
          { kind: "prestage", state: "completed", count: 1 },
          { kind: "full", state: "processing", count: 1 },
          { kind: "full", state: "queued", count: 1 },
        ]),
      );
    });

    test("a run waits until it is begun, paused, or held back by its window", async () => {
      const { project, entries } = await acme(books, ["anna", "bo", "cy"]);
      const [anna, bo, cy] = entries;
      const waiting = async () => (await books.vitals.figures()).waiting;
      const pass = await books.passes.submit(passOver(project, [anna!, bo!, cy!]));
      expect(await waiting()).toBe(3);
      const [first, second, third] = (await books.passes.snapshot(pass)).runs;

      await using owned = await own(books, anna!);
      await books.passes.begin(first!.id, owned.fence);
      expect(await waiting(), "one is carried").toBe(2);
      await books.passes.control(pass, "pause", "local:owner", second!.entry);
      expect(await waiting(), "one is paused").toBe(1);
      await using late = await own(books, cy!);
      const hours = [{ days: [1], from: 0, to: 60 }];
      await books.projects.change(project.id, { windows: { hours, blackout: [] } });
      const until = books.clock.now() + 1_000;
      await books.passes.putOff(third!.id, () => until, late.fence);
      expect(await waiting(), "one has its hours").toBe(0);
      expect((await books.vitals.figures()).waits).toEqual([{ reason: "window", count: 1 }]);
      books.clock.set(until);
      expect(await waiting(), "they began").toBe(1);
    });

    test("runs are begun from their begin to their end, but for what they wait for", async () => {
      const { project, entries } = await acme(books, ["anna", "bo"]);
      expect(await books.vitals.runs()).toEqual({ waiting: 0, active: 0, held: 0 });
      await using anna = await begun(books, project, entries[0]!);
      await books.passes.submit(passOver(project, [entries[1]!]));
      expect(await books.vitals.runs()).toEqual({ waiting: 1, active: 1, held: 0 });

      await books.passes.wait(anna.run, { for: "connection", until: null }, anna.fence);
      expect(await books.vitals.runs()).toEqual({ waiting: 1, active: 0, held: 1 });
      await books.passes.wait(anna.run, null, anna.fence);
      await books.passes.end(anna.run, completed, anna.fence);

      expect(await books.vitals.runs()).toEqual({ waiting: 1, active: 0, held: 0 });
    });

    test("what was begun counts as begun until its end, whether its engine lives, waits or died", async () => {
      const { project, entries } = await acme(books, ["anna", "bo", "cy"]);
      const begunNow = async () => (await books.vitals.figures()).begun;
      await using anna = await begun(books, project, entries[0]!);
      await books.passes.submit(passOver(project, [entries[2]!]));
      {
        await using dead = await begun(books, project, entries[1]!);
        await books.passes.wait(dead.run, { for: "doubt", until: null }, dead.fence);
      }
      expect(await begunNow()).toBe(2);

      await books.passes.end(anna.run, completed, anna.fence);

      expect(await begunNow()).toBe(1);
    });

    test("what runs wait for is counted while they do", async () => {
      const { project, entries } = await acme(books, ["anna", "bo"]);
      await using anna = await begun(books, project, entries[0]!);
      await using bo = await begun(books, project, entries[1]!);
      for (const { run, fence } of [anna, bo]) {
        await books.passes.wait(run, { for: "throttled", until: null }, fence);
      }
      expect((await books.vitals.figures()).waits).toEqual([{ reason: "throttled", count: 2 }]);

      await books.passes.wait(anna.run, null, anna.fence);
      await books.passes.wait(bo.run, { for: "connection", until: null }, bo.fence);

      expect((await books.vitals.figures()).waits).toEqual([{ reason: "connection", count: 1 }]);
    });

    test("items and bytes are those of all folders, runs and projects", async () => {
      const { project, entries } = await acme(books, ["anna", "bo"]);
      await using anna = await begun(books, project, entries[0]!);
      await using bo = await begun(books, project, entries[1]!);
      const all = { filtered: 5, failed: 7, vanished: 11, notCarried: 13, bytes: 5_000_000_000 };
      await carry(books, anna, [item(1), item(2)], {
        counters: counted({ listed: 41, migrated: 2, duplicates: 3, ...all }),
      });
      await carry(books, bo, [item(1)], {
        counters: counted({ listed: 1, migrated: 1, bytes: 100 }),
      });

      const { items, bytes } = await books.vitals.figures();

      expect(items).toEqual({
        ...{ migrated: 3, duplicates: 3, filtered: 5, failed: 7, vanished: 11, notCarried: 13 },
      });
      expect(bytes).toBe(5_000_000_100);
    });

    test("licenses are told as the books of their project tell them", async () => {
      const { project, entries } = await acme(books, ["anna", "bo", "cy"], { licenses: 5 });
      await using anna = await begun(books, project, entries[0]!);
      await carry(books, anna, [item(1)]);
      await books.passes.submit(passOver(project, [entries[1]!]));
      const returned = await books.passes.submit(passOver(project, [entries[2]!]));
      await books.passes.control(returned, "stop", "local:owner");

      const { licenses } = await books.vitals.figures();

      expect(licenses).toEqual({ reserved: 1, consumed: 1, free: 3 });
      expect(await books.licenses.balance(project.id)).toEqual({ owned: 5, ...licenses });
    });

    test("news waits from the oldest on, until it is told", async () => {
      const { project, entries } = await acme(books, ["anna", "bo"]);
      const news = async () => (await books.vitals.figures()).news;
      const began = books.clock.now();
      await books.passes.submit(passOver(project, [entries[0]!]));
      books.clock.set(began + 60_000);
      await books.passes.submit(passOver(project, [entries[1]!]));
      expect(await news()).toEqual({ undelivered: 2, oldestAt: began });

      const [oldest, newest] = await books.newsroom.undelivered(10);
      await books.newsroom.delivered([oldest!.id]);
      expect(await news()).toEqual({ undelivered: 1, oldestAt: began + 60_000 });

      await books.newsroom.delivered([newest!.id]);
      expect(await news()).toEqual({ undelivered: 0, oldestAt: null });
    });
  });
}
