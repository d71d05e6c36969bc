import type { Clock } from "../engine/domain/clock.ts";
import { type OutageLog, triesOf } from "../engine/domain/outage.ts";
import type { Seat, Seated, Seats } from "../engine/domain/owner.ts";
import type { Narrator } from "./narrator.ts";

/** How often the narrator looks for news, in ms. */
const tickMs = 250;

/**
 * Keeps the narrator, and who else speaks unasked, telling while this process has its seat; another process that had it before
 * goes on until it dies. Disposing tells what there is and gives the seat back.
 */
export function startNarrating(
  speakers: Pick<Narrator, "tick">[],
  seat: Seat,
  seats: Seats,
  clock: Clock,
  log: OutageLog,
): AsyncDisposable {
  const over = new AbortController();
  const tries = triesOf("the narrator could not tell", log);
  const telling = (async () => {
    let held: Seated | null = null;
    try {
      while (!over.signal.aborted) {
        try {
          // With its connection to the database went the seat.
          if (held?.lost.aborted === true) held = null;
          held ??= await seats.take(seat);
          if (held !== null) for (const speaker of speakers) await speaker.tick();
          tries.worked();
        } catch (err) {
          // What was not told stays undelivered, and is told the next time.
          tries.failed(err);
        }
        await clock.sleep(tickMs, over.signal);
      }
    } finally {
      await held?.[Symbol.asyncDispose]();
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await telling;
    },
  };
}
