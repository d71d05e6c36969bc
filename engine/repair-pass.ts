import { gap, noCounters } from "./domain/counters.ts";
import { FolderError, harmless, UserError } from "./domain/errors.ts";
import type { Folder } from "./domain/item.ts";
import type { Intent, LedgerFolder, Placed } from "./domain/ledger.ts";
import type { Job } from "./domain/pass.ts";
import type { OpenSource } from "./domain/provider.ts";
import type { FolderCare } from "./pass/care.ts";
import { carry } from "./pass/carry.ts";
import { isAsked, quietTime, settle } from "./pass/doubts.ts";
import type { Ends, Full } from "./pass/ends.ts";
import type { Listing, Todo } from "./pass/listing.ts";
import { type Lost, lost } from "./pass/lost.ts";
import { type Places, placesOf, stand } from "./pass/place.ts";
import { readAll } from "./pass/readable.ts";
import { chunks, match, rematch } from "./pass/rematch.ts";
import type { PassEvent, PassResult } from "./pass/result.ts";
import { type Strangers, strangersOf } from "./pass/strangers.ts";

/**
 * Puts back what the ledger says was carried and what is no longer anywhere in the target mailbox. What somebody
 * moved there is found by its content (by its name where the target rewrites what it stores) and left where it is:
 * there is never a second copy. What is gone at the old
 * place too cannot be put back and counts as vanished. Resumes like `runPass`, by the same intents.
 */
export async function* repairPass(
  job: Job,
  ends: Ends,
  signal: AbortSignal,
): AsyncGenerator<PassEvent, PassResult> {
  const result: PassResult = { interrupted: false, failed: 0, gaps: [], folders: [], late: 0 };
  const folders = await ends.source.folders();
  const places = await placesOf(job, ends);
  yield* settleAll(job, ends, folders, places, signal);
  if (signal.aborted) return { ...result, interrupted: true };
  // Folders that could not be brought to their present numbers.
  const apart = new Map<string, FolderError>();
  yield* renumbered(job, ends, folders, places, apart);
  const all = await Array.fromAsync(lost(job.entry, ends.ledger, ends.target));
  const items = all.reduce((total, { present, rows }) => total + present + rows.length, 0);
  yield { type: "expected", items };
  const strangers = all.some(({ rows }) => rows.length > 0)
    ? await strangersOf(job, ends, all)
    : null;
  const full: Full = { refusals: 0, reason: "" };
  for (const one of all) {
    if (signal.aborted) return { ...result, interrupted: true };
    const { source } = one.row;
    const folder = folders.find(({ path }) => path === source) ?? null;
    const refused = apart.get(source) ?? null;
    yield* repairFolder(job, ends, folder, refused, one, strangers, places, full, result, signal);
  }
  return result;
}

/** A batch in doubt may be what is missing: it is looked for before anything is put back. */
async function* settleAll(
  job: Job,
  ends: Ends,
  folders: Folder[],
  places: Places,
  signal: AbortSignal,
): AsyncGenerator<PassEvent> {
  const doubts = await ends.ledger.intents(job.entry);
  if (doubts.length === 0) return;
  const own: Intent[] = [];
  for (const intent of doubts) {
    if (intent.repairs || intent.run === job.run) own.push(intent);
    else if (!(await isAsked(intent, ends))) {
      // It carries under no license: what another pass sent is not its to settle.
      throw new UserError(
        "A batch of an earlier pass of this mailbox is in doubt. Nothing was put back. Type `delta` first, which settles it.",
      );
    }
  }
  yield* quietTime(ends, doubts, signal);
  if (signal.aborted) return;
  for (const intent of own) {
    try {
      await settle(intent, false, job, ends, folders, places);
    } catch (error) {
      if (!(error instanceof FolderError)) throw error;
      throw new UserError(
        `A batch of an earlier pass is in doubt and cannot be looked for (${harmless(error.message)}). Nothing was put back. Type \`delta\` first, which settles it.`,
      );
    }
  }
}

/** The ledger is brought to the source's present numbers first: by them the source is asked. */
async function* renumbered(
  job: Job,
  ends: Ends,
  folders: Folder[],
  places: Places,
  apart: Map<string, FolderError>,
): AsyncGenerator<PassEvent> {
  for (const { path, state } of folders) {
    const row = places.kept.get(path);
    if (row == null || row.uidValidity === null || row.uidValidity === state?.uidValidity) continue;
    try {
      const open = await ends.source.open(path);
      if (open.state.uidValidity === row.uidValidity) continue;
      const found = await rematch(row, open, job.run, ends);
      yield { type: "rematched", folder: path, ...found };
    } catch (error) {
      if (!(error instanceof FolderError)) throw error;
      apart.set(path, error);
    }
  }
}

