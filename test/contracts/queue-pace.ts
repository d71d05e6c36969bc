import type { Pace } from "../../engine/queues/pace.ts";

/** So short that a test need not wait, and long enough for a busy machine. */
export const testPace: Pace = {
  backoff: { times: 3, ms: 50 },
  ringMs: 2_000,
  askMs: 2_000,
  retryMs: 100,
  lockMs: 1_000,
  stalledMs: 300,
};
