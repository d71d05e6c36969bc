import type { Instant } from "./clock.ts";
import type { Counters } from "./counters.ts";
import type { ListedItem } from "./item.ts";
import type { Job, RunId } from "./pass.ts";
import { glob } from "./plan.ts";
import type { Filters } from "./project.ts";

/** How many items of a folder a trial carries. */
export const trialItems = 10;

/** What is to become of a listed item. */
export type Fate =
  | "carry"
  | "carried by this run"
  | "duplicate"
  | "deleted"
  | "filtered"
  | "too large";

/** Decides one item. What the ledger knows is a duplicate whatever else is true of it. */
export function decide(
  item: ListedItem,
  known: { run: RunId } | undefined,
  job: Job,
  targetTakes: number | null,
): Fate {
  // A run that was interrupted meets its own work again: that is not a duplicate but its result.
  if (known !== undefined) return known.run === job.run ? "carried by this run" : "duplicate";
  if (item.deleted) return "deleted";
  const { after, before } = dates(job);
  if (after !== null && item.createdAt < after) return "filtered";
  if (before !== null && item.createdAt >= before) return "filtered";
  if (job.filters.maxItemSize !== null && item.size > job.filters.maxItemSize) return "filtered";
  if (targetTakes !== null && item.size > targetTakes) return "too large";
  return "carry";
}

/** The create dates a pass sees: a pre-stage's limit overrides the project's, a full pass has none. */
function dates(job: Pick<Job, "kind" | "limit" | "filters">): {
  after: Instant | null;
  before: Instant | null;
} {
  switch (job.kind) {
    case "prestage":
      return { after: null, before: job.limit };
    case "full":
    case "delta":
    // What failed was chosen by the pass that met it.
    case "retry":
    case "repair":
      return { after: null, before: null };
    case "trial":
    case "verify":
      return { after: job.filters.after, before: job.filters.before };
  }
}

/** Whether the project's folder rules let a folder through. */
export function included(segments: string[], filters: Filters): boolean {
  const path = segments.join("/");
  const matches = (patterns: string[]) => patterns.some((pattern) => glob(pattern).test(path));
  if (filters.include.length > 0 && !matches(filters.include)) return false;
  return !matches(filters.exclude);
}

/** Where the project's own map sends a folder: the longest rule that names it or a parent of it. */
export function mapped(segments: string[], filters: Filters): string[] | null {
  for (let length = segments.length; length > 0; length -= 1) {
    const head = segments.slice(0, length).join("/").toLowerCase();
    const rule = Object.entries(filters.map).find(([from]) => from.toLowerCase() === head);
    if (rule !== undefined) return [...rule[1].split("/"), ...segments.slice(length)];
  }
  return null;
}

/** Puts a decided item into the counters. Items to carry are counted with their receipt. */
export function tally(fate: Fate, item: ListedItem, counters: Counters): void {
  counters.listed += 1;
  switch (fate) {
    case "carry":
      return;
    case "carried by this run":
      counters.migrated += 1;
      counters.bytes += item.size;
      return;
    case "duplicate":
      counters.duplicates += 1;
      return;
    case "deleted":
      counters.filtered += 1;
      counters.deleted += 1;
      return;
    case "filtered":
      counters.filtered += 1;
      return;
    case "too large":
      counters.failed += 1;
      return;
  }
}