async function* repairFolder(
  job: Job,
  ends: Ends,
  folder: Folder | null,
  refused: FolderError | null,
  { row, rows, present, presentOf }: Lost,
  strangers: Strangers | null,
  places: Places,
  full: Full,
  result: PassResult,
  signal: AbortSignal,
): AsyncGenerator<PassEvent> {
  // An earlier try of this run may have put some of them there.
  const own = presentOf(job.run);
  const counters = {
    ...noCounters(),
    listed: present + rows.length,
    duplicates: present - own.items,
    migrated: own.items,
    bytes: own.bytes,
  };
  const listing: Listing = { counters, todo: [], tooLarge: [], missing: [], held: [] };
  try {
    if (rows.length > 0 && refused !== null) throw refused;
    if (rows.length > 0 && folder !== null) {
      const open = await ends.source.open(folder.path);
      const care = ends.care.of(row.id, open.state.uidValidity);
      const todo = await missing(open, row, rows, strangers, listing, result, care, ends);
      await ends.ledger.count(job.run, row.id, counters, ends.fence);
      yield* putBack(job, ends, folder, row, open, { ...listing, todo }, places, full, signal);
    } else counters.vanished += rows.length;
    await ends.ledger.count(job.run, row.id, counters, ends.fence);
  } catch (error) {
    if (!(error instanceof FolderError)) throw error;
    const reason = harmless(error.message);
    counters.failed += gap(counters);
    await ends.ledger.count(job.run, row.id, counters, ends.fence);
    result.folders.push({ folder: row.source, reason });
    yield { type: "folder failed", folder: row.source, reason };
  }
  result.failed += counters.failed;
  if (signal.aborted) result.interrupted = true;
  else if (gap(counters) !== 0) result.gaps.push(row.source);
}

/** What of the lost is still at the source and nowhere in the target. */
async function missing(
  open: OpenSource,
  row: LedgerFolder,
  rows: Placed[],
  strangers: Strangers | null,
  { counters }: Listing,
  result: PassResult,
  care: FolderCare,
  { ledger }: Ends,
): Promise<Todo[]> {
  const { uidValidity } = open.state;
  const wanted = rows.filter((one) => one.uidValidity === uidValidity);
  const old = rows.filter((one) => one.uidValidity !== uidValidity);
  // What could not be read when the folder was numbered anew may be one of them.
  const suspects = old.length === 0 ? [] : await ledger.failures(row.id, uidValidity);
  const { pairs, unread } = await match(open, suspects, old, care);
  const unsure = Math.min(old.length, pairs.length + unread.length);
  counters.vanished += old.length - unsure;
  counters.failed += unsure;
  if (unsure > 0) {
    result.folders.push({
      folder: row.source,
      reason: `the old system has numbered the folder anew, and ${unsure} were not put back: type \`delta\`, which looks for them there`,
    });
  }
  const todo: Todo[] = [];
  let untold = 0;
  for (const some of chunks(wanted, 200)) {
    const read = new Set<number>();
    const refused = await readAll(
      open,
      some.map(({ uid }) => uid),
      care,
      async (item) => {
        const found = (await strangers?.find(item)) ?? "missing";
        read.add(item.uid);
        if (found === "missing") todo.push({ uid: item.uid, size: item.size });
        else if (found === "there") counters.duplicates += 1;
        else untold += 1;
      },
    );
    counters.failed += refused.length;
    counters.vanished += some.length - read.size - refused.length;
  }
  counters.failed += untold;
  if (untold > 0) {
    result.folders.push({
      folder: row.source,
      reason: `of ${untold} it cannot be told whether they stand in the new mailbox (they have no Message-ID, or it does not hand over all it has): they were not put back`,
    });
  }
  return todo;
}

async function* putBack(
  job: Job,
  ends: Ends,
  folder: Folder,
  row: LedgerFolder,
  open: OpenSource,
  listing: Listing,
  places: Places,
  full: Full,
  signal: AbortSignal,
): AsyncGenerator<PassEvent> {
  if (listing.todo.length === 0) return;
  const to = await stand(job, ends, folder, row, places);
  for await (const counters of carry(job, ends, row, to, open, listing, full, signal)) {
    yield { type: "settled", folder: row.source, counters };
  }
}
