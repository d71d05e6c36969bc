import { gap, noCounters } from "./domain/counters.ts";
import { FolderError, harmless, TransientError, UserError } from "./domain/errors.ts";
import type { Folder } from "./domain/item.ts";
import type { Intent, LedgerFolder, Numbered } from "./domain/ledger.ts";
import type { Job } from "./domain/pass.ts";
import { carry } from "./pass/carry.ts";
import { folderOf, isAsked, quietTime, settle } from "./pass/doubts.ts";
import type { Ends, Full } from "./pass/ends.ts";
import { bind, type Held } from "./pass/held.ts";
import { countLate, noteResent } from "./pass/late.ts";
import { decideAll, noteFailed, tooLarge } from "./pass/listing.ts";
import { setMark } from "./pass/marks.ts";
import { type Places, place, placesOf, stand } from "./pass/place.ts";
import { isRenumbered, rematch } from "./pass/rematch.ts";
import type { PassEvent, PassResult } from "./pass/result.ts";
import { settledUnopened } from "./pass/unopened.ts";
import { leaveUnsure } from "./pass/unsure.ts";
import { countShort, leftOver, owe, paid, settleGone, shortBy } from "./pass/whole.ts";

/** A folder ready to be carried. */
interface Share {
  folder: Folder;
  row: LedgerFolder;
  /** Of it, what is in doubt and nobody could judge. */
  inDoubt: Numbered[];
  /** Of it, what is in doubt until it is sent. */
  held: Held[];
}

/**
 * Carries what the ledger does not hold from source to target, folder by folder, batch by batch. Resumes
 * by itself: a target folder with a batch in doubt is set aside until the quiet time is over and the target
 * has been asked; the other folders go first. Throws what the ports throw; batches settled until then stay
 * settled.
 */
export async function* runPass(
  job: Job,
  ends: Ends,
  signal: AbortSignal,
): AsyncGenerator<PassEvent, PassResult> {
  const result: PassResult = { interrupted: false, failed: 0, gaps: [], folders: [], late: 0 };
  const full: Full = { refusals: 0, reason: "" };
  const folders = await ends.source.folders();
  yield { type: "expected", items: expected(folders, job) };
  const places = await placesOf(job, ends);
  const doubts = await ends.ledger.intents(job.entry);

  const aside: Share[] = [];
  // In doubt until a later pass has asked.
  const open: Intent[] = [];
  for (const folder of folders) {
    if (signal.aborted) return { ...result, interrupted: true };
    try {
      const row = await ends.ledger.folder(job.entry, folder.path, ends.fence);
      const unmet = !places.kept.has(row.source);
      places.kept.set(row.source, row);
      if (unmet && job.kind === "retry") leftOver(folder, job, result);
      if (await settledUnopened(job, ends, folder, row)) {
        // An earlier try of this run may have been refused it.
        const before = job.kind === "retry" ? await ends.ledger.counters(job.run, row.id) : null;
        result.failed += before?.failed ?? 0;
        continue;
      }
      // No place is made for it either.
      if (folder.refused !== undefined) throw new FolderError(folder.refused);
      const to = await place(job, ends, folder, row, places);
      // An identical twin sent now would later be taken for the message in doubt.
      if (inDoubt(doubts, row, to) || inDoubt(open, row, to)) {
        aside.push({ folder, row, inDoubt: [], held: [] });
        continue;
      }
      const share = { folder, row, inDoubt: [], held: [] };
      yield* carryFolder(job, ends, share, places, full, result, signal);
    } catch (error) {
      yield await folderFailed(job, ends, folder, error, result);
      open.push(...(await fresh(job, ends, [...doubts, ...open])));
    }
  }
  if (doubts.length > 0) yield* quietTime(ends, doubts, signal);
  if (signal.aborted) return { ...result, interrupted: true };
  const leave = (folder: number, uidValidity: number, uids: number[]) => {
    for (const { row, inDoubt } of aside) {
      if (row.id === folder) inDoubt.push(...uids.map((uid) => ({ uidValidity, uid })));
    }
  };
  for (const intent of doubts) {
    // It carries under no license: what an earlier pass sent is not its to settle.
    if (job.kind === "trial" && intent.run !== job.run) {
      // What is put back is in the ledger, and is not sent.
      if (!intent.repairs && !(await isAsked(intent, ends))) {
        throw new UserError(
          "A batch of an earlier pass of this mailbox is in doubt. Type `delta` first, which settles it.",
        );
      }
      leave(intent.folder, intent.uidValidity, intent.uids);
      continue;
    }
    try {
      const share = aside.find(({ row }) => row.id === intent.folder);
      const sends = share !== undefined;
      const settled = await settle(intent, sends, job, ends, folders, places);
      if (settled.found > 0) ends.care.found();
      noteResent(ends.resent, intent.id, settled.resent);
      leave(intent.folder, settled.uidValidity, settled.stays);
      // Of a folder that is not carried afterwards nobody else counts it.
      if (share === undefined) result.failed += settled.failed;
      else if (settled.held !== null) share.held.push(settled.held);
      const { folder } = intent;
      const counters = settled.found > 0 ? await ends.ledger.counters(job.run, folder) : null;
      if (counters !== null) yield { type: "settled", folder: folderOf(intent, places), counters };
    } catch (error) {
      // It cannot be asked now. It stays in doubt, and nothing more goes where it may stand.
      const folder = folders.find((one) => places.kept.get(one.path)?.id === intent.folder);
      if (folder === undefined) throw error;
      yield await folderFailed(job, ends, folder, error, result);
      open.push(intent);
    }
  }
  // What is in doubt goes first: a target that has it all the same stumbles over nothing else.
  aside.sort((a, b) => b.held.length - a.held.length);
  for (const share of aside) {
    if (signal.aborted) return { ...result, interrupted: true };
    try {
      if (inDoubt(open, share.row, share.row.target)) {
        throw new FolderError("a batch in doubt could not be looked for");
      }
      yield* carryFolder(job, ends, share, places, full, result, signal);
    } catch (error) {
      yield await folderFailed(job, ends, share.folder, error, result);
      open.push(...(await fresh(job, ends, [...doubts, ...open])));
    }
  }
  const late = await countLate(ends.resent, job, ends);
  result.late = late.copies;
  const reason = "it could not be asked whether what was sent again stands there twice";
  for (const folder of late.unasked) result.folders.push({ folder, reason });
  await settleGone(job, ends, folders, places, result);
  return result;
}

