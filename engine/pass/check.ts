import { UserError } from "../domain/errors.ts";
import type { LedgerFolder, Placed } from "../domain/ledger.ts";
import type { Checked, Job } from "../domain/pass.ts";
import type { Ends } from "./ends.ts";
import { type Lost, lost } from "./lost.ts";
import { readAll } from "./readable.ts";
import { type Strangers, strangersOf } from "./strangers.ts";

/**
 * A mailbox that is carried again from scratch begins empty, unless duplicates are wanted. Looked at here and not
 * only when that was asked for: somebody may have filled it since.
 */
export async function refuseFull(job: Job, ends: Ends): Promise<void> {
  if (job.remigration === null || job.remigration.acceptsDuplicates) return;
  if (await hasBegun(job, ends)) return;
  const { items } = await ends.target.survey();
  if (items === 0) return;
  throw new UserError(
    `The new mailbox holds ${items} items already, and what is carried from scratch would stand there twice. Nothing was carried. Empty it and type \`full\`, or type \`remigrate\` again with \`--accept-duplicates\`.`,
  );
}

/** Whether anything was carried into it, or may have been. */
async function hasBegun(job: Job, { ledger }: Ends): Promise<boolean> {
  if ((await ledger.intents(job.entry)).length > 0) return true;
  for (const { id } of await ledger.folders(job.entry)) {
    if ((await ledger.carried(id)) > 0) return true;
  }
  return false;
}

/**
 * Compares a carried mailbox with its ledger from the target's side: whether all of it stands there, where it was
 * put or where its owner moved it, and whether anything with the same content stands beside it in those folders.
 * Null where there is nothing to compare: nothing was carried.
 */
export async function checkFirst(job: Job, ends: Ends): Promise<Checked | null> {
  const all = await Array.fromAsync(lost(job.entry, ends.ledger, ends.target));
  const carried = all.reduce((total, { present, rows }) => total + present + rows.length, 0);
  if (carried === 0) return null;
  const accepted = job.remigration?.acceptsDuplicates ?? false;
  if (!ends.target.tellsUids) {
    // It cannot be asked for single items: counts are compared.
    const { items } = await ends.target.survey();
    const missing = Math.max(0, carried - items);
    const duplicates = Math.max(0, items - carried);
    return {
      carried,
      missing,
      duplicates,
      passed: missing === 0 && (duplicates === 0 || accepted),
    };
  }
  const strangers = await strangersOf(job, ends, all);
  let missing = 0;
  for (const { row, rows } of all) missing += await notThere(row, rows, strangers, ends);
  const duplicates = await beside(all, strangers, ends);
  return { carried, missing, duplicates, passed: missing === 0 && (duplicates === 0 || accepted) };
}

/** How many of these are nowhere in the new mailbox. */
async function notThere(
  row: LedgerFolder,
  rows: Placed[],
  strangers: Strangers,
  { source, care }: Ends,
): Promise<number> {
  if (rows.length === 0) return 0;
  const open = await source.open(row.source);
  const uids = rows.flatMap(({ uid, uidValidity }) =>
    uidValidity === open.state.uidValidity ? uid : [],
  );
  let found = 0;
  await readAll(open, uids, care.of(row.id, open.state.uidValidity), async (item) => {
    if ((await strangers.find(item)) === "there") found += 1;
  });
  return rows.length - found;
}

/** How many that nobody claims or moved stand in the carried folders with the content of something carried. */
async function beside(all: Lost[], strangers: Strangers, { ledger }: Ends): Promise<number> {
  const rest = strangers.rest();
  if (rest.length === 0) return 0;
  const contents = new Set<string>();
  const folders = new Set<string>();
  for (const { row } of all) {
    for await (const page of ledger.placed(row.id)) {
      for (const { fingerprint, target } of page) {
        contents.add(fingerprint.toString("base64"));
        folders.add(target);
      }
    }
  }
  return rest.filter(({ folder, exact }) => folders.has(folder) && contents.has(exact)).length;
}
