import type { Instant } from "./clock.ts";
import type { Counters } from "./counters.ts";
import type { Waiting } from "./errors.ts";
import type { ItemType } from "./item.ts";
import type { Balance, LicenseState } from "./license.ts";
import type { Fence } from "./owner.ts";
import type { Policy } from "./policy.ts";
import type { EntryId, Filters, ProjectId } from "./project.ts";
import type { Survey } from "./provider.ts";
import type { Thread } from "./thread.ts";
import type { ZonedWindows } from "./window.ts";

export type PassId = number & { readonly brand?: "PassId" };
export type RunId = number & { readonly brand?: "RunId" };

/** `delta` is the word people type for a full pass over a ledger that holds rows; nothing else tells them apart. */
export const passKinds = [
  "verify",
  "trial",
  "prestage",
  "full",
  "delta",
  "retry",
  "repair",
] as const;
export type PassKind = (typeof passKinds)[number];

/** A verify carries nothing: it may run at any hour. */
export function isKeptToWindows(kind: PassKind): boolean {
  return kind !== "verify";
}

export const passStates = [
  "queued",
  "processing",
  "paused",
  "completed",
  "completed_with_errors",
  "failed",
  "stopped",
] as const;

export type PassState = (typeof passStates)[number];

export function ended(state: PassState): boolean {
  return (
    state === "completed" ||
    state === "completed_with_errors" ||
    state === "failed" ||
    state === "stopped"
  );
}

/** A pass as asked for, before anything is written. */
export interface NewPass {
  project: ProjectId;
  kind: PassKind;
  /** Only items created strictly before this are carried (prestage). */
  limit: Instant | null;
  types: ItemType[];
  filters: Filters;
  policy: Policy;
  startedBy: string;
  thread: Thread;
  /** The schedule it comes from: it becomes this pass, or `TakenError` is thrown. */
  schedule?: number;
  entries: { entry: EntryId; license: "none" | "reserve" }[];
}

/** Tries in a row that brought nothing. */
export interface Tries {
  /** That may be the mailbox's own trouble. */
  own: number;
  /** At which the server took nobody. */
  server: number;
}

export const noTries: Tries = { own: 0, server: 0 };

/** One entry's share of a pass, all a worker needs to begin. */
export interface Job {
  run: RunId;
  pass: PassId;
  entry: EntryId;
  project: ProjectId;
  kind: PassKind;
  limit: Instant | null;
  types: ItemType[];
  filters: Filters;
  /** Those before this one, of a run that was let go of. */
  tries: Tries;
  /** Of an entry that is carried again from scratch; null for the others. */
  remigration: {
    acceptsDuplicates: boolean;
    /** It goes first: what it brought is checked before the others of its remigration may begin. */
    first: boolean;
  } | null;
}

/** What a check of a carried mailbox found. */
export interface Checked {
  /** In the ledger, and of those what does not stand where it was put. */
  carried: number;
  missing: number;
  /** Beside what was carried, with the content of something that was. */
  duplicates: number;
  passed: boolean;
}

/** How a run ended or why it waits. */
export interface RunEnd {
  state: "completed" | "completed_with_errors" | "failed" | "stopped" | "paused";
  /** For people: why, where it is not simply completed. */
  reason: string | null;
  survey: { source: Survey; target: Survey } | null;
  /** Of a run that goes first; left out where nothing was checked. */
  checked?: Checked;
}

/** A pass and all its runs as they stand: what the thread and `status` are drawn from. */
export interface PassSnapshot {
  id: PassId;
  project: { id: ProjectId; name: string; zone: string };
  kind: PassKind;
  state: PassState;
  limit: Instant | null;
  startedBy: string;
  thread: Thread;
  createdAt: Instant;
  startedAt: Instant | null;
  endedAt: Instant | null;
  counters: Counters;
  /** What the listed items come to by the servers' counts, before they were listed; null while unknown. */
  expected: number | null;
  /** As it began with it. */
  policy: Policy;
  runs: RunSnapshot[];
  licenses: Balance;
}

export interface RunSnapshot {
  id: RunId;
  entry: EntryId;
  source: string;
  target: string;
  state: PassState;
  reason: string | null;
  waiting: { for: Waiting; until: Instant | null } | null;
  /** The mailbox that goes first, while this one waits for it to be checked. */
  after: string | null;
  counters: Counters;
  expected: number | null;
  passesUsed: number;
  license: LicenseState;
  survey: RunEnd["survey"];
}

/** A pass without its runs: what it brought, and when. */
export interface PassSums {
  id: PassId;
  kind: PassKind;
  state: PassState;
  startedAt: Instant | null;
  endedAt: Instant | null;
  migrated: number;
  /** Of the migrated items. */
  bytes: number;
}

