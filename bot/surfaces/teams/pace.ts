import type { Clock, Instant } from "../../../engine/domain/clock.ts";
import { ChatError } from "../../surface.ts";

/** What Teams takes of a bot in one thread: so many messages in so long. */
const limits = [
  { most: 7, ms: 1000 },
  { most: 8, ms: 2000 },
  { most: 60, ms: 30_000 },
  { most: 1800, ms: 3_600_000 },
] as const;

const longest = 3_600_000;

/** Notes a message about to be sent to a thread; throws `ChatError` where Teams would take it for too many. */
export type Pace = (thread: string) => void;

/** The limits of Teams, kept before they are reached. */
export function teamsPace(clock: Clock): Pace {
  const sent = new Map<string, Instant[]>();
  return (thread) => {
    const now = clock.now();
    const past = (sent.get(thread) ?? []).filter((at) => at > now - longest);
    const wait = waitOf(past, now);
    if (wait > 0) {
      throw new ChatError("Teams takes no more messages there now.", "limited", {
        retryAfterMs: wait,
      });
    }
    // The newest stands last, so that the threads nobody writes to are the first to be forgotten.
    sent.delete(thread);
    sent.set(thread, [...past, now]);
    const [oldest] = sent.keys();
    if (sent.size > 5000 && oldest !== undefined) sent.delete(oldest);
  };
}

/** How long until one more may be sent. Pure. */
export function waitOf(past: Instant[], now: Instant): number {
  const waits = limits.map(({ most, ms }) => {
    const first = past.at(-most);
    return first === undefined ? 0 : first + ms - now;
  });
  return Math.max(0, ...waits);
}
