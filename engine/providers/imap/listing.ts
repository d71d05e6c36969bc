import type { ListedItem } from "../../domain/item.ts";

const pageLength = 1000;

/** The listing of a folder, kept in columns: a hundred thousand items take a few megabytes. */
export interface Listing {
  add(item: ListedItem): void;
  /** Pages of at most 1,000 by rising UID, each item once; `wanted` limits them to those. */
  pages(wanted: ReadonlySet<number> | null): Generator<ListedItem[]>;
}

/** An empty listing. */
export function listing(): Listing {
  const uids: number[] = [];
  const dates: number[] = [];
  const sizes: number[] = [];
  const deleted: number[] = [];
  /** 0 stands for none: no server counts from there. */
  const modseqs: number[] = [];

  return {
    add(item) {
      uids.push(item.uid);
      dates.push(item.createdAt);
      sizes.push(item.size);
      deleted.push(item.deleted ? 1 : 0);
      modseqs.push(item.modseq ?? 0);
    },
    *pages(wanted) {
      const order = Uint32Array.from(uids.keys());
      order.sort((a, b) => (uids[a] ?? 0) - (uids[b] ?? 0));
      let page: ListedItem[] = [];
      let last = 0;
      for (const at of order) {
        const uid = uids[at] ?? 0;
        if (uid === last || wanted?.has(uid) === false) continue;
        last = uid;
        page.push({
          uid,
          createdAt: dates[at] ?? 0,
          size: sizes[at] ?? 0,
          deleted: deleted[at] === 1,
          modseq: modseqs[at] || null,
        });
        if (page.length < pageLength) continue;
        yield page;
        page = [];
      }
      if (page.length > 0) yield page;
    },
  };
}
