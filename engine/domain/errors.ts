/**
 * Errors, sorted by who must act. Each adapter turns its SDK's errors into these in one place;
 * anything else is our own fault and flies to the one catch of the bot or the worker.
 */

/**
 * The operator must act. `message` is what the thread shows: what failed, what was not done and what
 * to type next. It never holds a secret, and outside text in it has been made `harmless`.
 */
export class UserError extends Error {
  override name = "UserError";
}

/** What a run waits for. The thread names it, with the time when it goes on. */
export type Waiting =
  | "connection"
  | "throttled"
  | "connection limit"
  | "server unavailable"
  | "doubt"
  | "owner"
  | "window";

/** Time must pass. The worker tries again, no sooner than `retryAfterMs` where the server said so. */
export class TransientError extends Error {
  override name = "TransientError";
  readonly waitingFor: Waiting;
  readonly retryAfterMs: number | undefined;
  /** The connection died without a word (a time-out): what was sent may still arrive. */
  readonly silent: boolean;
  /** The endpoint whose server takes nobody now, as far as one mailbox can tell; null where it may be this mailbox's. */
  readonly server: number | null;

  constructor(
    message: string,
    waitingFor: Waiting,
    options: {
      retryAfterMs?: number;
      silent?: boolean;
      server?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.waitingFor = waitingFor;
    this.retryAfterMs = options.retryAfterMs;
    this.silent = options.silent ?? false;
    this.server = options.server ?? null;
  }
}

/**
 * Nobody can act now: one folder cannot be read or made, the server's own words say why. The pass counts
 * its items as failed and goes on with the other folders.
 */
export class FolderError extends Error {
  override name = "FolderError";
}

/** Another process did it first: nothing is left to do. */
export class TakenError extends Error {
  override name = "TakenError";
}

/** What is kept cannot be reached now; nothing half done stands in it. Whoever asked tries again. */
export class UnavailableError extends Error {
  override name = "UnavailableError";
}

/** This process no longer owns the entry: another may be writing. Nothing more may be sent or recorded. */
export class FencedError extends Error {
  override name = "FencedError";
}

/**
 * Text from a mail server or a mailbox, made safe to show: control and direction characters removed,
 * white space folded, cut to `limit` characters. Markup is escaped later, by each surface's renderer.
 */
export function harmless(text: string, limit = 160): string {
  const plain = text
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  return plain.length > limit ? `${plain.slice(0, limit - 1)}…` : plain;
}

/** The first of many for a sentence, and how many more there are. */
export function firstOf(all: readonly string[], between: string, most = 10): string {
  const shown = all.slice(0, most).join(between);
  return all.length <= most ? shown : `${shown}${between}and ${all.length - most} more`;
}
