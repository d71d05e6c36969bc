import { mapped } from "../domain/decide.ts";
import type { Folder } from "../domain/item.ts";
import type { LedgerFolder } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { WantedFolder } from "../domain/provider.ts";
import type { Ends } from "./ends.ts";

/** Where source folders went, and what stands at the target. */
export interface Places {
  /** Paths at the target. */
  present: Set<string>;
  /** By source path. */
  kept: Map<string, LedgerFolder>;
}

/** Where the entry's folders went until now. */
export async function placesOf(job: Job, ends: Ends): Promise<Places> {
  const [there, rows] = await Promise.all([ends.target.folders(), ends.ledger.folders(job.entry)]);
  return {
    present: new Set(there.map((folder) => folder.path)),
    kept: new Map(rows.map((row) => [row.source, row])),
  };
}

/**
 * The target folder of a source folder: where it went before, else by the project's map, role or name. One
 * that went somewhere before is not made again here: its owner may have deleted it.
 */
export async function place(
  job: Job,
  ends: Ends,
  folder: Folder,
  row: LedgerFolder,
  places: Places,
): Promise<string> {
  return row.target ?? (await make(job, ends, folder, row, places));
}

/** Makes sure the place stands, now that there is something to put there. */
export async function stand(
  job: Job,
  ends: Ends,
  folder: Folder,
  row: LedgerFolder,
  places: Places,
): Promise<string> {
  if (row.target !== null && places.present.has(row.target)) return row.target;
  row.target = null;
  return make(job, ends, folder, row, places);
}

async function make(
  job: Job,
  ends: Ends,
  folder: Folder,
  row: LedgerFolder,
  places: Places,
): Promise<string> {
  const ruled = mapped(folder.segments, job.filters);
  const others = [...places.kept.values()].filter(
    (one) => one.target !== null && one.id !== row.id,
  );
  const parent = others.find((one) => isParent(one.source, folder));
  const wanted: WantedFolder =
    ruled === null
      ? { segments: folder.segments, role: folder.role, parent: parent?.target ?? null }
      : { segments: ruled, role: null, parent: null };
  // A rule of the project's own may send two folders to one place: that was asked for.
  const taken = new Set(ruled === null ? others.map((one) => one.target ?? "") : []);
  const to = await ends.target.ensure(wanted, taken);
  await ends.ledger.map(row.id, to, ends.fence);
  row.target = to;
  places.present.add(to);
  return to;
}

function isParent(path: string, folder: Folder): boolean {
  const last = folder.segments.at(-1) ?? "";
  return folder.segments.length > 1 && folder.path.slice(0, -(last.length + 1)) === path;
}
