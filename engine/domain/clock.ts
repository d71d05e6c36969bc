/** Milliseconds since 1970-01-01T00:00:00Z. Travels in rows and JSON as a number. */
export type Instant = number;

/** Where time comes from. Tests bring a clock that stands still until it is moved. */
export interface Clock {
  now(): Instant;
  /** Ends after `ms`, or at once when the signal aborts (without an error). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The clock on the wall. */
export const wallClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done);
    }),
};
