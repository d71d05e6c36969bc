import type { RunId } from "../domain/pass.ts";
import type { Queue } from "../domain/queue.ts";

/** A bell within one process. */
export function memoryQueue(): Queue {
  const listeners = new Set<(run: RunId) => void>();
  return {
    ring(run) {
      for (const answer of listeners) answer(run);
      return Promise.resolve();
    },
    listen(answer) {
      listeners.add(answer);
    },
    [Symbol.asyncDispose]() {
      listeners.clear();
      return Promise.resolve();
    },
  };
}
