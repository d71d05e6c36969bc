import { beforeEach, describe, expect, test } from "vitest";
import type { LateMail, LateSums } from "../../engine/domain/late-mail.ts";
import type { Entry, EntryId, Project } from "../../engine/domain/project.ts";
import { hostile } from "../doubles/hostile.ts";
import { type Begun, type Books, begun, carry, counted, item, newEntry } from "./books.ts";

/** Two openings of the same books with a project in them, and what watches a domain of it. */
interface Opened {
  books: Books;
  other: Books;
  project: Project;
  watch(domain: string): Promise<number>;
}

/** What keeps late mail must do, whatever it is. */
export function lateMailContract(opened: () => Opened): void {
  describe("as what is known of late mail", () => {
    let { books, other, project, watch } = {} as Opened;
    let anna: Entry;
    let bo: Entry;
    let n: number;
    beforeEach(async () => {
      ({ books, other, project, watch } = opened());
      const entries = [newEntry("anna"), newEntry("bo")];
      const [first, second] = await books.projects.add(project.id, entries);
      [anna, bo] = [first!, second!];
      n = await watch("acme.example");
    });

    const mail = (entry: EntryId, uid: number, change: Partial<LateMail> = {}): LateMail => ({
      entry,
      folder: "INBOX",
      uidValidity: 1,
      uid,
      at: 100 + uid,
      from: "shop.example",
      ...change,
    });
    const found = (mails: LateMail[], entry = anna, of = n) =>
      books.cutovers.found(of, entry.id, { mails, marks: [] });
    const late = (): Promise<LateSums> => other.cutovers.late(n);
    const waiting = async () => (await late()).waiting;

    test("before any was found there is none", async () => {
      expect(await late()).toEqual({ mails: 0, mailboxes: 0, waiting: 0, lastAt: null, from: [] });
    });

    test("marks are those of the last look, a mailbox's own and a cutover's own", async () => {
      const inbox = { folder: "INBOX", uidValidity: 4_294_967_295, uidNext: 4_294_967_295 };
      const work = { folder: "Work", uidValidity: 7, uidNext: 8 };
      const second = await watch("two.example");
      await books.cutovers.found(n, anna.id, { mails: [], marks: [inbox, work] });
      await books.cutovers.found(n, bo.id, { mails: [], marks: [work] });
      await books.cutovers.found(second, anna.id, { mails: [], marks: [work] });

      await books.cutovers.found(n, anna.id, { mails: [], marks: [inbox] });

      expect(await other.cutovers.marks(n, anna.id)).toEqual([inbox]);
      expect(await other.cutovers.marks(n, bo.id)).toEqual([work]);
      expect(await other.cutovers.marks(second, anna.id)).toEqual([work]);
      expect(await other.cutovers.marks(second, bo.id)).toEqual([]);
    });

    test("mail found twice counts once; in another folder, mailbox or numbering it is another mail", async () => {
      await found([mail(anna.id, 5)]);
      await found([mail(anna.id, 5), mail(anna.id, 6)]);
      expect(await late()).toMatchObject({ mails: 2, mailboxes: 1, lastAt: 106 });

      await found([mail(anna.id, 5, { folder: "Work" }), mail(anna.id, 5, { uidValidity: 2 })]);
      await found([mail(bo.id, 5, { at: 7 })], bo);

      expect(await late()).toMatchObject({ mails: 5, mailboxes: 2, waiting: 5, lastAt: 106 });
    });

    test("the mail of one cutover is none of another's", async () => {
      const second = await watch("two.example");
      await found([mail(anna.id, 5), mail(anna.id, 6)]);
      await found([mail(anna.id, 5)], anna, second);

      expect(await late()).toMatchObject({ mails: 2 });
      expect(await other.cutovers.late(second)).toMatchObject({ mails: 1, lastAt: 105 });
    });

    test("what the ledger holds waits no more: that folder, that numbering and that UID of that mailbox", async () => {
      await found([
        mail(anna.id, 5),
        mail(anna.id, 6),
        mail(anna.id, 5, { uidValidity: 2 }),
        mail(anna.id, 5, { folder: "Work" }),
      ]);
      await found([mail(bo.id, 5)], bo);
      await using run = await begun(books, project, anna);
      expect(await waiting()).toBe(5);

      await carry(books, run, [item(4), item(5)]);
      expect(await waiting(), "the one").toBe(4);
      await refuse(run, 6);
      expect(await waiting(), "one that failed").toBe(4);
      await carry(books, run, [item(5, { targetUid: 2005 })], { uidValidity: 2 });
      expect(await waiting(), "the other numbering").toBe(3);
      const work = await books.ledger.folder(anna.id, "Work", run.fence);
      await carry(books, { ...run, folder: work }, [item(5, { targetUid: 3005 })], {
        folder: work.id,
      });
      expect(await waiting(), "the other folder").toBe(2);

      expect(await late()).toMatchObject({ mails: 5, mailboxes: 2 });
    });

    const refuse = ({ run, folder, fence }: Begun, uid: number) =>
      books.ledger.settle(
        {
          run,
          intent: null,
          folder: folder.id,
          uidValidity: 1,
          items: [],
          failed: [{ uid, reason: "NO" }],
          counters: counted({ listed: 3, migrated: 2, failed: 1 }),
        },
        fence,
      );

    test("mail that was carried before it was found does not wait", async () => {
      await using run = await begun(books, project, anna);
      await carry(books, run, [item(5)]);

      await found([mail(anna.id, 5), mail(anna.id, 6)]);

      expect(await late()).toMatchObject({ mails: 2, waiting: 1 });
    });

    test("it is summed by the domain it came from: most first, then by name, and what has none as well", async () => {
      const from = [null, null, null, "b.example", "a.example", "c.example", "c.example"];
      await found(from.map((domain, at) => mail(anna.id, at + 1, { from: domain })));

      expect((await late()).from).toEqual([
        { domain: null, mails: 3 },
        { domain: "c.example", mails: 2 },
        { domain: "a.example", mails: 1 },
        { domain: "b.example", mails: 1 },
      ]);
    });

    test("of two hundred mails from twenty domains, found by two looks, ten domains are named", async () => {
      const all = (entry: Entry) =>
        Array.from({ length: 100 }, (_, at) =>
          mail(entry.id, at + 1, { from: `d${String(at % 20).padStart(2, "0")}.example` }),
        );
      await found(all(anna));
      await found([...all(anna).slice(50), mail(anna.id, 101, { from: "d19.example" })]);
      await found(all(bo), bo);

      const { from, ...sums } = await late();

      expect(sums).toEqual({ mails: 201, mailboxes: 2, waiting: 201, lastAt: 201 });
      expect(from).toHaveLength(10);
      expect(from.slice(0, 2)).toEqual([
        { domain: "d19.example", mails: 11 },
        { domain: "d00.example", mails: 10 },
      ]);
    });

    test("two looks that end at once are both kept", async () => {
      const marks = [{ folder: "INBOX", uidValidity: 1, uidNext: 9 }];
      const looks = [books, other].map(({ cutovers }, at) =>
        cutovers.found(n, anna.id, { mails: [mail(anna.id, at + 1)], marks }),
      );

      await Promise.all(looks);

      expect(await late()).toMatchObject({ mails: 2 });
      expect(await books.cutovers.marks(n, anna.id)).toEqual(marks);
    });

    test("of domains with as many, those that have none stand in the same place on every database", async () => {
      const from = ["b.example", null, "a.example"];
      await found(from.map((domain, at) => mail(anna.id, at + 1, { from: domain })));

      expect((await late()).from.map(({ domain }) => domain)).toEqual([
        "a.example",
        "b.example",
        null,
      ]);
    });

    test("names of folders that outsiders chose are kept as they are, and stay apart", async () => {
      // No server can name a folder with these two: IMAP has no NUL, and half a pair is no text.
      const names = hostile.filter((name) => !name.includes("\0") && name.isWellFormed());
      const marks = names.map((folder, at) => ({ folder, uidValidity: 1, uidNext: at + 1 }));
      const mails = names.map((folder) => mail(anna.id, 1, { folder, from: folder }));
      await books.cutovers.found(n, anna.id, { mails, marks });

      const kept = await other.cutovers.marks(n, anna.id);

      expect(kept.toSorted((a, b) => a.uidNext - b.uidNext)).toEqual(marks);
      expect(await late()).toMatchObject({ mails: names.length });
      for (const { domain } of (await late()).from) expect(names).toContain(domain);
    });
  });
}
