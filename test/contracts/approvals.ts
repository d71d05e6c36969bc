import { beforeEach, describe, expect, test } from "vitest";
import type { Approval } from "../../engine/domain/approval.ts";
import { acme, type OpenBooks } from "./books.ts";
import { opened } from "./opened.ts";

/** What the book of requests for a second person must do, whatever keeps it. */
export function approvalsContract(open: OpenBooks): void {
  describe("as requests for a second person", () => {
    const books = opened(open);
    let asked: Omit<Approval, "n" | "chosen">;
    beforeEach(async () => {
      const { project } = await acme(books, []);
      asked = {
        project: project.id,
        channel: "local:main",
        person: "local:ana",
        command: {
          name: "licenses add",
          args: ["20"],
          options: [
            ["note", 'order "4711" – für ✉'],
            ["project", ""],
          ],
        },
        bound: "ab".repeat(32),
        told: "20 licenses for acme (order 4711)",
        expiresAt: Date.UTC(2026, 10, 21, 12),
      };
    });

    const approved = { what: "approve", by: "local:bo", at: Date.UTC(2026, 10, 20, 13) } as const;

    test("what is asked waits as it was asked, for every process", async () => {
      await using other = await books.again();
      const n = await books.approvals.ask(asked);
      expect(await other.approvals.look(n)).toEqual({ n, ...asked, chosen: null });
      expect(await books.approvals.look(n + 1)).toBeNull();
    });

    test("numbers rise and are each given once, whoever asks at the same moment", async () => {
      await using other = await books.again();
      const first = await books.approvals.ask(asked);
      const racing = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          [books, other][n % 2]!.approvals.ask({ ...asked, told: `request ${n}` }),
        ),
      );
      expect(new Set(racing).size).toBe(12);
      expect(Math.min(...racing)).toBeGreaterThan(first);
      const told = await Promise.all(racing.map((n) => books.approvals.look(n)));
      expect(told.map((one) => one?.told)).toEqual(racing.map((_, n) => `request ${n}`));
      expect(await books.approvals.ask(asked)).toBeGreaterThan(Math.max(...racing));
    });

    test("of many who choose at the same moment one does, and it is known who, what and when", async () => {
      await using other = await books.again();
      const n = await books.approvals.ask(asked);
      const choices = Array.from({ length: 6 }, (_, each) => ({
        what: each % 2 === 0 ? ("approve" as const) : ("deny" as const),
        by: `local:person-${each}`,
        at: approved.at + each,
      }));

      const won = await Promise.all(
        choices.map((one, each) => [books, other][each % 2]!.approvals.choose(n, one)),
      );

      expect(won.filter(Boolean)).toHaveLength(1);
      const chosen = choices[won.indexOf(true)];
      expect(await books.approvals.look(n)).toEqual({ n, ...asked, chosen });
      expect(await other.approvals.choose(n, approved)).toBe(false);
      expect(await other.approvals.look(n)).toEqual({ n, ...asked, chosen });
    });

    test("a choice is about one request and no other", async () => {
      const [first, second] = [await books.approvals.ask(asked), await books.approvals.ask(asked)];
      expect(await books.approvals.choose(second + 1, approved)).toBe(false);
      expect(await books.approvals.choose(first, approved)).toBe(true);
      expect(await books.approvals.look(second)).toEqual({ n: second, ...asked, chosen: null });
      expect(await books.approvals.choose(second, { ...approved, what: "deny" })).toBe(true);
      expect((await books.approvals.look(first))?.chosen).toEqual(approved);
    });
  });
}
