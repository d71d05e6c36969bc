import type { Instant } from "../../engine/domain/clock.ts";
import { type Forecast, sumsOf } from "../../engine/domain/forecast.ts";
import type { PassSums } from "../../engine/domain/pass.ts";

/** What is left to carry, and when it would be done. */
export type Outlook =
  | { type: "nothing left" }
  /** `doneAt`: at the pace of the passes before; null where there was none to reckon from. */
  | { type: "left"; items: number; bytes: number; doneAt: Instant | null }
  /** Some mailboxes could not be asked: at least this is left. */
  | { type: "at least"; items: number; bytes: number; asked: number; of: number }
  | { type: "unknown" };

/** The shortest time in passes that a pace is reckoned from, in ms. */
const least = 1000;

/** Reckons from what both servers list and from how fast the passes before were. Pure. */
export function outlookOf(forecast: Forecast, passes: PassSums[], now: Instant): Outlook {
  const { items, bytes, problems } = sumsOf(forecast);
  const asked = forecast.entries.length - problems.length;
  if (asked === 0) return { type: "unknown" };
  if (asked < forecast.of) return { type: "at least", items, bytes, asked, of: forecast.of };
  if (items === 0) return { type: "nothing left" };
  return { type: "left", items, bytes, doneAt: doneAt(items, bytes, passes, now) };
}

/** Small items take their time and large ones theirs: the later of the two is meant. */
function doneAt(items: number, bytes: number, passes: PassSums[], now: Instant): Instant | null {
  const carried = passes.filter(({ migrated }) => migrated > 0);
  const busy = busyTime(carried, now);
  if (busy < least) return null;
  const sum = (what: "migrated" | "bytes") => carried.reduce((all, one) => all + one[what], 0);
  const byItems = (items / sum("migrated")) * busy;
  const byBytes = sum("bytes") === 0 ? 0 : (bytes / sum("bytes")) * busy;
  return now + Math.max(byItems, byBytes);
}

/** How long any of these passes ran; where two did at once, once. */
function busyTime(passes: PassSums[], now: Instant): number {
  const spans = passes
    .map(({ startedAt, endedAt }) => [startedAt ?? now, endedAt ?? now] as const)
    .sort(([a], [b]) => a - b);
  let [total, until] = [0, Number.NEGATIVE_INFINITY];
  for (const [from, to] of spans) {
    total += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return total;
}
