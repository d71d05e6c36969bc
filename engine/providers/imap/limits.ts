/**
 * What is taken from a mail server, which may be broken or lie. A folder or message beyond fails alone where the
 * protocol lets us go on; else the connection is closed, and the run tries again like after any lost connection.
 */
export interface Limits {
  /** From the first byte to a mailbox logged in, in ms: each step is quick, and an answer that drips is never silent. */
  loginMs: number;
  /**
   * A command, in ms, beside the time its useful bytes may take at `leastRate` and what it lists at `leastListed`.
   * Longer than a server may be silent: some sum up a large folder before they say a word.
   */
  commandMs: number;
  /** Bytes a second below which a server is not slow but stuck: a fifth of a bad mobile line. */
  leastRate: number;
  /** Messages listed a second below which it is stuck: some servers open a file for each. */
  leastListed: number;
  /**
   * Bytes of one literal. Messages come in pieces of 4 MB; a server that knows no pieces hands over whole ones. The
   * parser holds a literal twice at its end, and an engine has several mailboxes.
   */
  literal: number;
  /** Bytes of a message, however many pieces it comes in: no mail system known to us takes more. It is held once. */
  message: number;
  /** Bytes of one answer beside its literals. The parser takes 200 bytes of memory for a short word. */
  line: number;
  /** Words, brackets and quotes of one answer. Room for 100,000 keywords, so that they cost one message only. */
  tokens: number;
  /**
   * For each run of bytes without a space, half the square of its length, summed over an answer: the parser copies what
   * it has of a word with some bytes that follow. A name of 10,000 bytes fits.
   */
  work: number;
  /** Literals of one answer: an envelope may have several for each address. */
  literals: number;
  /** Answers nobody asked for, for one command or between two: a folder somebody marks as read tells of each message. */
  answers: number;
  /** Folders of a mailbox. Each is a row, and often a command. */
  folders: number;
  /** Levels of a folder. Servers stop at some tens. */
  depth: number;
  /** Bytes of a folder's name as the server writes it. PostgreSQL takes a third of a page into an index. */
  name: number;
  /** Messages of a folder: a listing of so many takes 100 MB. */
  items: number;
  /** Flags of a message, and bytes of one; what is beyond is left out. Servers keep some tens. */
  flags: number;
  flag: number;
}

const MiB = 1024 * 1024;

export const usualLimits: Limits = {
  loginMs: 120_000,
  commandMs: 600_000,
  leastRate: 4096,
  leastListed: 10,
  literal: 64 * MiB,
  message: 200 * MiB,
  line: MiB,
  tokens: 131_072,
  work: 64 * MiB,
  literals: 1000,
  answers: 200_000,
  folders: 20_000,
  depth: 50,
  name: 1000,
  items: 1_000_000,
  flags: 200,
  flag: 255,
};

/** The largest UID, UIDVALIDITY and UIDNEXT there can be (RFC 9051 §9, nz-number). */
const largest = 2 ** 32 - 1;

/** A number as IMAP counts messages and UIDs, from `least` up; null for anything else a server may say. */
export function natural(text: unknown, least = 0): number | null {
  const number = /^\d{1,20}$/.test(String(text ?? "")) ? Number(text) : Number.NaN;
  return number >= least && number <= largest ? number : null;
}

/** The largest message a server may tell of: more than any disk of one holds. */
const largestSize = 2 ** 40;

/** A size in bytes; null for anything else a server may say. */
export function sized(text: unknown): number | null {
  const number = /^\d{1,20}$/.test(String(text ?? "")) ? Number(text) : Number.NaN;
  return number <= largestSize ? number : null;
}
