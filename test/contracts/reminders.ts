import { beforeEach, describe, expect, test } from "vitest";
import { acme, type Books, type OpenBooks } from "./books.ts";
import { openedTwice } from "./opened.ts";

type NewReminder = Parameters<Books["reminders"]["add"]>[0];

/** What keeps reminders must do, whatever it is. */
export function remindersContract(open: OpenBooks): void {
  describe("as reminders", () => {
    const [books, other] = openedTwice(open);
    let project: number;
    beforeEach(async () => {
      project = (await acme(books, [])).project.id;
    });

    const weekly = (change: Partial<NewReminder> = {}): NewReminder => ({
      project,
      channel: "local:main",
      person: "local:owner",
      request: { kind: "delta", limit: null, selection: [], types: null },
      recurs: { cron: "0 18 * * 1", typed: "every mon 18:00" },
      auto: false,
      at: 10,
      ...change,
    });

    test("one that has come is asked, is due again, and waits to be told", async () => {
      const n = await books.reminders.add(weekly());
      expect(await other.reminders.due(9, 10)).toEqual([]);
      expect((await other.reminders.due(10, 10)).map((one) => one.n)).toEqual([n]);

      expect(await other.reminders.come(n, 10, 20)).toBe(true);

      expect(await books.reminders.look(n)).toEqual({
        ...weekly({ at: 20 }),
        n,
        state: "asked",
        times: 1,
        unansweredSince: 10,
        folds: false,
        told: false,
      });
      expect((await books.reminders.untold()).map((one) => one.n)).toEqual([n]);
      await books.reminders.told(n, 1);
      expect(await other.reminders.untold()).toEqual([]);
    });

    test("unanswered, the next one folds it in; answered, it begins anew", async () => {
      const n = await books.reminders.add(weekly());
      await books.reminders.come(n, 10, 20);
      await books.reminders.come(n, 20, 30);
      expect(await other.reminders.look(n)).toMatchObject({
        times: 2,
        unansweredSince: 10,
        folds: true,
      });

      expect(await other.reminders.answer(n, null)).toBe(true);

      expect(await books.reminders.look(n)).toMatchObject({ state: "waiting", at: 30 });
      expect(await books.reminders.answer(n, null), "once").toBe(false);
      await books.reminders.come(n, 30, 40);
      expect(await books.reminders.look(n)).toMatchObject({ unansweredSince: 30, folds: false });
    });

    test("one for once ends with its answer, or comes again when it is snoozed", async () => {
      const n = await books.reminders.add(weekly({ recurs: null }));
      await books.reminders.come(n, 10, null);
      expect(await other.reminders.due(99, 10)).toEqual([]);
      expect(await other.reminders.answer(n, 50)).toBe(true);
      expect((await books.reminders.due(50, 10)).map((one) => one.n)).toEqual([n]);
      await books.reminders.come(n, 50, null);
      await books.reminders.answer(n, null);
      expect(await other.reminders.open(project)).toEqual([]);
      expect(await other.reminders.cancel(n)).toBe(false);
    });

    test("of two processes, each of many that are due comes once; by itself, into the calendar", async () => {
      const all: number[] = [];
      for (let at = 1; at <= 250; at += 1) {
        all.push(await books.reminders.add(weekly({ at, auto: at % 2 === 0 })));
      }

      const came = await Promise.all(
        all.flatMap((n, at) =>
          [books, other].map(({ reminders }) => reminders.come(n, at + 1, 1000)),
        ),
      );

      expect(came.filter(Boolean)).toHaveLength(250);
      expect(await other.reminders.untold()).toHaveLength(125);
      expect(await other.schedules.due(1000, 1000)).toHaveLength(125);
    });
  });
}
