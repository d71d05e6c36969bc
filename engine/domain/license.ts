import type { Instant } from "./clock.ts";
import { type Policy, windowEnd } from "./policy.ts";
import type { Entry, EntryId, ProjectId } from "./project.ts";

/** Of one entry's current license. */
export type LicenseState = "none" | "reserved" | "consumed" | "released";

/** Sums over a project's movements. free = owned - reserved - consumed. */
export interface Balance {
  owned: number;
  reserved: number;
  consumed: number;
  free: number;
}

/** One line of the license ledger; lines are only ever added. */
export interface Movement {
  at: Instant;
  kind: "grant" | "reserve" | "consume" | "release";
  count: number;
  by: string;
  entry: string | null;
  pass: number | null;
  note: string | null;
}

/** A license that was used and has brought no result, or none that is still in use. */
export interface Wasted {
  at: Instant;
  by: string;
  entry: string;
  pass: number;
  /** `no pass completed`: under this license. `remigrated`: the entry was started from scratch since. */
  why: "no pass completed" | "remigrated";
}

/** The books of a project's licenses. Reserving, consuming and releasing happen inside the passes' transactions. */
export interface Licenses {
  grant(project: ProjectId, count: number, by: string, note: string): Promise<Balance>;
  balance(project: ProjectId): Promise<Balance>;
  history(project: ProjectId, limit: number): Promise<Movement[]>;
  stateOf(entry: EntryId): Promise<LicenseState>;
  /** Oldest first. One whose pass still runs is not wasted yet. */
  wasted(project: ProjectId): Promise<Wasted[]>;
}

/** What is about to run out. */
export type Warning =
  | { type: "licenses"; free: number; without: number }
  | { type: "passes"; entry: string; left: number }
  | { type: "window"; entry: string; until: Instant; over: boolean };

const day = 24 * 60 * 60 * 1000;
/** From here on it is said. */
const soon = { days: 14, passes: 2 };

/**
 * What runs out soon in a project: licenses, where fewer are free than mailboxes have none yet; the last two
 * passes of a license; windows of deltas in their last 14 days, or over.
 */
export function warnings(
  policy: Policy,
  entries: Entry[],
  balance: Balance,
  now: Instant,
): Warning[] {
  const all: Warning[] = [];
  const without = entries.filter(
    ({ license }) => license !== "consumed" && license !== "reserved",
  ).length;
  if (without > balance.free) all.push({ type: "licenses", free: balance.free, without });
  for (const entry of entries) {
    if (entry.license !== "consumed") continue;
    const { source, passesUsed } = entry;
    const until = windowEnd(policy, entry);
    if (until !== null && now > until - soon.days * day) {
      all.push({ type: "window", entry: source, until, over: now > until });
    }
    if (policy.passesPerLicense === "unlimited") continue;
    const left = Math.max(0, policy.passesPerLicense - passesUsed);
    if (left <= soon.passes) all.push({ type: "passes", entry: source, left });
  }
  return all;
}