/** A pass that carries everything, with what became of each mailbox. */
export interface FullPass {
  startedBy: string;
  createdAt: Instant;
  runs: { entry: EntryId; state: PassState }[];
}

/** A mailbox completed a pass of this kind; the newest of each kind. */
export interface Completed {
  entry: EntryId;
  kind: PassKind;
  /** Of the pass. */
  startedAt: Instant;
}

/** A run that waits, and its place among those of its project: 1 is the first. */
export interface Turn {
  run: RunId;
  turn: number;
}

/**
 * Passes and their runs. Every method that writes is one transaction, and writes the news of what it did
 * in the same transaction.
 */
export interface Passes {
  /**
   * Writes the pass, its runs and its reservations, all or none.
   * Throws `UserError` when an entry is in a pass that has not ended, or licenses are short: nothing is written then.
   */
  submit(pass: NewPass): Promise<PassId>;
  /**
   * Runs that wait for an engine: at most so many queued ones, and beside them those that are carried or were left
   * behind by an engine that died. The oldest of each project comes before the second of any, and of the oldest the
   * one whose project began none for the longest time, so that a large project holds up no small one; those that were
   * tried often in vain come behind all others. One whose remigration sends another
   * first is not among them before that was checked, one that was put off or let go of not before its time, and one
   * whose mail servers take no mailbox more not before they do.
   */
  waiting(limit: number): Promise<RunId[]>;
  /** The same, each with its place among those of its project. */
  turns(limit: number): Promise<Turn[]>;
  job(run: RunId): Promise<Job>;
  /**
   * The run begins (again): state processing, and the pass with it. False when it may not: ended, paused or stopped
   * meanwhile, put off, or one of its mail servers takes no mailbox more.
   */
  begin(run: RunId, fence: Fence): Promise<boolean>;
  /**
   * Asks `until` with the project's windows as they stand. Where it names a time, the run waits for that, queued, and
   * no engine has it: a pause or a stop that was asked for is done. True then; false where it may carry now, or may
   * not at all. Windows that change meanwhile are either those `until` saw, or end the wait.
   */
  putOff(
    run: RunId,
    until: (windows: ZonedWindows) => Instant | null,
    fence: Fence,
  ): Promise<boolean>;
  /** The windows each of these runs is kept to, as they stand; runs that are kept to none are left out. */
  windows(runs: RunId[]): Promise<Map<RunId, ZonedWindows>>;
  /** What people want of a run: the worker asks between batches. */
  wanted(runs: RunId[]): Promise<Map<RunId, "run" | "pause" | "stop">>;
  expect(run: RunId, items: number, fence: Fence): Promise<void>;
  /** What a run waits for, null for nothing. Told where it is another reason than before, unless `quietly`. */
  wait(
    run: RunId,
    waiting: { for: Waiting; until: Instant | null } | null,
    fence: Fence,
    how?: { quietly: boolean },
  ): Promise<void>;
  /**
   * The run waits until then, queued, and no engine has it: others may be carried in its place. A pause or a stop that
   * was asked for is done instead. `tries` is what its next `job` says.
   */
  letGo(
    run: RunId,
    waiting: { for: Waiting; until: Instant },
    tries: Tries,
    fence: Fence,
  ): Promise<void>;
  /**
   * The run ends or pauses. Counts the pass if it counts, releases a reservation nothing was written under,
   * and ends the pass with its last run.
   */
  end(run: RunId, end: RunEnd, fence: Fence): Promise<void>;
  /** Pauses, resumes or stops the runs of a pass (or one entry's); runs no engine has yet change at once. Answers how many it touched. */
  control(
    pass: PassId,
    want: "run" | "pause" | "stop",
    by: string,
    entry?: EntryId,
  ): Promise<number>;
  snapshot(pass: PassId): Promise<PassSnapshot>;
  /** Newest first. */
  recent(project: ProjectId, limit: number): Promise<PassSnapshot[]>;
  /** Those that have not ended, oldest first. */
  running(project: ProjectId): Promise<PassSnapshot[]>;
  /** Every pass of a project, oldest first. */
  sums(project: ProjectId): Promise<PassSums[]>;
  /** What the mailboxes of a project have completed. */
  completed(project: ProjectId): Promise<Completed[]>;
  /** The full passes and deltas of a project that were made since, oldest first. */
  fullSince(project: ProjectId, since: Instant): Promise<FullPass[]>;
  /** Passes of this thread's root message. */
  ofThread(thread: Thread): Promise<PassId | null>;
  /** The filters of an entry's latest pass that carried; null where there was none. */
  lastFilters(entry: EntryId): Promise<Filters | null>;
  /** Failed items with their reasons, for reports; newest first. */
  failures(
    pass: PassId,
    limit: number,
  ): Promise<{ entry: string; folder: string; uid: number; reason: string }[]>;
}
