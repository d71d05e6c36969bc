import type { Instant } from "./clock.ts";
import type { EntryId } from "./project.ts";

/** A mail that came to the old system after the change. */
export interface LateMail {
  entry: EntryId;
  folder: string;
  uidValidity: number;
  uid: number;
  /** Its create date. */
  at: Instant;
  /** The domain of its From address; null where it has none that can be read. */
  from: string | null;
}

/** Late mail together. */
export interface LateSums {
  mails: number;
  mailboxes: number;
  /** Neither in the ledger, nor seen to be gone, moved or left out. */
  waiting: number;
  lastAt: Instant | null;
  /** The domains it came from, most first, at most ten. */
  from: { domain: string | null; mails: number }[];
}

/** Up to where a folder of an old mailbox was looked at. */
export interface LateMark {
  folder: string;
  uidValidity: number;
  uidNext: number;
}

/** Looks through old mailboxes for mail that came since. */
export interface LateWatch {
  /**
   * Opens the mailbox's folders that grew since their marks and answers what came to them from `since` on, and the
   * new marks. Sent mail, drafts, junk and what was thrown away are no deliveries. Never throws for what a mail
   * server does: then `problem` says why, and the marks are as they were.
   */
  look(entry: EntryId, marks: LateMark[], since: Instant): Promise<LateFound>;
}

export interface LateFound {
  mails: LateMail[];
  marks: LateMark[];
  problem: string | null;
}

/** What is kept of late mail, by the number of its cutover. */
export interface LateMails {
  marks(n: number, entry: EntryId): Promise<LateMark[]>;
  /** Keeps late mail (known ones once) together with the marks. */
  found(n: number, entry: EntryId, found: Pick<LateFound, "mails" | "marks">): Promise<void>;
  /** Late mail that was found until now waits for nothing: it is carried, or nobody's to carry any more. */
  settle(n: number): Promise<void>;
  late(n: number): Promise<LateSums>;
}
