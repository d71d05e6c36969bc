import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Cutover, NewCutover } from "../../engine/domain/cutover.ts";
import type { MxKnown } from "../../engine/domain/mx.ts";
import type { Project } from "../../engine/domain/project.ts";
import { hostile } from "../doubles/hostile.ts";
import { acme, type Books, type OpenBooks } from "./books.ts";
import { lateMailContract } from "./late-mail.ts";
import { openedTwice } from "./opened.ts";

const known = (at: number, change: Partial<MxKnown> = {}): MxKnown => ({
  phase: "old",
  sight: { at, authoritative: [], resolvers: [], missing: [], aliases: [] },
  changedAt: null,
  oldUntil: 3600,
  stale: [],
  ...change,
});

const watched = (project: number, change: Partial<NewCutover> = {}): NewCutover => ({
  project,
  channel: "local:main",
  person: "local:owner",
  domain: "acme.example",
  old: ["mx.old.example"],
  wanted: [],
  plannedAt: null,
  quietHours: 24,
  at: 1,
  known: known(1),
  dueAt: 10,
  ...change,
});

/** What keeps cutovers must do, whatever it is. */
export function cutoversContract(open: OpenBooks): void {
  describe("as the watch of cutovers", () => {
    // One database for all: each test has a project of its own.
    const [books, other] = openedTwice(open, "all tests");
    let template: Project;
    let own: Project;
    let project: number;
    beforeAll(async () => {
      ({ project: template } = await acme(books, []));
    });
    beforeEach(async (context) => {
      own = await create(context.task.id);
      project = own.id;
    });
    const create = async (name: string) => {
      const { sourceEndpoint, targetEndpoint, policy, zone } = template;
      const ends = { sourceEndpoint: sourceEndpoint.id, targetEndpoint: targetEndpoint.id };
      const made = await books.projects.create({ name, ...ends, policy, zone });
      await books.licenses.grant(made.id, 10, "test", "order 4711");
      return made;
    };
    const both = <T>(work: (books: Books) => Promise<T>) => Promise.all([books, other].map(work));
    const add = (change: Partial<NewCutover> = {}) => books.cutovers.add(watched(project, change));
    const live = async () => (await other.cutovers.live()).map(({ n }) => n);
    const look = async (n: number): Promise<Cutover> => (await other.cutovers.look(n))!;

    test("what is added is there as it was given, and nothing has been asked or said of it", async () => {
      const given = watched(project, {
        wanted: ["mx.new.example", "mx2.new.example"],
        plannedAt: 99,
        known: known(1, { phase: "split", changedAt: 1, stale: [{ server: "a", until: 5 }] }),
      });
      const n = await books.cutovers.add(given);

      expect(await look(n)).toEqual({
        ...given,
        n,
        state: "watching",
        told: "split",
        movedAt: null,
        movedBy: null,
        mailDueAt: null,
        look: null,
        offer: null,
        safeAt: null,
        verdicts: 0,
      } satisfies Cutover);
      expect(await other.cutovers.look(n + 1)).toBeNull();
    });

    test("those of a project are listed by their domains, those of all by their numbers", async () => {
      const second = await create("second");
      const zeta = await add({ domain: "zeta.example" });
      const theirs = await books.cutovers.add(watched(second.id));
      const acmes = await add();

      const opened = (await other.cutovers.open(project)).map(({ n }) => n);

      expect(opened).toEqual([acmes, zeta]);
      expect((await live()).slice(-3)).toEqual([zeta, theirs, acmes]);
    });

    test("a domain is watched once in a project, and anew when that has ended", async () => {
      const first = await add();
      await expect(other.cutovers.add(watched(project))).rejects.toMatchObject({
        name: "UserError",
        message: expect.stringContaining("acme.example is watched already"),
      });
      expect(await live()).toContain(first);

      expect(await both(({ cutovers }) => cutovers.end(first, "ended"))).toContainEqual(false);

      const second = await add();
      expect(await look(first)).toMatchObject({ state: "ended" });
      expect((await other.cutovers.open(project)).map(({ n }) => n)).toEqual([second]);
      expect(await live()).toContain(second);
      expect(await live()).not.toContain(first);
    });

    test("what moved and ended since is known, what was cancelled is not", async () => {
      const [moved, gone, before] = [
        await add(),
        await add({ domain: "b.example" }),
        await add({ domain: "c.example" }),
      ];
      for (const n of [moved, gone]) await books.cutovers.moved(n, 50, null);
      await books.cutovers.end(moved, "ended");
      await other.cutovers.end(gone, "cancelled");
      await books.cutovers.end(before, "ended");

      expect((await other.cutovers.over(project)).map(({ n }) => n)).toEqual([moved]);
      expect(await books.cutovers.open(project)).toEqual([]);
    });

    test("of two processes one asks what is due, and only at the time it was due", async () => {
      const n = await add();
      expect(await books.cutovers.claim(n, "dns", 9, 20), "not then").toBe(false);
      expect(await books.cutovers.claim(n, "mail", 10, 20), "not before the change").toBe(false);

      const dns = await both(({ cutovers }) => cutovers.claim(n, "dns", 10, 70));
      await books.cutovers.moved(n, 80, null);
      const mail = await both(({ cutovers }) => cutovers.claim(n, "mail", 80, 980));

      expect(dns.filter(Boolean)).toHaveLength(1);
      expect(mail.filter(Boolean)).toHaveLength(1);
      expect(await look(n), "the change asks anew").toMatchObject({ dueAt: 80, mailDueAt: 980 });
    });

    test("whoever saw later wins", async () => {
      const n = await add();
      const later = known(20, { phase: "split" });
      expect(await books.cutovers.saw(n, 1, later)).toBe(true);

      // It asked from the same sight on, and its answer came last.
      expect(await other.cutovers.saw(n, 1, known(15))).toBe(false);

      expect(await look(n)).toMatchObject({ known: later, told: "old" });
      expect(await other.cutovers.saw(n, 20, known(30))).toBe(true);
      await books.cutovers.told(n, "split");
      expect(await look(n)).toMatchObject({ known: known(30), told: "split" });
    });

    test("the change is made once, and asks at once for the delta and for a look", async () => {
      const n = await add();

      const moved = await both(({ cutovers }) => cutovers.moved(n, 50, "Anna"));

      expect(moved.filter(Boolean)).toHaveLength(1);
      expect(await books.cutovers.moved(n, 60, null), "once for ever").toBe(false);
      expect(await look(n)).toMatchObject({
        state: "moved",
        movedAt: 50,
        movedBy: "Anna",
        dueAt: 50,
        mailDueAt: 50,
        offer: { n: 1, at: 50, by: null, answeredAt: null },
      });
    });

    test("it is answered once, and asked anew only after an answer", async () => {
      const n = await add();
      expect(await books.cutovers.offer(n, 40), "before the change").toBe(false);
      expect(await books.cutovers.answer(n, "Bo", 40)).toBe(false);
      await books.cutovers.moved(n, 50, null);
      expect(await books.cutovers.offer(n, 55), "unanswered").toBe(false);

      const answers = await both(({ cutovers }) => cutovers.answer(n, "Bo", 60));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await look(n)).toMatchObject({ offer: { n: 1, at: 50, by: "Bo", answeredAt: 60 } });

      const offers = await both(({ cutovers }) => cutovers.offer(n, 70));
      expect(offers.filter(Boolean)).toHaveLength(1);
      expect(await look(n)).toMatchObject({
        offer: { n: 2, at: 70, by: null, answeredAt: null },
      });
    });

    test("a verdict is given and taken back, and each one given is counted", async () => {
      const n = await add();
      expect(await books.cutovers.judge(n, 40, 1), "before the change").toBe(false);
      await books.cutovers.moved(n, 50, null);
      expect(await books.cutovers.judge(n, null, 1), "there is none").toBe(false);

      const given = await both(({ cutovers }) => cutovers.judge(n, 60, 1));
      expect(given.filter(Boolean)).toHaveLength(1);
      expect(await books.cutovers.judge(n, 70, 1), "it is safe already").toBe(false);
      expect(await look(n)).toMatchObject({ safeAt: 60, verdicts: 1 });

      const back = await both(({ cutovers }) => cutovers.judge(n, null, 1));
      expect(back.filter(Boolean)).toHaveLength(1);
      expect(await look(n)).toMatchObject({ safeAt: null, verdicts: 1 });
      expect(await other.cutovers.judge(n, 80, 1)).toBe(true);
      expect(await look(n)).toMatchObject({ safeAt: 80, verdicts: 2 });

      await books.cutovers.saw(n, 1, known(2));
      expect(await other.cutovers.judge(n, null, 1), "more was seen since").toBe(false);
      expect(await look(n)).toMatchObject({ safeAt: 80 });
    });

    test("of one that has ended nothing is asked, seen, moved, offered, answered or judged", async () => {
      const n = await add();
      const late = await add({ domain: "late.example" });
      await books.cutovers.moved(late, 50, null);
      await books.cutovers.answer(late, "Bo", 50);
      const before = await Promise.all([look(n), look(late)]);
      await both(({ cutovers }) =>
        Promise.all([cutovers.end(n, "ended"), cutovers.end(late, "ended")]),
      );

      for (const one of [n, late]) {
        const { dueAt } = await look(one);
        expect(await other.cutovers.claim(one, "dns", dueAt, 99)).toBe(false);
        expect(await other.cutovers.claim(one, "mail", 50, 99)).toBe(false);
        expect(await other.cutovers.saw(one, 1, known(99))).toBe(false);
        expect(await other.cutovers.moved(one, 99, null)).toBe(false);
        expect(await other.cutovers.offer(one, 99)).toBe(false);
        expect(await other.cutovers.answer(one, "Cleo", 99)).toBe(false);
        expect(await other.cutovers.judge(one, 99, 1)).toBe(false);
      }
      expect(await Promise.all([look(n), look(late)])).toEqual(
        before.map((one) => ({ ...one, state: "ended" })),
      );
    });

    test("what outsiders wrote comes back as it was", async () => {
      const n = await add();
      const said = hostile.map((host) => ({ host, preference: 10 }));
      const answer = { server: hostile[0]!, outcome: "answered" as const, hosts: said, ttl: 1 };
      const sight = { ...known(2).sight, authoritative: [answer], missing: hostile };
      const mails = { at: 5, mailboxes: 60, left: null };
      const shown = { ...mails, problems: hostile.map((one) => ({ source: one, reason: one })) };

      await books.cutovers.saw(n, 1, known(2, { sight }));
      await books.cutovers.looked(n, shown);

      expect(await look(n)).toMatchObject({ known: { sight }, look: shown });
    });

    test("of two that watch a domain at once one does, and the other is told so", async () => {
      const both = [books, other].map(({ cutovers }) => cutovers.add(watched(project)));

      const refused = (await Promise.allSettled(both)).filter((one) => one.status === "rejected");

      expect(refused.map(({ reason }) => reason.name)).toEqual(["UserError"]);
    });

    lateMailContract(() => ({ books, other, project: own, watch: (domain) => add({ domain }) }));
  });
}
