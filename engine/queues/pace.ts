/** How often a ring whose answer failed is answered in all, and the first pause between; it doubles. */
export interface Backoff {
  times: number;
  ms: number;
}

export const usualBackoff: Backoff = { times: 5, ms: 1_000 };

/** How long a queue between processes waits for what, in ms. */
export interface Pace {
  backoff: Backoff;
  /** How long a ring waits for the store, and who stops listening for the note of what was answered. */
  ringMs: number;
  /** How long the store may take to answer when it is asked whether it serves. */
  askMs: number;
  /** Between two tries to reach a store that does not answer. */
  retryMs: number;
  /** How long a ring is its process's own without a sign of life. */
  lockMs: number;
  /** How often rings of dead processes are looked for. */
  stalledMs: number;
}

export const usualPace: Pace = {
  backoff: usualBackoff,
  ringMs: 1_000,
  askMs: 3_000,
  retryMs: 1_000,
  lockMs: 10_000,
  stalledMs: 5_000,
};
