import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { FencedError } from "../../engine/domain/errors.ts";
import type { Renumbering, Settled } from "../../engine/domain/ledger.ts";
import type { Fence } from "../../engine/domain/owner.ts";
import {
  acme,
  type Begun,
  type Books,
  begun,
  carry,
  completed,
  counted,
  intend,
  item,
  newsOf,
  type OpenBooks,
} from "./books.ts";
import { opened } from "./opened.ts";

/** What every ledger must do, whatever keeps it. */
export function ledgerContract(open: OpenBooks): void {
  describe("as a ledger", () => {
    const books = opened(open);
    let run: Begun;
    beforeEach(async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      run = await begun(books, project, entries[0]!);
    });

    test("a folder is made once and keeps where it goes", async () => {
      const { ledger } = books;
      await ledger.map(run.folder.id, "Eingang", run.fence);

      const again = await ledger.folder(run.fence.entry, "INBOX", run.fence);

      expect(again).toEqual({ ...run.folder, target: "Eingang" });
      expect(await ledger.folders(run.fence.entry)).toEqual([again]);
    });

    test("a mark is kept until it is taken away", async () => {
      const state = { uidValidity: 4_294_967_295, uidNext: 2, count: 1, highestModseq: 2 ** 52 };
      const mark = { state, listed: 1, filtered: 0, changed: null };
      await books.ledger.mark(run.folder.id, mark, run.fence);
      expect((await books.ledger.folders(run.fence.entry))[0]?.mark).toEqual(mark);

      await books.ledger.mark(run.folder.id, null, run.fence);

      expect((await books.ledger.folders(run.fence.entry))[0]?.mark).toBeNull();
    });

    test("carried items are known by folder, UIDVALIDITY and UID", async () => {
      const last = 4_294_967_295;
      await carry(books, run, [item(1), item(5, { modseq: null }), item(last, { targetUid: 9 })]);

      const { known, carried } = books.ledger;
      expect(await known(run.folder.id, 1, 1, last)).toEqual(
        new Map([
          [1, { run: run.run, modseq: 7 }],
          [5, { run: run.run, modseq: null }],
          [last, { run: run.run, modseq: 7 }],
        ]),
      );
      expect(await known(run.folder.id, 1, 2, 4)).toEqual(new Map());
      expect(await known(run.folder.id, 2, 1, last)).toEqual(new Map());
      expect(await carried(run.folder.id)).toBe(3);
      expect((await books.ledger.folders(run.fence.entry))[0]?.uidValidity).toBe(1);
    });

    test("an intent stands until its batch is settled", async () => {
      const id = await intend(books, run, [1, 2]);
      expect(await books.ledger.intents(run.fence.entry)).toEqual([
        {
          id,
          folder: run.folder.id,
          uidValidity: 1,
          uids: [1, 2],
          target: "INBOX",
          targetUidValidity: 1,
          floor: 1,
          run: run.run,
          repairs: false,
          settlesAt: null,
        },
      ]);
      await books.ledger.hold(run.fence.entry, 700, run.fence);
      await books.ledger.hold(run.fence.entry, 600, run.fence);
      expect((await books.ledger.intents(run.fence.entry))[0]?.settlesAt).toBe(700);

      const counters = counted({ listed: 2, migrated: 1, vanished: 1, bytes: 100 });
      const { run: id2, folder, fence } = run;
      const settlement = { run: id2, intent: id, folder: folder.id, uidValidity: 1, counters };
      await books.ledger.settle({ ...settlement, items: [item(1)], failed: [] }, fence);

      expect(await books.ledger.intents(run.fence.entry)).toEqual([]);
      expect(await books.ledger.counters(run.run, run.folder.id)).toEqual(counters);
    });

    test("a batch of five hundred is settled at once", async () => {
      const items = Array.from({ length: 500 }, (_, n) => item(n + 1));

      await carry(books, run, items);

      expect(await books.ledger.carried(run.folder.id)).toBe(500);
    });

    test("two items that claim one target UID settle nothing of their batch", async () => {
      await carry(books, run, [item(1)]);
      const before = await books.ledger.counters(run.run, run.folder.id);
      const items = [item(2), item(3, { targetUid: 1001 })];

      await expect(
        carry(books, run, items, { counters: counted({ listed: 9 }) }),
      ).rejects.toThrow();

      expect(await books.ledger.carried(run.folder.id)).toBe(1);
      expect(await books.ledger.intents(run.fence.entry)).toHaveLength(1);
      expect(await books.ledger.counters(run.run, run.folder.id)).toEqual(before);
    });

    test("items of servers that tell no UID do not stand in each other's way", async () => {
      const silent = { targetUid: null };

      await carry(books, run, [item(1, silent), item(2, silent)]);

      expect(await books.ledger.carried(run.folder.id)).toBe(2);
    });

    test("failures are kept with their reasons until the item is carried or gone", async () => {
      const { ledger, passes } = books;
      const failed = [1, 2, 3].map((uid) => ({ uid, reason: `refused ${uid}` }));
      const counters = counted({ listed: 3, failed: 3 });
      await carry(books, run, [], { failed, counters });
      await carry(books, run, [], { failed: [{ uid: 2, reason: "refused again" }], counters });
      expect(await ledger.failures(run.folder.id, 1)).toEqual([1, 2, 3]);
      expect(await ledger.failures(run.folder.id, 2)).toEqual([]);
      const told = await passes.failures(run.pass, 10);
      expect(told.find(({ uid }) => uid === 2)).toEqual({
        entry: "anna@old.example",
        folder: "INBOX",
        uid: 2,
        reason: "refused again",
      });

      await carry(books, run, [item(1)]);
      await ledger.forget(run.folder.id, 1, [3], run.fence);

      expect(await ledger.failures(run.folder.id, 1)).toEqual([2]);
      expect(await ledger.hasFailures(run.folder.id)).toBe(true);
      await ledger.forget(run.folder.id, 1, [2], run.fence);
      expect(await ledger.hasFailures(run.folder.id)).toBe(false);
    });

    test("the first failure of a run is news, the others are not", async () => {
      for (const uid of [1, 2]) {
        const failed = [{ uid, reason: `too large ${uid}` }];
        await carry(books, run, [], { failed, counters: counted({ listed: uid, failed: uid }) });
      }

      const news = await newsOf(books, run.pass);

      expect(news.filter(({ type }) => type === "first failure")).toEqual([
        {
          type: "first failure",
          entry: "anna@old.example",
          folder: "INBOX",
          reason: "too large 1",
        },
      ]);
    });

    test("failures found before anything was sent need no intent", async () => {
      const counters = counted({ listed: 1, failed: 1 });
      const failed = [{ uid: 1, reason: "too large" }];

      await carry(books, run, [], { intent: null, failed, counters });

      expect(await books.ledger.failures(run.folder.id, 1)).toEqual([1]);
      expect((await books.ledger.folders(run.fence.entry))[0]?.uidValidity).toBeNull();
    });

    test("a write with an old fence writes nothing", async () => {
      const { ledger, passes, owners } = books;
      const id = await intend(books, run, [1]);
      await run[Symbol.asyncDispose]();
      await using _next = await owners.take(run.fence.entry);
      const before = await everything(books, run);
      const { folder } = run;
      const counters = counted({ listed: 1, migrated: 1 });
      const settlement = { run: run.run, intent: id, folder: folder.id, uidValidity: 1, counters };
      const change = { to: 2, pairs: [], unread: [], run: run.run };
      const intent = {
        ...(await ledger.intents(run.fence.entry))[0]!,
        floor: 99,
      };

      const writes: ((fence: Fence) => Promise<unknown>)[] = [
        (fence) => ledger.settle({ ...settlement, items: [item(1)], failed: [] }, fence),
        (fence) => ledger.folder(fence.entry, "Other", fence),
        (fence) => ledger.map(folder.id, "Other", fence),
        (fence) => ledger.mark(folder.id, null, fence),
        (fence) => ledger.forget(folder.id, 1, [1], fence),
        (fence) => ledger.intend(intent, fence),
        (fence) => ledger.count(run.run, folder.id, counters, fence),
        (fence) => ledger.rematch(folder.id, change, fence),
        (fence) => passes.begin(run.run, fence),
        (fence) => passes.expect(run.run, 5, fence),
        (fence) => passes.wait(run.run, { for: "connection", until: null }, fence),
        (fence) => passes.end(run.run, completed, fence),
      ];
      for (const write of writes) {
        await expect(write(run.fence)).rejects.toThrow(FencedError);
      }

      expect(await everything(books, run)).toEqual(before);
    });

    test("a fence of one entry writes nothing into another's ledger", async () => {
      const bob = (await books.projects.list())[0]!;
      const [, other] = await books.projects.entries(bob.id);
      await using owned = await books.owners.take(other!.id);

      await expect(books.ledger.map(run.folder.id, "Elsewhere", owned!.fence)).rejects.toThrow();

      expect((await books.ledger.folders(run.fence.entry))[0]?.target).toBeNull();
    });

    test("target UIDs that carried rows claim are known from the floor up", async () => {
      await carry(books, run, [item(1), item(2), item(3, { targetUid: null })]);
      const { claimed } = books.ledger;

      expect(await claimed(run.fence.entry, "INBOX", 1, 1)).toEqual(new Set([1001, 1002]));
      expect(await claimed(run.fence.entry, "INBOX", 1, 1002)).toEqual(new Set([1002]));
      expect(await claimed(run.fence.entry, "INBOX", 2, 1)).toEqual(new Set());
      expect(await claimed(run.fence.entry, "Other", 1, 1)).toEqual(new Set());
    });

    test("carried twins are counted whose claims went with the target's old numbers", async () => {
      const fingerprint = randomBytes(16);
      await carry(books, run, [
        item(1, { fingerprint }),
        item(2, { fingerprint }),
        item(3, { fingerprint, targetUid: null }),
        item(4),
      ]);
      const { twins } = books.ledger;

      // A row that was told no UID stands there under the old numbers like the others.
      expect(await twins(run.fence.entry, "INBOX", fingerprint, 2)).toBe(3);
      expect(await twins(run.fence.entry, "INBOX", fingerprint, 1)).toBe(0);
    });

    test("what was carried under other numbers is what a re-match starts from", async () => {
      const { ledger } = books;
      const items = [item(1), item(2), item(9)];
      await carry(books, run, items);
      expect(await ledger.unmatched(run.folder.id, 1)).toEqual([]);

      const pairs = [{ old: { uidValidity: 1, uid: 2 }, uid: 1 }];
      await ledger.rematch(run.folder.id, renumbering(run, 50, pairs), run.fence);

      const left = [items[0]!, items[2]!].map(({ uid, fingerprint }) => ({
        uidValidity: 1,
        uid,
        fingerprint,
      }));
      expect(await ledger.unmatched(run.folder.id, 50)).toEqual(left);
      expect(await ledger.unmatched(run.folder.id, 51)).toHaveLength(3);
    });

    test("what could not be read when a folder was numbered anew has failed until it is found again", async () => {
      const { ledger } = books;
      const { folder, fence } = run;
      await carry(books, run, [item(1), item(2)]);
      const unread = [
        { uid: 7, reason: "refused" },
        { uid: 8, reason: "refused" },
      ];
      await ledger.rematch(folder.id, { ...renumbering(run, 50, []), unread }, fence);
      expect(await ledger.failures(folder.id, 50)).toEqual([7, 8]);

      const pairs = [{ old: { uidValidity: 1, uid: 2 }, uid: 8 }];
      await ledger.rematch(folder.id, renumbering(run, 50, pairs), fence);

      expect(await ledger.failures(folder.id, 50)).toEqual([7]);
      expect([...(await ledger.known(folder.id, 50, 1, 10)).keys()]).toEqual([8]);
    });

    test("what nobody can judge of a batch stays in doubt, the rest is settled", async () => {
      const { ledger } = books;
      const { folder, fence } = run;
      const id = await intend(books, run, [1, 2, 3]);
      const [before] = await ledger.intents(fence.entry);
      const failed = [{ uid: 3, reason: "it may stand there" }];
      await ledger.settle(
        {
          ...{ run: run.run, intent: id, folder: folder.id, uidValidity: 1, counters: counted({}) },
          ...{ items: [item(1)], failed, stays: [3] },
        },
        fence,
      );

      expect(await ledger.intents(fence.entry)).toEqual([{ ...before, uids: [3] }]);
      expect([...(await ledger.known(folder.id, 1, 1, 9)).keys()]).toEqual([1]);
      expect(await ledger.failures(folder.id, 1)).toEqual([3]);
    });

    test("what stays in doubt is looked for from where the target stood when it was asked", async () => {
      const { ledger } = books;
      const { folder, fence } = run;
      const id = await intend(books, run, [1, 2]);
      const [before] = await ledger.intents(fence.entry);
      const asked = { targetUidValidity: 77, floor: 9 };
      const settlement = { run: run.run, intent: id, folder: folder.id, uidValidity: 1 };
      const nothing = { items: [], failed: [], counters: counted({}) };
      await ledger.settle({ ...settlement, ...nothing, stays: [2], asked }, fence);
      await ledger.settle({ ...settlement, ...nothing, stays: [2] }, fence);

      expect(await ledger.intents(fence.entry)).toEqual([{ ...before, uids: [2], ...asked }]);
    });

    test("renumbered rows stand under the new UIDVALIDITY; the others stay where they were", async () => {
      const { ledger } = books;
      const failed = [{ uid: 9, reason: "refused" }];
      await carry(books, run, [item(1), item(2), item(3)], { failed });
      const state = { uidValidity: 1, uidNext: 4, count: 3, highestModseq: null };
      await ledger.mark(run.folder.id, { state, listed: 3, filtered: 0, changed: null }, run.fence);

      const pairs = [
        { old: { uidValidity: 1, uid: 1 }, uid: 2 },
        { old: { uidValidity: 1, uid: 2 }, uid: 1 },
      ];
      await ledger.rematch(run.folder.id, renumbering(run, 50, pairs), run.fence);

      expect([...(await ledger.known(run.folder.id, 50, 1, 10)).keys()].sort()).toEqual([1, 2]);
      expect([...(await ledger.known(run.folder.id, 1, 1, 10)).keys()]).toEqual([3]);
      expect(await ledger.carried(run.folder.id)).toBe(3);
      expect(await ledger.hasFailures(run.folder.id)).toBe(false);
      expect((await ledger.folders(run.fence.entry))[0]).toMatchObject({
        uidValidity: 50,
        mark: null,
      });
    });

    test("a server that goes back to old numbers loses no row", async () => {
      const { ledger } = books;
      await carry(books, run, [item(1), item(2)]);
      const there = [{ old: { uidValidity: 1, uid: 1 }, uid: 1 }];
      await ledger.rematch(run.folder.id, renumbering(run, 50, there), run.fence);

      const back = [{ old: { uidValidity: 50, uid: 1 }, uid: 2 }];
      await ledger.rematch(run.folder.id, renumbering(run, 1, back), run.fence);

      expect(await ledger.carried(run.folder.id)).toBe(2);
    });

    test("what was carried tells where it went, with the flags it was sent with", async () => {
      const { ledger } = books;
      const { folder, fence } = run;
      const plain = item(2);
      const flagged = item(5, { flags: ["\\Seen", "$Forwarded", "blue"], targetUid: null });
      // Settled in no order of their own.
      await carry(books, run, [flagged]);
      await carry(books, run, [plain]);
      const work = await ledger.folder(fence.entry, "Work", fence);
      await carry(books, { ...run, folder: work }, [item(1, { targetUid: 7 })]);

      const [page, ...rest] = await Array.fromAsync(ledger.placed(folder.id));

      expect(rest).toEqual([]);
      const at = { run: run.run, uidValidity: 1, target: "INBOX", targetUidValidity: 1, size: 100 };
      expect(page).toEqual([
        { ...at, uid: 2, fingerprint: plain.fingerprint, flags: [], targetUid: 1002 },
        { ...at, uid: 5, fingerprint: flagged.fingerprint, flags: flagged.flags, targetUid: null },
      ]);
    });

    test("what was carried under old numbers is told of too, before the new", async () => {
      const { ledger } = books;
      const { folder, fence } = run;
      await carry(books, run, [item(1), item(2), item(9)]);
      const pairs = [{ old: { uidValidity: 1, uid: 2 }, uid: 1 }];
      await ledger.rematch(folder.id, renumbering(run, 50, pairs), fence);
      await carry(books, run, [item(2, { targetUid: 3000 })], { uidValidity: 50 });

      const rows = (await Array.fromAsync(ledger.placed(folder.id))).flat();

      expect(rows.map(({ uidValidity, uid, targetUid }) => [uidValidity, uid, targetUid])).toEqual([
        [1, 1, 1001],
        [1, 9, 1009],
        [50, 1, 1002],
        [50, 2, 3000],
      ]);
    });

    test("more than a page of carried items comes whole, each once", async () => {
      const { ledger } = books;
      const { folder, fence } = run;
      const items = Array.from({ length: 1100 }, (_, n) => item(n + 1));
      for (let start = 0; start < items.length; start += 500) {
        await carry(books, run, items.slice(start, start + 500));
      }
      // The first page ends among the rows of the new numbers.
      const pairs = Array.from({ length: 300 }, (_, n) => ({
        old: { uidValidity: 1, uid: n + 801 },
        uid: n + 1,
      }));
      await ledger.rematch(folder.id, renumbering(run, 50, pairs), fence);

      const pages = await Array.fromAsync(ledger.placed(folder.id));

      expect(pages.map((page) => page.length)).toEqual([1000, 100]);
      expect(pages.flat().map(({ targetUid }) => targetUid)).toEqual(
        items.map(({ targetUid }) => targetUid),
      );
    });

    test("identities of everything an entry has carried are known, and how many have none", async () => {
      const { ledger } = books;
      const { fence } = run;
      const [one, two] = [randomBytes(16), randomBytes(16)];
      expect(await ledger.identities(fence.entry)).toEqual({ known: new Set(), without: 0 });
      await carry(books, run, [item(1, { identity: one }), item(2), item(3, { identity: two })]);
      const work = await ledger.folder(fence.entry, "Work", fence);
      const elsewhere = [item(1, { targetUid: 7, identity: two }), item(2, { targetUid: 8 })];
      await carry(books, { ...run, folder: work }, elsewhere);

      expect(await ledger.identities(fence.entry)).toEqual({
        known: new Set([one.toString("base64"), two.toString("base64")]),
        without: 2,
      });
      const [{ id } = { id: 0 }] = await books.projects.list();
      const [, bob] = await books.projects.entries(id);
      expect(await ledger.identities(bob!.id)).toEqual({ known: new Set(), without: 0 });
    });

    test("failed items of a folder are counted, under whatever numbers", async () => {
      const { ledger } = books;
      const { folder, fence } = run;
      const counters = counted({ listed: 3, failed: 3 });
      const refused = (...uids: number[]) => uids.map((uid) => ({ uid, reason: "refused" }));
      expect(await ledger.failed(folder.id)).toBe(0);
      await carry(books, run, [], { failed: refused(1, 2), counters });
      await carry(books, run, [], { failed: refused(2), counters });
      await carry(books, run, [], { failed: refused(2), counters, uidValidity: 2 });
      expect(await ledger.failed(folder.id)).toBe(3);

      await carry(books, run, [item(1)]);
      await ledger.forget(folder.id, 2, [2], fence);

      expect(await ledger.failed(folder.id)).toBe(1);
    });

    test("rows of what was put back stand for the new copies", async () => {
      const { ledger, passes } = books;
      await carry(books, run, [item(1), item(2)]);
      await passes.end(run.run, completed, run.fence);
      await run[Symbol.asyncDispose]();
      const [project] = await books.projects.list();
      const [anna] = await books.projects.entries(project!.id);
      await using repair = await begun(books, project!, anna!, { kind: "repair", license: "none" });
      const copy = item(1, { targetUidValidity: 9, targetUid: 4, flags: ["\\Seen"] });

      await putBack(books, repair, [copy]);

      const rows = (await Array.fromAsync(ledger.placed(repair.folder.id))).flat();
      expect(rows).toMatchObject([
        { run: repair.run, uid: 1, targetUidValidity: 9, targetUid: 4, flags: ["\\Seen"] },
        { run: run.run, uid: 2, targetUidValidity: 1, targetUid: 1002, flags: [] },
      ]);
      expect(rows[0]?.fingerprint.equals(copy.fingerprint)).toBe(true);
      expect(await ledger.intents(repair.fence.entry)).toEqual([]);
      // Nothing claims the old copy now, and something does the new one.
      expect(await ledger.claimed(repair.fence.entry, "INBOX", 1, 1)).toEqual(new Set([1002]));
      expect(await ledger.claimed(repair.fence.entry, "INBOX", 9, 1)).toEqual(new Set([4]));
      await carry(books, repair, [item(3, { targetUid: 1001 })]);
      const twice = item(5, { targetUidValidity: 9, targetUid: 4 });
      await expect(carry(books, repair, [twice])).rejects.toThrow();
    });

    test("what is put back cannot stand for a copy that another row claims", async () => {
      await carry(books, run, [item(1), item(2)]);

      await expect(putBack(books, run, [item(1, { targetUid: 1002 })])).rejects.toThrow();

      expect(await books.ledger.claimed(run.fence.entry, "INBOX", 1, 1)).toEqual(
        new Set([1001, 1002]),
      );
    });

    test("an item that is carried already is refused with its batch, where nothing is put back", async () => {
      await carry(books, run, [item(1), item(2)]);
      const before = await everything(books, run);
      const [rows] = await Array.fromAsync(books.ledger.placed(run.folder.id));
      const items = [item(3), item(1, { targetUid: 5001 })];
      const failed = [{ uid: 4, reason: "refused" }];

      const again = carry(books, run, items, { failed, counters: counted({ listed: 9 }) });
      await expect(again).rejects.toThrow();

      const [intent] = await books.ledger.intents(run.fence.entry);
      expect(intent).toMatchObject({ uids: [3, 1], repairs: false });
      expect(await everything(books, run)).toEqual({ ...before, intents: [intent] });
      expect(await Array.fromAsync(books.ledger.placed(run.folder.id))).toEqual([rows]);
      expect(await books.ledger.failed(run.folder.id)).toBe(0);
    });
  });
}

