import { describe, expect, it } from "vitest";
import { FolderError, UserError } from "../../engine/domain/errors.ts";
import type { Folder, Item, ListedItem } from "../../engine/domain/item.ts";
import type { Address, OpenTarget, Provider, Receipt } from "../../engine/domain/provider.ts";
import { Secret } from "../../engine/domain/secret.ts";

/** A message as the contract puts it into a mailbox by other ways than the provider. */
export interface Delivered {
  body: string;
  flags?: string[];
  /** Milliseconds since 1970, whole seconds. */
  date?: number;
}

/** A mail system with its provider, and a back door to prepare it. */
export interface ProviderWorld extends AsyncDisposable {
  provider: Provider;
  /** How to reach this mailbox; any name will do. */
  address(mailbox: string): Address;
  deliver(mailbox: string, folder: string, messages: Delivered[]): Promise<void>;
  /** Takes a message out of a folder for good. */
  remove(mailbox: string, folder: string, uid: number): Promise<void>;
  /** Moves a message to another folder, as a mail program does. */
  move(mailbox: string, folder: string, uid: number, to: string): Promise<void>;
}

/** What every provider must do, whatever it speaks. */
export function providerContract(name: string, open: () => Promise<ProviderWorld>): void {
  describe(`${name}, as a provider`, () => {
    it("lists folders of the user's own, parents before children, INBOX by its role", async () => {
      await using world = await open();
      await world.deliver("anna", "Work", [letter(1)]);
      await world.deliver("anna", "Work/Deep", [letter(2), letter(3)]);
      await using source = await world.provider.source(world.address("anna"));

      const folders = await source.folders();

      const named = (path: string) => folders.find((folder) => folder.path === path);
      expect(folders.find((folder) => folder.role === "inbox")?.path).toBe("INBOX");
      expect(named("Work/Deep")?.segments).toEqual(["Work", "Deep"]);
      expect(at(folders, "Work")).toBeLessThan(at(folders, "Work/Deep"));
      expect(named("Work/Deep")?.state).toMatchObject({ count: 2, uidNext: 3 });
    });

    it("lists a folder by rising UID, with dates, sizes and what is marked as deleted", async () => {
      await using world = await open();
      const date = Date.UTC(2020, 1, 3, 4, 5, 6);
      await world.deliver("anna", "INBOX", [
        { ...letter(1), date },
        { ...letter(2), flags: ["\\Seen", "\\Deleted"] },
        letter(3),
      ]);
      await using source = await world.provider.source(world.address("anna"));
      const folder = await source.open("INBOX");

      const items = await listed(folder.list());

      expect(items.map(({ uid, deleted }) => [uid, deleted])).toEqual([
        [1, false],
        [2, true],
        [3, false],
      ]);
      expect(items[0]).toMatchObject({ createdAt: date, size: letter(1).body.length });
      expect(folder.state).toMatchObject({ count: 3, uidNext: 4 });
      expect((await listed(folder.list([3, 1, 99]))).map(({ uid }) => uid)).toEqual([1, 3]);
    });

    it("gives pages of at most a thousand, and lets other things be asked between them", async () => {
      await using world = await open();
      const many = Array.from({ length: 1001 }, (_, n) => letter(n + 1));
      await world.deliver("anna", "INBOX", many);
      await using source = await world.provider.source(world.address("anna"));
      const folder = await source.open("INBOX");

      const lengths: number[] = [];
      for await (const page of folder.list()) {
        lengths.push(page.length);
        expect((await readAll(folder.read([page[0]?.uid ?? 0]))).length).toBe(1);
      }

      expect(lengths).toEqual([1000, 1]);
    });

    it("reads items with the same bytes each time, and leaves out what has vanished", async () => {
      await using world = await open();
      await world.deliver("anna", "INBOX", [
        { ...letter(1), flags: ["\\Flagged", "blue"] },
        letter(2),
        letter(3),
      ]);
      await using source = await world.provider.source(world.address("anna"));
      expect(await listed((await source.open("INBOX")).list())).toHaveLength(3);
      await world.remove("anna", "INBOX", 2);
      const folder = await source.open("INBOX");

      const items = await readAll(folder.read([1, 2, 3]));

      expect(items.map(({ uid }) => uid)).toEqual([1, 3]);
      expect(items[0]).toMatchObject({ text: letter(1).body, size: letter(1).body.length });
      expect(items[0]?.flags.toSorted()).toEqual(["\\Flagged", "blue"]);
      expect(await readAll(folder.read([1]))).toEqual(items.slice(0, 1));
    });

    it("tells from which domains items came, and null where it cannot be read", async () => {
      await using world = await open();
      const from = (line: string) => ({ body: `${line}Subject: hello\r\n\r\nText.\r\n` });
      await world.deliver("anna", "INBOX", [
        from("From: Bo <bo@Shop.Example>\r\n"),
        from(""),
        from("From: nobody\r\n"),
        from("From: =?utf-8?Q?B=C3=B6?= <bo@b\u00fccher.example>\r\n"),
        letter(5),
      ]);
      await using source = await world.provider.source(world.address("anna"));
      const folder = await source.open("INBOX");

      const senders = await folder.senders([1, 2, 3, 4, 99]);

      expect(senders.get(1)).toBe("shop.example");
      expect(senders.get(2) ?? null).toBeNull();
      // Dovecot puts MISSING_DOMAIN there.
      expect(senders.get(3) ?? null).toBeNull();
      expect(senders.has(5)).toBe(false);
      expect(senders.has(99)).toBe(false);
      expect((await listed(folder.list([5]))).length).toBe(1);
    });

    it("refuses a folder that is not there, and goes on with others", async () => {
      await using world = await open();
      await using source = await world.provider.source(world.address("anna"));
      await using target = await world.provider.target(world.address("berta"));

      const opening = async (end: { open(path: string): Promise<unknown> }) => end.open("Nowhere");

      await expect(opening(source)).rejects.toBeInstanceOf(FolderError);
      await expect(opening(target)).rejects.toBeInstanceOf(FolderError);
      expect((await source.open("INBOX")).state.count).toBe(0);
      expect((await target.open("INBOX")).state.count).toBe(0);
    });

    it("adds items, answers for each, and can be asked what was stored", async () => {
      await using world = await open();
      await using target = await world.provider.target(world.address("berta"));
      const into = await target.open("INBOX");
      const date = Date.UTC(2019, 4, 6, 7, 8, 9);

      const receipts = await addAll(into, [
        item(11, letter(1).body, { createdAt: date, flags: ["\\Seen", "blue"] }),
        item(12, letter(2).body),
      ]);

      expect(receipts.map(({ uid, outcome }) => [uid, outcome])).toEqual([
        [11, "added"],
        [12, "added"],
      ]);
      const stored = await lookAt(into, into.state.uidNext);
      expect([...stored.values()]).toEqual([letter(1).body, letter(2).body]);
      for (const [nth, receipt] of receipts.entries()) {
        if (receipt.outcome !== "added" || receipt.targetUid === null) continue;
        expect(stored.get(receipt.targetUid)).toBe(letter(nth + 1).body);
      }
      await using check = await world.provider.source(world.address("berta"));
      const [first] = await readAll((await check.open("INBOX")).read([into.state.uidNext]));
      expect(first?.createdAt).toBe(date);
      expect(first?.flags.toSorted()).toEqual(["\\Seen", "blue"]);
    });

    it("looks only at what was stored from a UID up", async () => {
      await using world = await open();
      await world.deliver("berta", "INBOX", [letter(1), letter(2)]);
      await using target = await world.provider.target(world.address("berta"));
      const into = await target.open("INBOX");

      expect((await lookAt(into, into.state.uidNext)).size).toBe(0);
      expect((await lookAt(into, 2)).size).toBe(1);
    });

    it("looks at those alone that are wanted, from the UID up", async () => {
      await using world = await open();
      await world.deliver("berta", "INBOX", [letter(1), letter(2), letter(3), letter(4)]);
      await using target = await world.provider.target(world.address("berta"));
      const into = await target.open("INBOX");

      expect(await lookAt(into, 2, new Set([1, 3, 4, 99]))).toEqual(
        new Map([
          [3, letter(3).body],
          [4, letter(4).body],
        ]),
      );
      // The last message is not looked at for want of another.
      expect((await lookAt(into, 5, new Set([4, 99]))).size).toBe(0);
      expect((await lookAt(into, 1, new Set())).size).toBe(0);
    });

    it("tells the UIDs that stand there now", async () => {
      await using world = await open();
      await using target = await world.provider.target(world.address("berta"));
      const empty = await target.open("INBOX");
      expect(await empty.uids()).toEqual(new Set());
      await world.deliver("berta", "Work", [letter(1), letter(2), letter(3)]);
      const into = await target.open("Work");
      expect(await into.uids()).toEqual(new Set([1, 2, 3]));

      // By others and by itself, while it is open.
      await world.remove("berta", "Work", 2);
      await addAll(into, [item(11, letter(4).body)]);
      await world.deliver("berta", "Work", [letter(5)]);

      expect(await into.uids()).toEqual(new Set([1, 3, 4, 5]));
    });

    it("names an item the same wherever it is moved, and no two alike", async () => {
      await using world = await open();
      // The last two are the same to the byte.
      await world.deliver("anna", "INBOX", [letter(1), letter(2), letter(2)]);
      await world.deliver("anna", "Work", [letter(3)]);
      const names = async (path: string, uids: number[]) => {
        await using source = await world.provider.source(world.address("anna"));
        const folder = await source.open(path);
        const found = await folder.identities(uids);
        const read = await readAll(folder.read(uids));
        const byUid = (items: Iterable<[number, Buffer | null]>) =>
          new Map([...items].map(([uid, name]) => [uid, name?.toString("base64")]));
        // What an item is read with is the same name.
        expect(byUid(read.map(({ uid, identity }) => [uid, identity]))).toEqual(byUid(found!));
        expect([...found!.values()].every((name) => name.length === 16)).toBe(true);
        return byUid(found!);
      };
      const before = await names("INBOX", [1, 2, 3, 99]);
      expect([...before.keys()].toSorted()).toEqual([1, 2, 3]);
      expect([...(await names("INBOX", [2])).keys()]).toEqual([2]);
      const work = await names("Work", [1]);
      expect(new Set([...before.values(), ...work.values()]).size).toBe(4);

      await world.move("anna", "INBOX", 2, "Work");

      expect([...(await names("INBOX", [1, 2, 3])).keys()].toSorted()).toEqual([1, 3]);
      expect(await names("Work", [1, 2])).toEqual(
        new Map([
          [1, work.get(1)],
          [2, before.get(2)],
        ]),
      );
    });

    it("takes no more items than it answers for", async () => {
      await using world = await open();
      await using target = await world.provider.target(world.address("berta"));
      const into = await target.open("INBOX");
      let given = 0;
      async function* items() {
        for (given = 1; given <= 3; given += 1) yield item(given, letter(given).body);
      }

      for await (const receipt of into.add(items())) {
        expect(receipt.uid).toBe(given);
        if (given === 2) break;
      }

      expect((await lookAt(into, into.state.uidNext)).size).toBe(2);
    });

    it("refuses an empty message by itself and goes on with the next", async () => {
      await using world = await open();
      await using target = await world.provider.target(world.address("berta"));
      const into = await target.open("INBOX");

      const receipts = await addAll(into, [item(1, ""), item(2, letter(2).body)]);

      expect(receipts[0]).toMatchObject({ outcome: "refused", uid: 1, full: false });
      expect(receipts[1]).toMatchObject({ outcome: "added", uid: 2 });
    });

    it("makes a folder once, below its parent, and another where the name is taken", async () => {
      await using world = await open();
      await using target = await world.provider.target(world.address("berta"));
      const none = new Set<string>();
      const wanted = { segments: ["Travel"], role: null, parent: null };

      const path = await target.ensure(wanted, none);
      const again = await target.ensure(wanted, none);
      const child = await target.ensure(
        { ...wanted, segments: ["Travel", "Rome"], parent: path },
        none,
      );
      const other = await target.ensure(wanted, new Set([path]));

      expect(again).toBe(path);
      expect(other).not.toBe(path);
      const folders = await target.folders();
      expect(folders.find((folder) => folder.path === child)?.segments).toEqual(["Travel", "Rome"]);
      expect(at(folders, other)).toBeGreaterThanOrEqual(0);
      expect((await target.open(child)).state.count).toBe(0);
    });

    it("finds INBOX by its role, even when it is taken", async () => {
      await using world = await open();
      await using target = await world.provider.target(world.address("berta"));

      const path = await target.ensure(
        { segments: ["INBOX"], role: "inbox", parent: null },
        new Set(["INBOX"]),
      );

      expect(path).toBe("INBOX");
    });

    it("counts a mailbox", async () => {
      await using world = await open();
      await world.deliver("anna", "INBOX", [letter(1)]);
      await world.deliver("anna", "Work", [letter(2), letter(3)]);
      await using source = await world.provider.source(world.address("anna"));

      const survey = await source.survey();

      expect(survey).toMatchObject({ items: 3, types: ["mail"] });
      expect([null, 3 * letter(1).body.length]).toContain(survey.bytes);
    });

    it("refuses a wrong password by naming mailbox and endpoint, without saying the password", async () => {
      await using world = await open();
      const address = world.address("anna");
      const wrong = { ...address, user: "anna", password: new Secret("wrong") };
      wrong.endpoint = { ...wrong.endpoint, login: "user" };

      const login = async () => world.provider.source(wrong);

      const error = await login().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UserError);
      expect(String(error)).toContain("anna");
      expect(String(error)).toContain(address.endpoint.name);
      expect(String(error)).not.toContain("wrong");
    });
  });
}

