import type { Folder } from "../domain/item.ts";
import type { Intent } from "../domain/ledger.ts";
import type { Job } from "../domain/pass.ts";
import type { Ends } from "./ends.ts";
import type { Places } from "./place.ts";
import type { PassEvent } from "./result.ts";
import { type Settlings, settleDoubt } from "./settle-doubt.ts";

/** Waits until the target may be asked what became of these. */
export async function* quietTime(
  ends: Ends,
  doubts: Intent[],
  signal: AbortSignal,
): AsyncGenerator<PassEvent> {
  // An earlier run may have met a silence that this one knows nothing of.
  const said = Math.max(ends.doubtSettlesAt, ...doubts.map(({ settlesAt }) => settlesAt ?? 0));
  // Further off than any silence keeps it: somebody's clock was wrong.
  const until = Math.min(said, ends.clock.now() + ends.longestQuietMs);
  const left = until - ends.clock.now();
  if (left <= 0) return;
  yield { type: "waits for doubt", until };
  await ends.clock.sleep(left, signal);
  yield { type: "goes on" };
}

/** Asks the target what became of a batch in doubt. `sends`: its folder is carried afterwards. */
export function settle(
  intent: Intent,
  sends: boolean,
  job: Job,
  ends: Ends,
  folders: Folder[],
  places: Places,
): Promise<Settlings> {
  const row = [...places.kept.values()].find((one) => one.id === intent.folder) ?? null;
  const listed = {
    source: folders.some((one) => one.path === row?.source),
    target: places.present.has(intent.target),
  };
  return settleDoubt(intent, row, listed, sends, job, ends);
}

/**
 * Whether a pass has asked what became of a batch and nobody could judge the rest of it: that stays in doubt, and is
 * no reason to wait for another pass.
 */
export async function isAsked(
  { folder, uidValidity, uids }: Intent,
  { ledger }: Pick<Ends, "ledger">,
): Promise<boolean> {
  const failed = new Set(await ledger.failures(folder, uidValidity));
  return uids.every((uid) => failed.has(uid));
}

/** The source folder a batch is from. */
export function folderOf(intent: Intent, places: Places): string {
  const rows = [...places.kept.values()];
  return rows.find((one) => one.id === intent.folder)?.source ?? "";
}
