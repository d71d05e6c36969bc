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
  async sleep(ms, signal) {
    let left = ms;
    do {
      await pause(Math.min(left, longestTimerMs), signal);
      left -= longestTimerMs;
    } while (left > 0 && !signal?.aborted);
  },
};

/** A timer that is set for longer, some 24.8 days, ends at once. */
const longestTimerMs = 2 ** 31 - 1;

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal?.addEventListener("abort", done);
  });
}

/** The work's result, or an error when it takes longer. */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
