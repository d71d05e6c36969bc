import type { Instant } from "./clock.ts";
import type { EntryId } from "./project.ts";

/** How many mailboxes may be carried at once at one mail server, by all engines together. */
export interface Pace {
  /** Set by people; null for as many as the engines have room for. */
  atOnce: number | null;
  /** The mailbox the server told to wait last, and when. */
  told: { entry: EntryId; at: Instant } | null;
  /** What the server's words made of it: from so many at once to so many, at that moment. */
  slowed: { from: number; to: number; at: Instant } | null;
  /** No run begins before this. */
  heldUntil: Instant | null;
}

/** What a mail server said while it was asked for one mailbox: to wait, or nothing at all. */
export interface Word {
  entry: EntryId;
  /** The pause it named, in ms. */
  retryAfterMs: number | null;
}

/** What a mail server is to the mailboxes that are carried there. */
export interface Standing {
  /** How many they are now. */
  busy: number;
  /** They are opened with one login: a word to one may mean every one. */
  shared: boolean;
}

export const unhurried: Pace = { atOnce: null, told: null, slowed: null, heldUntil: null };

/** Two mailboxes that are told to wait within this are no matter of one mailbox. */
const togetherMs = 5 * 60_000;

/** One burst of refusals slows once: what was begun before is still being refused. */
const burstMs = 30_000;

/** One mailbox more is tried each time this passes without a word. */
const easeMs = 60_000;

/** How long nobody is sent to a server that refuses even one mailbox at a time. */
const holdMs = 30_000;

/** No server holds up a migration, or one mailbox of it, for longer by one word. */
export const longestHoldMs = 60 * 60_000;

/** How many mailboxes may be carried at once now; null for any number. */
export function places(pace: Pace, now: Instant): number | null {
  const held = (pace.heldUntil ?? 0) - now;
  // Further off than any word holds: somebody's clock was wrong.
  if (held > 0 && held <= longestHoldMs) return 0;
  const slow = slowedTo(pace, now);
  if (slow === null || pace.atOnce === null) return slow ?? pace.atOnce;
  return Math.min(slow, pace.atOnce);
}

/** The mailboxes at once the server's words allow now; null where it said nothing, or that is over. */
function slowedTo({ slowed }: Pace, now: Instant): number | null {
  if (slowed === null) return null;
  const eased = slowed.to + Math.floor(Math.max(0, now - slowed.at) / easeMs);
  return eased < slowed.from ? eased : null;
}

/**
 * The pace after a word. Half as many where two mailboxes were told within minutes, as networks do it: halve at once,
 * add one at a time.
 */
export function heard(
  pace: Pace,
  { entry, retryAfterMs }: Word,
  { busy, shared }: Standing,
  now: Instant,
): Pace {
  const before = pace.told;
  const together = before !== null && before.entry !== entry && now - before.at < togetherMs;
  if (!together) return { ...pace, told: { entry, at: now } };
  const slow = slowedTo(pace, now);
  const held = holdFor(retryAfterMs, shared, slow);
  const heldUntil = held === null ? pace.heldUntil : Math.max(pace.heldUntil ?? 0, now + held);
  const told = { entry, at: now };
  if (slow !== null && now - pace.slowed!.at < burstMs) return { ...pace, told, heldUntil };
  const from = slow === null ? Math.max(2, busy) : pace.slowed!.from;
  const to = Math.max(1, Math.floor(Math.min(slow ?? busy, busy) / 2));
  return { ...pace, told, heldUntil, slowed: { from, to, at: now } };
}

/** A named pause means all that share a login; any pause, where one at a time is too much already. */
function holdFor(named: number | null, shared: boolean, slow: number | null): number | null {
  if (slow === 1) return Math.min(longestHoldMs, Math.max(holdMs, named ?? 0));
  return named !== null && shared ? Math.min(longestHoldMs, named) : null;
}

/** The paces of the mail servers, by endpoint. */
export interface Paces {
  of(endpoint: number): Promise<Pace>;
  /** People's own limit; null for none. What the server said is forgotten with it. */
  set(endpoint: number, atOnce: number | null): Promise<void>;
  /** The endpoint's server told a mailbox to wait. Answers the pace from now on. */
  heard(endpoint: number, word: Word): Promise<Pace>;
}
