import { describe, expect, test } from "vitest";
import { acme, type OpenBooks } from "./books.ts";
import { opened } from "./opened.ts";

/** What is kept of people and of where they were talked to, whatever keeps it. */
export function conversationsContract(open: OpenBooks): void {
  describe("as books of conversations", () => {
    const books = opened(open);

    test("a role is held in one project, is replaced by the next and taken away", async () => {
      const { project } = await acme(books, []);
      const { people } = books;
      await people.met({ id: "slack:U1", name: "Ana" });
      await people.grant(project.id, "slack:U1", "viewer", "local:owner");
      await people.grant(project.id, "slack:U1", "operator", "slack:U2");

      expect(await people.role(project.id, "slack:U1")).toBe("operator");
      expect(await people.role(project.id, "slack:U2")).toBeNull();
      expect(await people.role(project.id + 1, "slack:U1")).toBeNull();
      expect(await people.projects("slack:U1")).toEqual([project.id]);
      expect(await people.grants(project.id)).toEqual([
        {
          person: "slack:U1",
          name: "Ana",
          role: "operator",
          by: "slack:U2",
          at: books.clock.now(),
        },
      ]);
      await people.grant(project.id, "slack:U1", null, "slack:U2");
      expect(await people.grants(project.id)).toEqual([]);
    });

    test("somebody is called by the newest name, or by the identity", async () => {
      await books.people.met({ id: "slack:U1", name: "Ana" });
      await books.people.met({ id: "slack:U1", name: "Ana Lima" });
      expect(await books.people.name("slack:U1")).toBe("Ana Lima");
      expect(await books.people.name("slack:U9")).toBe("slack:U9");
    });

    test("of ten who see the same event at once, in two processes, one is first", async () => {
      await using other = await books.again();
      const asked = Array.from({ length: 10 }, (_, n) =>
        (n % 2 === 0 ? books : other).inbox.first("slack:Ev1"),
      );
      expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1);
      expect(await other.inbox.first("slack:Ev1")).toBe(false);
      expect(await other.inbox.first("slack:Ev2")).toBe(true);
    });

    test("an event is remembered for a week", async () => {
      await books.inbox.first("slack:Ev1");
      const day = 24 * 60 * 60 * 1000;
      books.clock.set(books.clock.now() + 6 * day);
      expect(await books.inbox.first("slack:Ev1")).toBe(false);
      books.clock.set(books.clock.now() + 2 * day);
      expect(await books.inbox.first("slack:Ev1")).toBe(true);
    });

    test("contacts and posts are the newest of their place and key", async () => {
      await books.contacts.keep("teams:a", "one");
      await books.contacts.keep("teams:a", "two");
      expect(await books.contacts.of("teams:a")).toBe("two");
      expect(await books.contacts.of("teams:b")).toBeNull();
      await books.posts.note("plan:1", "slack:C1:1");
      await books.posts.note("plan:1", "slack:C1:2");
      expect(await books.posts.thread("plan:1")).toBe("slack:C1:2");
      expect(await books.posts.thread("plan:2")).toBeNull();
    });

    test("a channel is told normally until it is set, and a new link changes nothing of that", async () => {
      const { project } = await acme(books, []);
      const { projects } = books;
      expect(await projects.voice("slack:C1")).toBe("normal");
      await projects.link("slack:C1", project.id);
      await projects.setVoice("slack:C1", "quiet");
      await projects.link("slack:C1", project.id);
      expect(await projects.voice("slack:C1")).toBe("quiet");
    });
  });
}
