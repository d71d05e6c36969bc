import type { Emptied, Emptier, Emptiers, Emptying, OpenEmptier } from "./domain/emptying.ts";
import { UserError } from "./domain/errors.ts";
import { exactFingerprinter, type Item, tolerantFingerprinter } from "./domain/item.ts";
import type { Ledger, LedgerFolder, Placed } from "./domain/ledger.ts";
import type { Owned, Owners } from "./domain/owner.ts";
import type { Entry, Projects } from "./domain/project.ts";
import type { Address, OpenSource, Provider, Source } from "./domain/provider.ts";
import { chunks } from "./pass/rematch.ts";

export interface EmptyingParts {
  ledger: Ledger;
  projects: Pick<Projects, "addresses" | "entry">;
  owners: Owners;
  providers: Record<Address["endpoint"]["provider"], Provider>;
  emptiers: Record<Address["endpoint"]["provider"], Emptiers>;
}

/**
 * Removes a message only where all of this holds: a ledger says we wrote it there under that UID; the old system
 * still has it; its content and flags are as they were written; nobody changed it since we looked.
 */
export function makeEmptying(parts: EmptyingParts): Emptying {
  return {
    look: (entry) => alone(entry, false, parts),
    empty: (entry) => alone(entry, true, parts),
  };
}

async function alone(entry: Entry, remove: boolean, parts: EmptyingParts): Promise<Emptied> {
  await using owned = await parts.owners.take(entry.id);
  if (owned === null) {
    throw new UserError(
      `${entry.source} is in use by a pass; nothing was removed. Wait for it, or type \`stop\`.`,
    );
  }
  return await emptyMailbox(entry, remove, owned, parts);
}

async function emptyMailbox(
  entry: Entry,
  remove: boolean,
  owned: Owned,
  parts: EmptyingParts,
): Promise<Emptied> {
  const { projects, providers, emptiers } = parts;
  const ends = await projects.addresses(entry.id);
  await using source = await providers[ends.source.endpoint.provider].source(ends.source);
  await using emptier = await emptiers[ends.target.endpoint.provider].emptier(ends.target);
  const emptied: Emptied = { removed: 0, onlyHere: 0, touched: 0, left: 0 };
  const work: Work = { source, emptier, remove, emptied, lost: owned.lost };
  for (const one of await sameMailbox(entry, parts)) await emptyOf(one, work, parts);
  for (const { path } of await emptier.folders()) {
    emptied.left += (await emptier.open(path)).state.count;
  }
  if (!remove) emptied.left -= emptied.removed;
  return emptied;
}

/** The entry, and those before it that were carried into the same mailbox. */
async function sameMailbox(entry: Entry, { projects }: EmptyingParts): Promise<Entry[]> {
  const all = [entry];
  for (let { succeeds } = entry; succeeds !== null; ) {
    const before: Entry = await projects.entry(succeeds);
    if (before.target.toLowerCase() === entry.target.toLowerCase()) all.push(before);
    succeeds = before.succeeds;
  }
  return all;
}

/** One emptying under way. */
interface Work {
  source: Source;
  emptier: Emptier;
  remove: boolean;
  emptied: Emptied;
  lost: AbortSignal;
}

async function emptyOf(entry: Entry, work: Work, { ledger }: EmptyingParts): Promise<void> {
  const { source, emptier } = work;
  const there = new Set((await emptier.folders()).map(({ path }) => path));
  const listed = new Set((await source.folders()).map(({ path }) => path));
  for (const row of await ledger.folders(entry.id)) {
    const open = listed.has(row.source) ? await source.open(row.source) : null;
    const still = await stillThere(row, open);
    for await (const page of ledger.placed(row.id)) {
      for (const [path, rows] of Map.groupBy(page, ({ target }) => target)) {
        // Whoever removed the folder removed what was in it.
        if (!there.has(path)) continue;
        const into = await emptier.open(path);
        for (const some of chunks(rows, 100)) {
          if (work.lost.aborted) throw new UserError("Another engine took the mailbox over.");
          await emptySome(some, still, into, open, work);
        }
      }
    }
  }
}

/** UIDs of the folder that the old system still has under the numbers the ledger knows. */
async function stillThere(row: LedgerFolder, open: OpenSource | null): Promise<Set<number>> {
  const uids = new Set<number>();
  if (open === null || row.uidValidity !== open.state.uidValidity) return uids;
  for await (const page of open.list()) {
    for (const { uid, deleted } of page) if (!deleted) uids.add(uid);
  }
  return uids;
}

async function emptySome(
  rows: Placed[],
  still: Set<number>,
  into: OpenEmptier,
  open: OpenSource | null,
  { remove: removes, emptied }: Work,
): Promise<void> {
  const safe = new Map<number, Placed>();
  for (const row of rows) {
    if (row.targetUid === null || row.targetUidValidity !== into.state.uidValidity) {
      emptied.touched += 1;
    } else if (row.uidValidity !== open?.state.uidValidity || !still.has(row.uid)) {
      emptied.onlyHere += 1;
    } else safe.set(row.targetUid, row);
  }
  const remove: { uid: number; modseq: number | null }[] = [];
  const doubtful: { uid: number; modseq: number | null; row: Placed; content: string }[] = [];
  for await (const { uid, flags, modseq, body } of into.read([...safe.keys()])) {
    const row = safe.get(uid)!;
    const [exact, tolerant] = [exactFingerprinter(), tolerantFingerprinter()];
    for await (const bytes of body) {
      exact.update(bytes);
      tolerant.update(bytes);
    }
    if (!sameFlags(row.flags, flags)) emptied.touched += 1;
    else if (exact.end().equals(row.fingerprint)) remove.push({ uid, modseq });
    else doubtful.push({ uid, modseq, row, content: tolerant.end().toString("base64") });
  }
  // Servers change line ends on the way: such a one is compared with the old system's own.
  if (doubtful.length > 0 && open !== null) {
    const contents = await contentsOf(
      open,
      doubtful.map(({ row }) => row.uid),
    );
    for (const { uid, modseq, row, content } of doubtful) {
      if (contents.get(row.uid) === content) remove.push({ uid, modseq });
      else emptied.touched += 1;
    }
  }
  if (!removes) emptied.removed += remove.length;
  if (!removes || remove.length === 0) return;
  const gone = await into.remove(remove);
  emptied.removed += gone.size;
  emptied.touched += remove.length - gone.size;
}

async function contentsOf(open: OpenSource, uids: number[]): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  const take = async (item: Item) => {
    const hash = tolerantFingerprinter();
    for await (const bytes of item.body) hash.update(bytes);
    found.set(item.uid, hash.end().toString("base64"));
  };
  for await (const item of open.read(uids)) await take(item);
  return found;
}

const system = ["\\seen", "\\answered", "\\flagged", "\\draft"];

/**
 * Whether nobody changed them: keywords the new system did not keep are not missed, and \Deleted is on its way
 * out already. What was carried before flags were kept is not known to be as it was.
 */
function sameFlags(sent: string[] | null, now: string[]): boolean {
  if (sent === null) return false;
  const lower = (flags: string[]) => new Set(flags.map((flag) => flag.toLowerCase()));
  const [then, there] = [lower(sent), lower(now)];
  there.delete("\\deleted");
  return (
    [...there].every((flag) => then.has(flag)) &&
    system.every((flag) => then.has(flag) === there.has(flag))
  );
}
