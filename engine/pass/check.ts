import { UserError } from "../domain/errors.ts";
import { exactFingerprinter } from "../domain/item.ts";
import type { Checked, Job } from "../domain/pass.ts";
import type { Ends } from "./ends.ts";
import { lost } from "./lost.ts";

/**
 * A mailbox that is carried again from scratch begins empty, unless duplicates are wanted. Looked at here and not
 * only when that was asked for: somebody may have filled it since.
 */
export async function refuseFull(job: Job, ends: Ends): Promise<void> {
  if (job.remigration === null || job.remigration.acceptsDuplicates) return;
  const begun = (await ends.ledger.folders(job.entry)).some(({ target }) => target !== null);
  if (begun) return;
  const { items } = await ends.target.survey();
  if (items === 0) return;
  throw new UserError(
    `The new mailbox holds ${items} items already, and what is carried from scratch would stand there twice. Nothing was carried. Empty it and type \`full\`, or type \`remigrate\` again with \`--accept-duplicates\`.`,
  );
}

/**
 * Compares a carried mailbox with its ledger from the target's side: whether all of it stands where it was put,
 * and whether anything with the same content stands beside it in those folders.
 */
export async function checkFirst(job: Job, ends: Ends): Promise<Checked> {
  const checked = { carried: 0, missing: 0, duplicates: 0 };
  const fingerprints = new Set<string>();
  const targets = new Set<string>();
  for await (const { row, rows, present } of lost(job.entry, ends.ledger, ends.target)) {
    checked.carried += present + rows.length;
    // A target that tells no UIDs cannot be asked for single items: its counts are compared.
    if (ends.target.tellsUids) checked.missing += rows.length;
    for await (const page of ends.ledger.placed(row.id)) {
      for (const { fingerprint, target } of page) {
        fingerprints.add(fingerprint.toString("base64"));
        targets.add(target);
      }
    }
  }
  if (!ends.target.tellsUids) {
    const { items } = await ends.target.survey();
    checked.missing = Math.max(0, checked.carried - items);
    checked.duplicates = Math.max(0, items - checked.carried);
  } else checked.duplicates = await beside(job, ends, targets, fingerprints);
  const accepted = job.remigration?.acceptsDuplicates ?? false;
  const passed = checked.missing === 0 && (checked.duplicates === 0 || accepted);
  return { ...checked, passed };
}

/** How many items no row claims have the content of one that was carried. */
async function beside(
  job: Job,
  ends: Ends,
  targets: Set<string>,
  fingerprints: Set<string>,
): Promise<number> {
  let found = 0;
  for (const target of targets) {
    const open = await ends.target.open(target);
    const claimed = await ends.ledger.claimed(job.entry, target, open.state.uidValidity, 1);
    const others = new Set([...(await open.uids())].filter((uid) => !claimed.has(uid)));
    if (others.size === 0) continue;
    for await (const { body } of open.look(1, others)) {
      const hash = exactFingerprinter();
      for await (const bytes of body) hash.update(bytes);
      if (fingerprints.has(hash.end().toString("base64"))) found += 1;
    }
  }
  return found;
}
