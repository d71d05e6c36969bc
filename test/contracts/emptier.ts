import { describe, expect, it } from "vitest";
import type { Emptiers, OpenEmptier, Standing } from "../../engine/domain/emptying.ts";
import { FolderError } from "../../engine/domain/errors.ts";
import type { Address } from "../../engine/domain/provider.ts";
import { type Delivered, letter } from "./provider.ts";

/** A mail system that can be removed from, with a back door. */
export interface EmptierWorld extends AsyncDisposable {
  emptiers: Emptiers;
  /** How to reach this mailbox; any name will do. */
  address(mailbox: string): Address;
  /** Numbered from 1 in a folder that is new. */
  deliver(mailbox: string, folder: string, messages: Delivered[]): Promise<void>;
  /** Gives a message these flags and no other, as another connection does. */
  flag(mailbox: string, folder: string, uid: number, flags: string[]): Promise<void>;
  /** Takes a message out of a folder for good. */
  remove(mailbox: string, folder: string, uid: number): Promise<void>;
  /** What stands in a folder: the flags of each, by UID. */
  standing(mailbox: string, folder: string): Promise<Map<number, string[]>>;
}

/** What everything must do that removes. */
export function emptierContract(name: string, open: () => Promise<EmptierWorld>): void {
  describe(`${name}, to remove from`, () => {
    it("reads what is asked for and stands there, each once, with its flags and bytes", async () => {
      await using world = await open();
      await world.deliver("berta", "Work", [
        letter(1),
        { ...letter(2), flags: ["\\Seen", "blue"] },
        { ...letter(3), flags: ["\\Deleted"] },
        letter(4),
      ]);
      await using emptier = await world.emptiers.emptier(world.address("berta"));
      const folder = await emptier.open("Work");

      const found = await readAll(folder, [3, 2, 2, 99]);

      expect(found.map(({ uid, flags, text }) => [uid, flags, text])).toEqual([
        [2, ["\\Seen", "blue"], letter(2).body],
        [3, ["\\Deleted"], letter(3).body],
      ]);
      expect(folder.state).toMatchObject({ count: 4, uidNext: 5 });
      expect(await readAll(folder, [])).toEqual([]);
      // Reading is no change.
      expect((await world.standing("berta", "Work")).get(1)).toEqual([]);
    });

    it("removes those asked for and no other, and says which are gone", async () => {
      await using world = await open();
      await world.deliver("berta", "INBOX", [letter(1), letter(2)]);
      await world.deliver("berta", "Work", [letter(1), letter(2), letter(3), letter(4), letter(5)]);
      await using emptier = await world.emptiers.emptier(world.address("berta"));
      expect((await emptier.folders()).map(({ path }) => path)).toContain("Work");
      const folder = await emptier.open("Work");
      const [first, third, fifth] = await readAll(folder, [1, 3, 5]);
      await world.remove("berta", "Work", 5);

      const gone = await folder.remove([third!, first!, fifth!]);

      expect([...gone].filter((uid) => uid !== 5).toSorted()).toEqual([1, 3]);
      expect([...(await world.standing("berta", "Work")).keys()]).toEqual([2, 4]);
      expect([...(await world.standing("berta", "INBOX")).keys()]).toEqual([1, 2]);
      expect(await folder.remove([])).toEqual(new Set());
      expect([...(await world.standing("berta", "Work")).keys()]).toEqual([2, 4]);
    });

    it("leaves what others have marked as deleted", async () => {
      await using world = await open();
      const marked = { flags: ["\\Deleted", "\\Seen"] };
      await world.deliver("berta", "INBOX", [
        { ...letter(1), ...marked },
        letter(2),
        { ...letter(3), ...marked },
        letter(4),
      ]);
      await using emptier = await world.emptiers.emptier(world.address("berta"));
      const folder = await emptier.open("INBOX");
      const wanted = await readAll(folder, [2, 3]);
      // Marked while it is open, too.
      await world.flag("berta", "INBOX", 4, ["\\Deleted"]);

      expect(await folder.remove(wanted)).toEqual(new Set([2, 3]));

      expect(await world.standing("berta", "INBOX")).toEqual(
        new Map([
          [1, ["\\Deleted", "\\Seen"]],
          [4, ["\\Deleted"]],
        ]),
      );
    });

    it("leaves one that changed after it was read, as it is then", async () => {
      await using world = await open();
      await world.deliver("berta", "INBOX", [letter(1), letter(2), letter(3)]);
      await using emptier = await world.emptiers.emptier(world.address("berta"));
      const folder = await emptier.open("INBOX");
      const read = await readAll(folder, [1, 2, 3]);
      await world.flag("berta", "INBOX", 2, ["\\Flagged"]);

      expect(await folder.remove(read)).toEqual(new Set([1, 3]));

      expect(await world.standing("berta", "INBOX")).toEqual(new Map([[2, ["\\Flagged"]]]));
      // Read again, it can be.
      expect(await folder.remove(await readAll(folder, [2]))).toEqual(new Set([2]));
      expect((await world.standing("berta", "INBOX")).size).toBe(0);
    });

    it("leaves one that somebody marked as deleted after it was read", async () => {
      await using world = await open();
      await world.deliver("berta", "INBOX", [letter(1), letter(2)]);
      await using emptier = await world.emptiers.emptier(world.address("berta"));
      const folder = await emptier.open("INBOX");
      const read = await readAll(folder, [1, 2]);
      await world.flag("berta", "INBOX", 2, ["\\Deleted"]);

      expect(await folder.remove(read)).toEqual(new Set([1]));

      expect(await world.standing("berta", "INBOX")).toEqual(new Map([[2, ["\\Deleted"]]]));
    });

    it("leaves one that changed before another was read", async () => {
      await using world = await open();
      await world.deliver("berta", "INBOX", [letter(1), letter(2)]);
      await using emptier = await world.emptiers.emptier(world.address("berta"));
      const folder = await emptier.open("INBOX");
      const [first] = await readAll(folder, [1]);
      await world.flag("berta", "INBOX", 1, ["\\Seen"]);
      await world.flag("berta", "INBOX", 2, ["\\Seen"]);
      const [second] = await readAll(folder, [2]);

      expect(await folder.remove([first!, second!])).toEqual(new Set([2]));

      expect(await world.standing("berta", "INBOX")).toEqual(new Map([[1, ["\\Seen"]]]));
    });

    it("removes every other one of hundreds", async () => {
      await using world = await open();
      const many = Array.from({ length: 600 }, (_, n) => letter(n + 1));
      await world.deliver("berta", "INBOX", many);
      await using emptier = await world.emptiers.emptier(world.address("berta"));
      const folder = await emptier.open("INBOX");
      const odd = many.map((_, n) => n + 1).filter((uid) => uid % 2 === 1);

      const gone = await folder.remove(await readAll(folder, odd));

      expect([...gone].toSorted((a, b) => a - b)).toEqual(odd);
      const left = [...(await world.standing("berta", "INBOX")).keys()];
      expect(left).toEqual(odd.map((uid) => uid + 1));
    });

    it("refuses a folder that is not there, and goes on with others", async () => {
      await using world = await open();
      await world.deliver("berta", "INBOX", [letter(1)]);
      await using emptier = await world.emptiers.emptier(world.address("berta"));

      await expect(emptier.open("Nowhere")).rejects.toBeInstanceOf(FolderError);

      expect((await emptier.open("INBOX")).state.count).toBe(1);
    });
  });
}

/** These as they stand, with their bytes as text. */
export async function readAll(
  folder: OpenEmptier,
  uids: number[],
): Promise<(Omit<Standing, "body"> & { text: string })[]> {
  const found = [];
  for await (const { body, flags, ...facts } of folder.read(uids)) {
    const text = Buffer.concat(await Array.fromAsync(body)).toString("latin1");
    found.push({ ...facts, flags: flags.toSorted(), text });
  }
  return found;
}