/** A short message, the same for the same number; numbers below ten give the same length. */
export function letter(n: number): { body: string } {
  return { body: `From: a@old.example\r\nSubject: letter ${n}\r\n\r\nNumber ${n}.\r\n` };
}

/** An item as a source would give it. */
export function item(
  uid: number,
  body: string | Buffer,
  facts: Partial<Pick<Item, "createdAt" | "flags">> = {},
): Item {
  const bytes = Buffer.from(body);
  async function* once() {
    if (bytes.length > 0) yield bytes;
  }
  const createdAt = Date.UTC(2020, 0, 1);
  return {
    uid,
    createdAt,
    flags: [],
    modseq: null,
    identity: null,
    ...facts,
    size: bytes.length,
    body: once(),
  };
}

/** Every receipt for these items. */
export async function addAll(into: OpenTarget, items: Item[]): Promise<Receipt[]> {
  async function* all() {
    yield* items;
  }
  return Array.fromAsync(into.add(all()));
}

/** What stands there from a UID up, as text. */
export async function lookAt(
  into: OpenTarget,
  fromUid: number,
  only?: ReadonlySet<number>,
): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for await (const { uid, body } of into.look(fromUid, only)) found.set(uid, await text(body));
  return found;
}

/** Every item of a listing. */
export async function listed(pages: AsyncIterable<ListedItem[]>): Promise<ListedItem[]> {
  return (await Array.fromAsync(pages)).flat();
}

/** Every item with its bytes as text. */
export async function readAll(
  items: AsyncIterable<Item>,
): Promise<(Omit<Item, "body"> & { text: string })[]> {
  const read = [];
  for await (const { body, ...facts } of items) read.push({ ...facts, text: await text(body) });
  return read;
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(body)).toString("latin1");
}

function at(folders: Folder[], path: string): number {
  return folders.findIndex((folder) => folder.path === path);
}