/** Batches a folder that failed has left in doubt. */
async function fresh(job: Job, ends: Ends, known: Intent[]): Promise<Intent[]> {
  const intents = await ends.ledger.intents(job.entry);
  return intents.filter(({ id }) => !known.some((one) => one.id === id));
}

function inDoubt(doubts: Intent[], row: LedgerFolder, to: string | null): boolean {
  return doubts.some((intent) => intent.target === to || intent.folder === row.id);
}

function expected(folders: Folder[], job: Job): number {
  if (job.kind === "retry") return 0;
  return folders.reduce((total, folder) => total + (folder.state?.count ?? 0), 0);
}

/** One folder, from its listing to its last batch. */
async function* carryFolder(
  job: Job,
  ends: Ends,
  { folder, row, inDoubt, held }: Share,
  places: Places,
  full: Full,
  result: PassResult,
  signal: AbortSignal,
): AsyncGenerator<PassEvent> {
  const { ledger, fence } = ends;
  let open = await ends.source.open(folder.path);
  if (inDoubt.some(({ uidValidity }) => uidValidity !== open.state.uidValidity)) {
    throw new FolderError(
      "the old system has numbered the folder anew, and some of it is in doubt; type `delta`, which looks for it",
    );
  }
  if (held.some(({ uidValidity }) => uidValidity !== open.state.uidValidity)) {
    throw new TransientError("the folder was renumbered during the pass", "connection");
  }
  if (await isRenumbered(row, open.state.uidValidity, ends)) {
    yield {
      type: "rematched",
      folder: folder.path,
      ...(await rematch(row, open, job.run, ends)),
    };
  }
  let listing = await decideAll(job, ends, row, open);
  let short = shortBy(job, row, open.state, listing);
  if (short > 0) {
    // Some may have been expunged while it was listed: it is looked at once more, and then believed.
    const again = await ends.source.open(folder.path);
    if (again.state.uidValidity !== open.state.uidValidity) {
      throw new TransientError("the folder was renumbered during the pass", "connection");
    }
    open = again;
    listing = await decideAll(job, ends, row, open);
    short = shortBy(job, row, open.state, listing);
  }
  if (short > 0) {
    result.folders.push(countShort(short, folder, listing));
    await owe(job, ends, row);
  }
  const { counters, missing } = listing;
  if (missing.length > 0) await ledger.forget(row.id, open.state.uidValidity, missing, fence);
  const unsure = await leaveUnsure(
    job,
    ends,
    row,
    open,
    listing,
    new Set(inDoubt.map(({ uid }) => uid)),
  );
  await ledger.count(job.run, row.id, counters, fence);
  const failed = [...tooLarge(listing, ends.target), ...unsure];
  await noteFailed(job, ends, row, open.state, failed, counters);
  const to = listing.todo.length > 0 ? await stand(job, ends, folder, row, places) : null;
  await bind(job, ends, held, to, listing, unsure, short > 0);
  if (to !== null) {
    for await (const soFar of carry(job, ends, row, to, open, listing, full, signal)) {
      yield { type: "settled", folder: folder.path, counters: soFar };
    }
  }
  result.failed += counters.failed;
  if (signal.aborted) {
    // Items nobody reached are no gap.
    result.interrupted = true;
    return;
  }
  if (gap(counters) !== 0) result.gaps.push(folder.path);
  else if (short === 0) await paid(job, ends, row);
  await setMark(job, ends, row, open.state, listing);
}

async function folderFailed(
  job: Job,
  ends: Ends,
  folder: Folder,
  error: unknown,
  result: PassResult,
): Promise<PassEvent> {
  if (!(error instanceof FolderError)) throw error;
  const reason = harmless(error.message);
  const row = await ends.ledger.folder(job.entry, folder.path, ends.fence);
  await owe(job, ends, row);
  const counters = (await ends.ledger.counters(job.run, row.id)) ?? {
    ...noCounters(),
    listed: folder.state?.count ?? 0,
  };
  // What was carried before the folder failed stays counted as carried.
  counters.failed += gap(counters);
  await ends.ledger.count(job.run, row.id, counters, ends.fence);
  result.failed += counters.failed;
  result.folders.push({ folder: folder.path, reason });
  return { type: "folder failed", folder: folder.path, reason };
}
