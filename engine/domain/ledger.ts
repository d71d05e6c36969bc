import type { Instant } from "./clock.ts";
import type { Counters } from "./counters.ts";
import type { Fingerprint, FolderState, Identity } from "./item.ts";
import type { Fence } from "./owner.ts";
import type { RunId } from "./pass.ts";
import type { EntryId } from "./project.ts";

/** Later than any create date: a folder that is owed whole. */
export const everything: Instant = 8_640_000_000_000_000;

/** A source folder in an entry's ledger. */
export interface LedgerFolder {
  id: number;
  source: string;
  /** The target's path; null until it was mapped. Kept for good, so that later passes go to the same place. */
  target: string | null;
  mark: Mark | null;
  /** The UIDVALIDITY the carried rows stand under; null while there are none. */
  uidValidity: number | null;
  /**
   * What was not reached or could not be read and has no failures of its own: everything created before this
   * instant; null where nothing is owed. A retry lists the folder whole.
   */
  owed: Instant | null;
}

/**
 * Set by a pass without date limit that left nothing failed or in doubt in the folder: while the source
 * stands exactly here, a pass need not open it.
 */
export interface Mark {
  state: FolderState;
  listed: number;
  /** \Deleted and left out. */
  filtered: number;
  changed: number | null;
}

/** A batch about to be sent: written before its first byte, gone with its result. */
export interface Intent {
  id: number;
  folder: number;
  uidValidity: number;
  uids: number[];
  target: string;
  /** Where the target folder stood: what is added gets a UID from here up. */
  targetUidValidity: number;
  floor: number;
  /** The run that sent it; null where that was not noted yet. */
  run: RunId | null;
  /** Its items are in the ledger already and are put back: their rows are to stand for the new copies. */
  repairs: boolean;
  /** Not sooner may the target be asked; null where the usual quiet time is enough. */
  settlesAt: Instant | null;
}

/** A carried item. */
export interface Settled {
  uid: number;
  fingerprint: Fingerprint;
  modseq: number | null;
  size: number;
  targetUidValidity: number;
  targetUid: number | null;
  identity: Identity | null;
  /** As it was sent with. */
  flags: string[];
}

/** A carried item, and where it went. */
export interface Placed {
  run: RunId;
  uidValidity: number;
  uid: number;
  size: number;
  fingerprint: Fingerprint;
  /** As it was sent with; null for what was carried before that was kept. */
  flags: string[] | null;
  target: string;
  targetUidValidity: number;
  targetUid: number | null;
}

export interface FailedItem {
  uid: number;
  /** For people, harmless. */
  reason: string;
}

/** The result of a batch, or of one found again. */
export interface Settlement {
  run: RunId;
  /** The intent it answers; null for failures found before anything was sent (too large for the target). */
  intent: number | null;
  folder: number;
  uidValidity: number;
  items: Settled[];
  failed: FailedItem[];
  /** Of the intent: what nobody can judge yet and stays in doubt. */
  stays?: number[];
  /** Where the target stood when it was asked and showed all it has: what stays has a UID from here up, or none yet. */
  asked?: { targetUidValidity: number; floor: number };
  /** Replaces the run's counters of this folder. */
  counters: Counters;
}

/** Where a carried item stood at the source: a row of the ledger. */
export interface Numbered {
  uidValidity: number;
  uid: number;
}

/** A folder that the source has numbered anew. */
export interface Renumbering {
  to: number;
  /** What was carried, found again under the new number. */
  pairs: { old: Numbered; uid: number }[];
  /** Of the new numbers: what could not be read, and may have been carried. */
  unread: FailedItem[];
  run: RunId;
}

/**
 * What has been carried, for ever, per entry. Its key is (entry, source folder, UIDVALIDITY, UID).
 * Every write carries a fence and throws `FencedError` when that is out of date, having written nothing.
 */
export interface Ledger {
  /** Every folder the entry's ledger knows. */
  folders(entry: EntryId): Promise<LedgerFolder[]>;
  /** The row of this source folder, made where there is none. */
  folder(entry: EntryId, source: string, fence: Fence): Promise<LedgerFolder>;
  map(folder: number, target: string, fence: Fence): Promise<void>;
  mark(folder: number, mark: Mark | null, fence: Fence): Promise<void>;

  /** Carried UIDs between the two, both included: the run that carried each and its modseq then. */
  known(
    folder: number,
    uidValidity: number,
    from: number,
    to: number,
  ): Promise<Map<number, { run: RunId; modseq: number | null }>>;
  /** Identities of everything the entry has carried, in Base64; `without` counts items that have none. */
  identities(entry: EntryId): Promise<{ known: Set<string>; without: number }>;
  /** How many items of the folder were ever carried. */
  carried(folder: number): Promise<number>;
  /** UIDs that failed last time, rising. Failures are kept under the UIDVALIDITY they were met with. */
  failures(folder: number, uidValidity: number): Promise<number[]>;
  /** Whether any item of the folder failed last time, under whatever UIDVALIDITY. */
  hasFailures(folder: number): Promise<boolean>;
  /** How many items of the folder failed last time. */
  failed(folder: number): Promise<number>;
  /** Failed items that are no longer at the source: forgotten. */
  forget(folder: number, uidValidity: number, uids: number[], fence: Fence): Promise<void>;

  /**
   * Notes what a folder is owed: everything created before the instant, or nothing. `unmarked` for every folder
   * of the entry that has no mark and is owed less.
   */
  owe(folder: number | "unmarked", before: Instant | null, fence: Fence): Promise<void>;

  intend(intent: Omit<Intent, "id" | "settlesAt">, fence: Fence): Promise<number>;
  /** No batch in doubt of the entry is judged before this instant, by whatever run. */
  hold(entry: EntryId, until: Instant, fence: Fence): Promise<void>;
  intents(entry: EntryId): Promise<Intent[]>;
  /**
   * One transaction: the items are carried, failures noted (or forgotten for items now carried), the intent
   * is gone but for what stays, the run's counters of the folder are these. The first item a run carries consumes the entry's
   * reserved license and counts the pass in the same transaction, and the news of it is written.
   */
  settle(settlement: Settlement, fence: Fence): Promise<void>;
  /** Sets a run's counters of a folder, outside a batch. */
  count(run: RunId, folder: number, counters: Counters, fence: Fence): Promise<void>;
  counters(run: RunId, folder: number): Promise<Counters | null>;

  /** UIDs of this target folder, from the floor up, that carried rows of the entry claim. */
  claimed(
    entry: EntryId,
    target: string,
    targetUidValidity: number,
    floor: number,
  ): Promise<Set<number>>;
  /**
   * How many carried rows of the entry in this target folder have this fingerprint and were stored under
   * another UIDVALIDITY than the one given: copies that stand there but whose claims are void.
   */
  twins(
    entry: EntryId,
    target: string,
    fingerprint: Fingerprint,
    targetUidValidity: number,
  ): Promise<number>;
  /** What was carried from a folder under other UIDVALIDITYs than this one, by number: what a re-match starts from. */
  unmatched(
    folder: number,
    uidValidity: number,
  ): Promise<(Numbered & { fingerprint: Fingerprint })[]>;
  /** Everything carried from a folder, in pages, with where it went. */
  placed(folder: number): AsyncIterable<Placed[]>;
  /**
   * One transaction: these rows now stand under the new UIDVALIDITY with new UIDs; rows that found no match
   * keep the old one (gone at the source); marks of the old numbering are dropped, and its failures: with any of
   * them the folder is owed whole. What could not be read is a failure.
   */
  rematch(folder: number, change: Renumbering, fence: Fence): Promise<void>;
}
