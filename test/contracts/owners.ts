import { describe, expect, test } from "vitest";
import { acme, type OpenBooks, own } from "./books.ts";
import { opened } from "./opened.ts";

/** What the locks of entries and seats must do, whatever keeps them. */
export function ownersContract(open: OpenBooks): void {
  describe("as owners", () => {
    const books = opened(open);

    test("an entry has one owner, in this process and beside it", async () => {
      const { entries } = await acme(books, ["anna", "bob"]);
      await using other = await books.again();
      await using owned = await own(books, entries[0]!);

      expect(await books.owners.take(entries[0]!.id)).toBeNull();
      expect(await other.owners.take(entries[0]!.id)).toBeNull();
      await using free = await other.owners.take(entries[1]!.id);

      expect(free).not.toBeNull();
      expect(owned.lost.aborted).toBe(false);
    });

    test("each owner's fence is newer than the one before", async () => {
      const { entries } = await acme(books, ["anna"]);
      const [anna] = entries;
      const first = await own(books, anna!);
      await first[Symbol.asyncDispose]();
      await first[Symbol.asyncDispose]();
      await using other = await books.again();

      await using second = await own(other, anna!);

      expect(second.fence.entry).toBe(anna!.id);
      expect(second.fence.token).toBeGreaterThan(first.fence.token);
    });

    test("of many that ask at once, one gets it", async () => {
      const { entries } = await acme(books, ["anna"]);
      await using other = await books.again();

      const asked = await Promise.all(
        Array.from({ length: 8 }, (_, n) => [books, other][n % 2]!.owners.take(entries[0]!.id)),
      );

      const owners = asked.filter((owned) => owned !== null);
      expect(owners.length).toBeLessThanOrEqual(1);
      for (const owned of owners) await owned[Symbol.asyncDispose]();
    });

    test("closing frees what was held", async () => {
      const { entries } = await acme(books, ["anna"]);
      const other = await books.again();
      await other.owners.take(entries[0]!.id);
      await other.seats.take("narrator-local");
      await other[Symbol.asyncDispose]();

      await using owned = await books.owners.take(entries[0]!.id);
      await using seat = await books.seats.take("narrator-local");

      expect(owned).not.toBeNull();
      expect(seat).not.toBeNull();
    });

    test("a seat has one holder, and the seats do not stand in each other's way", async () => {
      await using other = await books.again();
      await using _engine = await books.seats.take("engine");

      expect(await other.seats.take("engine")).toBeNull();
      await using narrator = await other.seats.take("narrator-local");

      expect(narrator).not.toBeNull();
    });
  });
}