/** A folder numbered anew, of which everything could be read. */
function renumbering({ run }: Begun, to: number, pairs: Renumbering["pairs"]): Renumbering {
  return { to, pairs, unread: [], run };
}

/** Settles these in place of the rows that are there. */
async function putBack(books: Books, { run, fence, folder }: Begun, items: Settled[]) {
  const intent = await books.ledger.intend(
    {
      folder: folder.id,
      uidValidity: 1,
      uids: items.map(({ uid }) => uid),
      target: "INBOX",
      targetUidValidity: 1,
      floor: 1,
      run,
      repairs: true,
    },
    fence,
  );
  expect((await books.ledger.intents(fence.entry)).at(-1)?.repairs).toBe(true);
  const counters = counted({ listed: items.length, migrated: items.length });
  await books.ledger.settle(
    { run, intent, folder: folder.id, uidValidity: 1, items, failed: [], counters },
    fence,
  );
}

/** What a reader can see of a run and its ledger. */
async function everything(books: Books, { run, pass, fence, folder }: Begun) {
  const { ledger, passes } = books;
  return {
    folders: await ledger.folders(fence.entry),
    intents: await ledger.intents(fence.entry),
    carried: await ledger.carried(folder.id),
    counters: await ledger.counters(run, folder.id),
    pass: await passes.snapshot(pass),
    news: await newsOf(books, pass),
  };
}
