import type { Ledger, LedgerFolder, Placed } from "../domain/ledger.ts";
import type { EntryId } from "../domain/project.ts";
import type { Target } from "../domain/provider.ts";
import { there } from "./there.ts";

/** A folder's carried items: those that stand where they were put, and those that do not. */
export interface Lost {
  row: LedgerFolder;
  /** Not where they were put: removed or moved there, or their folder was made anew. */
  rows: Placed[];
  present: number;
  /** One of the present. */
  sample: Placed | null;
  /** Of the present: put there by a run. */
  presentOf(run: number): { items: number; bytes: number };
}

/** Compares the ledger of an entry with what stands at the target, by UIDs alone. */
export async function* lost(
  entry: EntryId,
  ledger: Pick<Ledger, "folders" | "placed">,
  target: Target,
): AsyncGenerator<Lost> {
  const listed = new Set((await target.folders()).map(({ path }) => path));
  const known = new Map<string, { uidValidity: number; uids: Set<number> } | null>();
  const standing = async (path: string) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const open = await there(listed.has(path), () => target.open(path));
    const stands =
      open === null ? null : { uidValidity: open.state.uidValidity, uids: await open.uids() };
    known.set(path, stands);
    return stands;
  };
  for (const row of await ledger.folders(entry)) {
    const rows: Placed[] = [];
    const own = new Map<number, { items: number; bytes: number }>();
    let present = 0;
    let sample: Placed | null = null;
    for await (const page of ledger.placed(row.id)) {
      for (const one of page) {
        const folder = await standing(one.target);
        const stands =
          folder !== null &&
          folder.uidValidity === one.targetUidValidity &&
          one.targetUid !== null &&
          folder.uids.has(one.targetUid);
        if (!stands) {
          rows.push(one);
          continue;
        }
        present += 1;
        sample ??= one;
        const sum = own.get(one.run) ?? { items: 0, bytes: 0 };
        own.set(one.run, { items: sum.items + 1, bytes: sum.bytes + one.size });
      }
    }
    if (present + rows.length === 0) continue;
    yield {
      row,
      rows,
      present,
      sample,
      presentOf: (run) => own.get(run) ?? { items: 0, bytes: 0 },
    };
  }
}
