import type { Instant } from "./domain/clock.ts";
import { TransientError } from "./domain/errors.ts";
import { longestHoldMs, places } from "./domain/pace.ts";
import type { Job, Tries } from "./domain/pass.ts";
import type { Settings, Works } from "./works.ts";

/** How long a target may still store what it was sent before this, in ms. */
export function quiet(error: TransientError, settings: Settings): number {
  return error.silent ? settings.silentQuietMs : settings.quietMs;
}

/** A server that takes nobody is told from a mailbox that fails by itself, but not by a verify. */
export function kindOf(error: unknown, { kind }: Job): keyof Tries {
  const server = error instanceof TransientError && error.server !== null;
  return server && kind !== "verify" ? "server" : "own";
}

/** Tries of a kind before a run fails. */
export function mostTries(kind: keyof Tries, { tries, serverTries }: Settings): number {
  return kind === "server" ? serverTries : tries;
}

/** What a server said is a matter of all its mailboxes as well. */
export async function heard(error: TransientError, job: Job, works: Works): Promise<void> {
  if (error.server === null) return;
  const { entry, run } = job;
  const retryAfterMs = error.retryAfterMs ?? null;
  const pace = await works.paces.heard(error.server, { entry, retryAfterMs });
  const atOnce = places(pace, works.clock.now());
  works.log.info({ run, endpoint: error.server, atOnce }, "a mail server asks to wait");
}

/** When the next try is: each time later, and not before the server's own time. */
export function goesOn(error: TransientError, tries: number, { clock, settings }: Works): Instant {
  const backoff = settings.retryMs * Math.min(60, 2 ** (tries - 1));
  return clock.now() + Math.min(longestHoldMs, Math.max(error.retryAfterMs ?? 0, backoff));
}
