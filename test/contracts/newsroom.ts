import { describe, expect, test } from "vitest";
import { acme, type OpenBooks, passOver } from "./books.ts";
import { opened } from "./opened.ts";

/** What the outbox, the audit, the kept plans and the transcript must do, whatever keeps them. */
export function newsroomContract(open: OpenBooks): void {
  describe("as a newsroom", () => {
    const books = opened(open);

    test("news waits, oldest pass first, until each is delivered", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const first = await books.passes.submit(passOver(project, [entries[0]!]));
      const second = await books.passes.submit(passOver(project, [entries[1]!]));
      await books.passes.control(first, "pause", "local:owner");

      const rows = await books.newsroom.undelivered(10);

      expect(rows.map((row) => [row.pass, row.news.type])).toEqual([
        [first, "pass queued"],
        [first, "pass paused"],
        [second, "pass queued"],
      ]);
      expect(rows[0]?.at).toBe(books.clock.now());
      await books.newsroom.delivered([rows[0]!.id, rows[2]!.id]);
      expect(await books.newsroom.undelivered(10)).toEqual([rows[1]]);
      expect(await books.newsroom.undelivered(0)).toEqual([]);
    });

    test("a pass is live until its end has been told", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      const pass = await books.passes.submit(passOver(project, entries));
      const tell = async () =>
        books.newsroom.delivered((await books.newsroom.undelivered(99)).map((row) => row.id));
      await tell();
      expect(await books.newsroom.live()).toEqual([pass]);

      await books.passes.control(pass, "stop", "local:owner");

      expect(await books.newsroom.live()).toEqual([pass]);
      await tell();
      expect(await books.newsroom.live()).toEqual([]);
    });

    test("a pass remembers its root message", async () => {
      const { project, entries } = await acme(books, ["anna"]);
      const pass = await books.passes.submit(passOver(project, entries));
      expect(await books.newsroom.root(pass)).toBeNull();

      await books.newsroom.posted(pass, "local:main:4");

      expect(await books.newsroom.root(pass)).toBe("local:main:4");
    });
  });

  describe("as what people said and asked", () => {
    const books = opened(open);

    test("the audit tells the newest first, of one project or of all", async () => {
      const { project } = await acme(books, []);
      const line = { who: "local:owner", outcome: "done", reference: null, link: null } as const;
      await books.audit.note({ ...line, project: null, did: "help" });
      await books.audit.note({ ...line, project: project.id, did: "full" });

      const all = await books.audit.recent(null, 10);

      expect(all.map(({ did }) => did)).toEqual(["full", "help"]);
      expect(await books.audit.recent(project.id, 10)).toEqual([
        { ...line, at: books.clock.now(), project: project.id, did: "full" },
      ]);
    });

    test("of two who choose for a plan at the same moment one does, and it is known who", async () => {
      const { project } = await acme(books, []);
      await using other = await books.again();
      const plan = {
        hash: "abc",
        user: "local:owner",
        channel: "local:main",
        project: project.id,
        request: { kind: "prestage", limit: { days: 90 }, selection: ["a*"], types: null },
        expiresAt: 17,
      } as const;
      const kept = {
        ...plan,
        forecast: { entries: [], of: 1 },
        request: { ...plan.request, selection: ["a*"] },
      };
      const n = await books.plans.keep(kept);
      expect(await other.plans.look(n)).toEqual({ n, ...kept, chosen: null });

      const chosen = { what: "start", by: "local:owner", at: 5 } as const;
      const won = await Promise.all([
        books.plans.choose(n, chosen),
        other.plans.choose(n, { ...chosen, by: "local:bo" }),
      ]);

      expect(won.filter(Boolean)).toHaveLength(1);
      const by = won[0] ? "local:owner" : "local:bo";
      expect(await books.plans.look(n)).toEqual({ n, ...kept, chosen: { ...chosen, by } });
      expect(await books.plans.choose(n + 1, chosen)).toBe(false);
      expect(await books.plans.keep(kept)).toBeGreaterThan(n);
    });

    test("a reader who follows the transcript misses no line of two writers", async () => {
      await using other = await books.again();
      const line = {
        kind: "post",
        thread: "local:main:1",
        for: null,
        extra: { key: [1] },
      } as const;
      const extra = { key: [1] };
      expect(await books.transcript.last()).toBe(0);
      const seen: number[] = [];
      let last = 0;
      const writing = Array.from({ length: 30 }, (_, n) =>
        [books, other][n % 2]!.transcript.write({ ...line, extra, text: `line ${n}` }),
      );
      const all = Promise.all(writing);
      let done = false;
      void all.finally(() => {
        done = true;
      });
      while (!done || seen.length < 30) {
        const lines = await books.transcript.after(last, 7);
        seen.push(...lines.map(({ id }) => id));
        last = lines.at(-1)?.id ?? last;
      }

      const written = (await all).map(({ id }) => id).sort((a, b) => a - b);
      expect(seen).toEqual(written);
      expect(await books.transcript.last()).toBe(written.at(-1));
      const [first] = await books.transcript.after(0, 1);
      expect(first).toMatchObject({ ...line, at: books.clock.now() });
    });
  });
}
