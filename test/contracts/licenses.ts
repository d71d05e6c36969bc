import { describe, expect, test } from "vitest";
import { type Policy, presets } from "../../engine/domain/policy.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import {
  acme,
  type Books,
  begun,
  carry,
  completed,
  failed,
  item,
  newsOf,
  type OpenBooks,
  passOver,
  stopped,
} from "./books.ts";
import { opened } from "./opened.ts";

const two: Policy = { ...presets.rackspace, preset: "custom", passesPerLicense: 2 };
const day = 24 * 60 * 60 * 1000;

/** What the books of licenses must do, whatever keeps them. */
export function licensesContract(open: OpenBooks): void {
  describe("as licenses", () => {
    const books = opened(open);
    let uid = 0;

    /** One pass from begin to end, over one entry; it carries an item when `writes`. */
    async function pass(
      project: Project,
      entry: Entry,
      writes: boolean,
      change: Parameters<typeof begun>[3] = {},
      end: Parameters<Books["passes"]["end"]>[1] = completed,
    ): Promise<number> {
      await using run = await begun(books, project, entry, change);
      uid += 1;
      if (writes) await carry(books, run, [item(uid)]);
      await books.passes.end(run.run, end, run.fence);
      return run.pass;
    }

    test("granted licenses are owned and free", async () => {
      const { project } = await acme(books, [], { licenses: 7 });

      const balance = await books.licenses.grant(project.id, 3, "local:owner", "order 12");

      expect(balance).toEqual({ owned: 10, reserved: 0, consumed: 0, free: 10 });
      expect(await books.licenses.balance(project.id)).toEqual(balance);
    });

    test("a license is reserved at the start and consumed with the first item written", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using run = await begun(books, project, entries[0]!);
      const reserved = { owned: 10, reserved: 1, consumed: 0, free: 9 };
      expect(await books.licenses.balance(project.id)).toEqual(reserved);
      expect(await books.licenses.stateOf(entries[0]!.id)).toBe("reserved");

      await carry(books, run, [item(1)]);
      await carry(books, run, [item(2)]);

      const consumed = { owned: 10, reserved: 0, consumed: 1, free: 9 };
      expect(await books.licenses.balance(project.id)).toEqual(consumed);
      expect(await books.projects.entry(entries[0]!.id)).toMatchObject({
        license: "consumed",
        passesUsed: 1,
      });
      const news = (await newsOf(books, run.pass)).filter((one) => one.type === "license consumed");
      expect(news).toEqual([{ type: "license consumed", entry: "anna@old.example" }]);
    });

    test.each([
      { end: completed, passesUsed: 1 },
      { end: failed, passesUsed: 0 },
      { end: stopped, passesUsed: 0 },
    ])(
      "a run that is $end.state with nothing written releases its license and counts $passesUsed",
      async ({ end, passesUsed }) => {
        const { project, entries } = await acme(books, ["anna"]);

        await pass(project, entries[0]!, false, {}, end);

        expect((await books.licenses.balance(project.id)).free).toBe(10);
        expect(await books.projects.entry(entries[0]!.id)).toMatchObject({
          license: "released",
          passesUsed,
          firstSuccessAt: null,
        });
      },
    );

    test("a pass that wrote and failed keeps its license and is counted once", async () => {
      const { project, entries } = await acme(books, ["anna"]);

      await pass(project, entries[0]!, true, {}, failed);

      const entry = await books.projects.entry(entries[0]!.id);
      expect(entry).toMatchObject({ license: "consumed", passesUsed: 1, firstSuccessAt: null });
    });

    test("an initial pass costs one license, every delta of it none", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await pass(project, entries[0]!, true, { kind: "prestage" });
      const free = { kind: "delta", license: "none" } as const;
      await pass(project, entries[0]!, true, free);
      await pass(project, entries[0]!, false, free);

      expect(await books.licenses.balance(project.id)).toMatchObject({ consumed: 1, free: 9 });
      const entry = await books.projects.entry(entries[0]!.id);
      expect(entry.passesUsed).toBe(3);
    });

    test("verify, trial and retry are no passes in the count", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      const none = { license: "none" } as const;
      await pass(project, entries[0]!, false, { ...none, kind: "verify" });
      await pass(project, entries[0]!, true, { ...none, kind: "trial" });
      await pass(project, entries[0]!, true, { kind: "retry" });

      expect(await books.projects.entry(entries[0]!.id)).toMatchObject({
        passesUsed: 0,
        license: "consumed",
        trialUsed: true,
      });
    });

    test("over the limit one more license is consumed, and its passes are counted from one", async () => {
      const { project, entries } = await acme(books, ["anna"], { policy: two });
      await pass(project, entries[0]!, true);
      await pass(project, entries[0]!, true, { license: "none" });

      await pass(project, entries[0]!, true, { license: "reserve" });

      expect(await books.licenses.balance(project.id)).toMatchObject({ consumed: 2, reserved: 0 });
      expect((await books.projects.entry(entries[0]!.id)).passesUsed).toBe(1);
    });

    test("a further license that is released leaves the consumed one", async () => {
      const { project, entries } = await acme(books, ["anna"], { policy: two });
      await pass(project, entries[0]!, true);
      await pass(project, entries[0]!, true, { license: "none" });

      await pass(project, entries[0]!, false, { license: "reserve" }, failed);

      expect(await books.licenses.balance(project.id)).toMatchObject({ consumed: 1, reserved: 0 });
      expect(await books.projects.entry(entries[0]!.id)).toMatchObject({
        license: "consumed",
        passesUsed: 2,
      });
    });

    test("an entry that got its license meanwhile is given no second one", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await pass(project, entries[0]!, true);

      await expect(books.passes.submit(passOver(project, entries))).rejects.toThrow(
        /anna@old\.example got its license meanwhile/,
      );

      expect(await books.licenses.balance(project.id)).toMatchObject({ reserved: 0, consumed: 1 });
    });

    test("the window of deltas counts from the first success, and from the next one's with a new license", async () => {
      const policy = presets.cloudiway;
      const { project, entries } = await acme(books, ["anna"], { policy });
      const start = books.clock.now();
      await pass(project, entries[0]!, true);
      books.clock.set(start + 5);
      await pass(project, entries[0]!, true, { license: "none" });
      expect((await books.projects.entry(entries[0]!.id)).firstSuccessAt).toBe(start);

      books.clock.set(start + 91 * day);
      await pass(project, entries[0]!, true, { license: "reserve" });

      expect(await books.projects.entry(entries[0]!.id)).toMatchObject({
        firstSuccessAt: start + 91 * day,
        passesUsed: 1,
      });
    });

    test("short of licenses nothing starts, and the missing number is said", async () => {
      const { project, entries } = await acme(books, ["anna", "bob", "cleo"], { licenses: 1 });

      await expect(books.passes.submit(passOver(project, entries))).rejects.toThrow(
        /Uses 3 licenses, 1 free: 2 short\. Nothing was started\./,
      );

      expect(await books.passes.recent(project.id, 5)).toEqual([]);
      expect((await books.licenses.balance(project.id)).free).toBe(1);
    });

    test("fifty that race for ten licenses get exactly ten", async () => {
      const names = Array.from({ length: 50 }, (_, n) => `user${n}`);
      const { project, entries } = await acme(books, names, { licenses: 10 });
      await using other = await books.again();
      const doors = [books.passes, other.passes];

      const racing = await Promise.allSettled(
        entries.map((entry, n) => doors[n % 2]!.submit(passOver(project, [entry]))),
      );

      const refused = racing.filter((one) => one.status === "rejected");
      expect(refused).toHaveLength(40);
      for (const { reason } of refused) expect(String(reason)).toMatch(/0 free: 1 short/);
      const balance = { owned: 10, reserved: 10, consumed: 0, free: 0 };
      expect(await other.licenses.balance(project.id)).toEqual(balance);
      expect(await books.passes.waiting(100)).toHaveLength(10);
    });

    test("two that race for one entry start one pass", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      await using other = await books.again();

      const racing = await Promise.allSettled(
        Array.from({ length: 6 }, (_, n) =>
          [books, other][n % 2]!.passes.submit(passOver(project, entries)),
        ),
      );

      expect(racing.filter((one) => one.status === "fulfilled")).toHaveLength(1);
      expect((await books.licenses.balance(project.id)).reserved).toBe(1);
    });

    test("every movement is told, newest first, with who, which entry and which pass", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const first = await pass(project, entries[0]!, true);
      const second = await pass(project, entries[1]!, false);

      const history = await books.licenses.history(project.id, 10);

      const by = "local:owner";
      const [anna, bob] = ["anna@old.example", "bob@old.example"];
      expect(history.map(({ at: _at, ...line }) => line)).toEqual([
        { kind: "release", count: 1, by, entry: bob, pass: second, note: null },
        { kind: "reserve", count: 1, by, entry: bob, pass: second, note: null },
        { kind: "consume", count: 1, by, entry: anna, pass: first, note: null },
        { kind: "reserve", count: 1, by, entry: anna, pass: first, note: null },
        { kind: "grant", count: 10, by: "test", entry: null, pass: null, note: "order 4711" },
      ]);
      expect(await books.licenses.history(project.id, 2)).toEqual(history.slice(0, 2));
    });
  });
}
