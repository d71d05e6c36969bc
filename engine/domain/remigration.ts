import type { Instant } from "./clock.ts";
import type { Emptied } from "./emptying.ts";
import type { Balance } from "./license.ts";
import type { Policy } from "./policy.ts";
import { type Entry, type EntryId, type Filters, noFilters, type ProjectId } from "./project.ts";

export const reasons = ["deleted", "config", "target", "errors"] as const;
/** Why a mailbox is carried again from scratch: the field's four. */
export type Because = (typeof reasons)[number];

/** The field's checklist. What we can see is ticked by us; the rest by people. */
export const checklist = [
  {
    item: "delta",
    group: "Before",
    by: "us",
    text: "it was looked whether something cheaper does",
  },
  { item: "reason", group: "Before", by: "us", text: "the reason is written down" },
  { item: "licenses", group: "Before", by: "us", text: "licenses are free" },
  { item: "backup", group: "Before", by: "people", text: "the new mailbox is backed up if needed" },
  { item: "target", group: "Setting", by: "us", text: "the new mailbox can be opened" },
  { item: "empty", group: "Setting", by: "us", text: "the new mailbox is empty" },
  { item: "filters", group: "Setting", by: "us", text: "the filters in force were shown" },
  { item: "permissions", group: "Setting", by: "people", text: "permissions are confirmed" },
  { item: "first", group: "Trying", by: "us", text: "one mailbox was carried first" },
  { item: "counts", group: "Trying", by: "us", text: "its counts were compared" },
  { item: "duplicates", group: "Trying", by: "us", text: "duplicates were looked for" },
  { item: "errors", group: "Watching", by: "us", text: "no item of the first failed" },
  { item: "validated", group: "Watching", by: "us", text: "every mailbox was carried whole" },
] as const satisfies { item: string; group: string; by: "us" | "people"; text: string }[];

export type CheckItem = (typeof checklist)[number]["item"];

export interface Tick {
  item: CheckItem;
  /** Null for us. */
  by: string | null;
  at: Instant;
  note: string;
}

/** Mailboxes that are carried again from scratch, together. */
export interface Remigration {
  n: number;
  project: ProjectId;
  because: Because;
  reason: string;
  by: string;
  approvedBy: string | null;
  at: Instant;
  /** The new mailbox may hold something already, and will hold it twice. */
  acceptsDuplicates: boolean;
  /** When the first of them was carried and checked; null while the others wait for that. */
  releasedAt: Instant | null;
  entries: { entry: EntryId; succeeds: EntryId; source: string; target: string }[];
  ticks: Tick[];
}

/** As it is begun. */
export type NewRemigration = Pick<
  Remigration,
  "project" | "because" | "reason" | "by" | "approvedBy" | "acceptsDuplicates"
> & {
  /** `target` null for the same new mailbox as before. */
  entries: { entry: EntryId; target: string | null }[];
  ticks: Pick<Tick, "item" | "note">[];
};

export interface Remigrations {
  /**
   * One transaction: each entry is closed and stays readable, a new one takes its place with an empty ledger, no
   * license and its counters at nothing. Throws `UserError` where one is busy, closed, or its new target taken.
   */
  begin(remigration: NewRemigration): Promise<number>;
  look(n: number): Promise<Remigration | null>;
  /** Newest first. */
  list(project: ProjectId): Promise<Remigration[]>;
  tick(n: number, item: CheckItem, by: string, note: string): Promise<void>;
}

/** What can be seen of a mailbox that may be carried again. */
export interface EntryFacts {
  entry: EntryId;
  /** Items in its ledger. */
  carried: number;
  /** Items that failed and were not brought since, and whether whole folders are owed. */
  failures: number;
  owed: boolean;
  /** The filters its last pass over more than failures ran with; null where there was none. */
  filters: Filters | null;
  /** Carried and no longer where it was put; null where the target could not be asked. */
  missing: number | null;
  /** Items in the mailbox the new entry would go to; null where it could not be opened. */
  items: number | null;
  problem: string | null;
}

/** What would be left in its new mailbox once it was emptied; the same as is there where that is not asked for. */
export function leftIn(facts: EntryFacts, emptied: Emptied | null): EntryFacts {
  return emptied === null ? facts : { ...facts, items: emptied.left };
}

/** Looks at mailboxes from both ends; writes nothing. */
export interface Inspector {
  /** `target` null for the entry's own. */
  look(entries: { entry: Entry; target: string | null }[]): Promise<EntryFacts[]>;
}

/** What would do instead of carrying everything again; null where nothing would. */
export interface Advice {
  instead: "full" | "retry" | "repair" | null;
  why: string;
}

/** Whether something cheaper would do for one mailbox. Pure. */
export function advise(
  because: Because,
  facts: EntryFacts,
  now: Filters,
  newTarget: boolean,
): Advice {
  switch (because) {
    case "deleted":
      return facts.missing === 0
        ? { instead: "full", why: "nothing of what was carried is missing at the new mailbox" }
        : {
            instead: "repair",
            why: `${facts.missing ?? "what is"} missing at the new mailbox can be put back, without a license`,
          };
    case "config":
      return ofConfig(facts.filters ?? noFilters, now);
    case "target":
      return newTarget
        ? { instead: null, why: "another mailbox gets everything from the start" }
        : {
            instead: "repair",
            why: "for the same address, what is missing there can be put back, without a license",
          };
    case "errors":
      if (facts.failures > 0) {
        return { instead: "retry", why: `${facts.failures} items failed and can be tried again` };
      }
      return facts.owed
        ? { instead: "full", why: "folders were not reached, and a delta carries them" }
        : { instead: "full", why: "nothing failed that is not carried by now" };
  }
}

function ofConfig(before: Filters, now: Filters): Advice {
  const moved = JSON.stringify(before.map) !== JSON.stringify(now.map);
  if (moved) {
    return { instead: null, why: "what was carried stays in the folders it went to" };
  }
  const narrower =
    (now.maxItemSize ?? Number.POSITIVE_INFINITY) <
      (before.maxItemSize ?? Number.POSITIVE_INFINITY) ||
    now.exclude.some((pattern) => !before.exclude.includes(pattern)) ||
    (now.include.length > 0 && before.include.length === 0);
  return narrower
    ? { instead: null, why: "what the filters leave out now was carried and stays" }
    : {
        instead: "full",
        why: "a full pass carries what wider filters let through, without a license",
      };
}

/** Why a remigration cannot be; null where it can. Pure. */
export type Hindrance =
  | { type: "short"; needed: number; free: number }
  | { type: "policy" }
  | { type: "not empty"; items: { entry: EntryId; items: number }[] };

export function hindrance(
  policy: Policy,
  facts: EntryFacts[],
  balance: Balance,
  wanted: { acceptsDuplicates: boolean },
): Hindrance | null {
  if (facts.length > balance.free) {
    return { type: "short", needed: facts.length, free: balance.free };
  }
  if (wanted.acceptsDuplicates && policy.remigration === "new license, target must be empty") {
    return { type: "policy" };
  }
  const full = facts.flatMap(({ entry, items }) =>
    (items ?? 0) > 0 ? [{ entry, items: items! }] : [],
  );
  if (full.length === 0 || wanted.acceptsDuplicates) return null;
  return { type: "not empty", items: full };
}
