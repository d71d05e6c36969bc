import { describe, expect, test } from "vitest";
import type { Schedule } from "../../engine/domain/schedule.ts";
import { acme, type Books, type OpenBooks, passOver } from "./books.ts";
import { openedTwice } from "./opened.ts";

type NewSchedule = Parameters<Books["schedules"]["add"]>[0];

/** What a calendar must do, whatever keeps it. */
export function schedulesContract(open: OpenBooks): void {
  describe("as a calendar", () => {
    const [books, other] = openedTwice(open);

    const due = (project: number, at: number): NewSchedule => ({
      project,
      channel: "local:main",
      person: "local:owner",
      approvedBy: null,
      request: { kind: "delta", limit: null, selection: ["a*"], types: null },
      at,
    });

    test("what waits is listed by its time, and is due when that has come", async () => {
      const { project } = await acme(books, []);
      const late = await books.schedules.add(due(project.id, 20));
      const early = await books.schedules.add({ ...due(project.id, 10), approvedBy: "local:bo" });

      const all = await other.schedules.open(project.id);

      expect(all.map(({ n }) => n)).toEqual([early, late]);
      expect(all[0]).toEqual({
        ...due(project.id, 10),
        approvedBy: "local:bo",
        n: early,
        state: "waiting",
        pass: null,
        reason: null,
      } satisfies Schedule);
      expect(await other.schedules.due(9, 10)).toEqual([]);
      expect((await other.schedules.due(10, 10)).map(({ n }) => n)).toEqual([early]);
      expect((await other.schedules.due(99, 1)).map(({ n }) => n)).toEqual([early]);
    });

    test("of several who end it one does, and only at the time it had", async () => {
      const { project } = await acme(books, []);
      const n = await books.schedules.add(due(project.id, 10));
      expect(await books.schedules.end(n, 9, "missed", null)).toBe(false);

      const won = await Promise.all(
        [books, other].map(({ schedules }) => schedules.end(n, 10, "refused", "short")),
      );

      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await other.schedules.look(n)).toMatchObject({ state: "refused", reason: "short" });
      expect((await other.schedules.untold()).map((one) => one.n)).toEqual([n]);
      await books.schedules.told(n);
      expect(await other.schedules.untold()).toEqual([]);
      expect(await books.schedules.move(n, 30)).toBe(false);
      expect(await books.schedules.cancel(n)).toBe(false);
    });

    test("what was missed can be given another time, and is told again when it is missed again", async () => {
      const { project } = await acme(books, []);
      const n = await books.schedules.add(due(project.id, 10));
      await books.schedules.end(n, 10, "missed", null);
      await books.schedules.told(n);

      expect(await other.schedules.move(n, 30)).toBe(true);

      expect(await books.schedules.look(n)).toMatchObject({ state: "waiting", at: 30 });
      await books.schedules.end(n, 30, "missed", null);
      expect(await books.schedules.untold()).toHaveLength(1);
      expect(await other.schedules.cancel(n)).toBe(true);
      expect(await books.schedules.open(project.id)).toEqual([]);
    });

    test("becoming a pass is one with its submit: nothing of either without the other", async () => {
      const { project, entries } = await acme(books, ["anna"], { licenses: 0 });
      const n = await books.schedules.add(due(project.id, 10));
      const pass = { ...passOver(project, entries), schedule: n };

      await expect(books.passes.submit(pass)).rejects.toThrow("1 short");
      expect(await books.schedules.look(n)).toMatchObject({ state: "waiting", pass: null });
      await books.licenses.grant(project.id, 1, "test", "order");
      const id = await books.passes.submit(pass);

      expect(await other.schedules.look(n)).toMatchObject({ state: "started", pass: id });
      await expect(other.passes.submit(pass)).rejects.toMatchObject({ name: "TakenError" });
    });

    test("of two processes, each of many due times is claimed once", async () => {
      const names = Array.from({ length: 250 }, (_, at) => `user${at}`);
      const { project, entries } = await acme(books, names, { licenses: 250 });
      const all = await Promise.all(
        entries.map((entry, at) =>
          books.schedules.add({
            ...due(project.id, at),
            request: { kind: "full", limit: null, selection: [entry.source], types: null },
          }),
        ),
      );

      const claims = await Promise.allSettled(
        entries.flatMap((entry, at) =>
          [books, other].map(({ passes }) =>
            passes.submit({ ...passOver(project, [entry]), schedule: all[at]! }),
          ),
        ),
      );

      const lost = claims.filter((one) => one.status === "rejected");
      expect(lost).toHaveLength(250);
      for (const { reason } of lost) expect(reason).toMatchObject({ name: "TakenError" });
      expect(await books.passes.recent(project.id, 500)).toHaveLength(250);
      expect((await books.licenses.balance(project.id)).reserved).toBe(250);
    });
  });
}
