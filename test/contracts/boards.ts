import { describe, expect, test } from "vitest";
import { acme, type OpenBooks } from "./books.ts";
import { openedTwice } from "./opened.ts";

/** What boards must do, whatever keeps them. */
export function boardsContract(open: OpenBooks): void {
  describe("as boards", () => {
    const [books, other] = openedTwice(open);

    test("a project has one board, in one channel, until it is taken down", async () => {
      const { project } = await acme(books, []);
      await books.boards.put(project.id, "slack:C1");
      await other.boards.put(project.id, "local:main");

      expect(await books.boards.all()).toEqual([{ project: project.id, channel: "local:main" }]);
      await books.boards.put(project.id, null);
      expect(await other.boards.all()).toEqual([]);
    });

    test("an owner and a tick stand side by side, and a tick can be taken back", async () => {
      const { project } = await acme(books, []);
      const { boards } = books;
      await boards.assign(project.id, "mx", "local:anna");
      await other.boards.tick(project.id, "mx", "local:bo", 42, "seen by hand");
      await boards.tick(project.id, "switch-off", "local:bo", 43, "");

      const mx = { step: "mx", owner: "local:anna" };
      expect(await boards.notes(project.id)).toEqual([
        { ...mx, tickedBy: "local:bo", tickedAt: 42, note: "seen by hand" },
        { step: "switch-off", owner: null, tickedBy: "local:bo", tickedAt: 43, note: "" },
      ]);

      await boards.tick(project.id, "mx", null, 44, "");
      await boards.assign(project.id, "mx", null);
      expect((await other.boards.notes(project.id))[0]).toEqual({
        step: "mx",
        owner: null,
        tickedBy: null,
        tickedAt: null,
        note: "",
      });
    });
  });
}
