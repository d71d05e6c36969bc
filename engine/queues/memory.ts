import type { RunId } from "../domain/pass.ts";
import type { Answer, Queue } from "../domain/queue.ts";
import { type Backoff, usualBackoff } from "./pace.ts";

interface Ring {
  run: RunId;
  turn: number;
  /** Answers that failed. */
  failed: number;
}

interface Listener {
  answer: Answer;
  concurrency: number;
  answers: Set<Promise<void>>;
}

/** A bell within one process. */
export function memoryQueue(backoff: Backoff = usualBackoff): Queue {
  const known = new Set<RunId>();
  const waiting: Ring[] = [];
  const later = new Set<NodeJS.Timeout>();
  const listeners = new Set<Listener>();
  let closed = false;

  const place = (ring: Ring) => {
    const before = waiting.findLastIndex(({ turn }) => turn <= ring.turn);
    waiting.splice(before + 1, 0, ring);
    fill();
  };
  const fill = () => {
    for (const listener of listeners) {
      while (listener.answers.size < listener.concurrency) {
        const ring = waiting.shift();
        if (ring === undefined) return;
        answer(ring, listener);
      }
    }
  };
  const answer = (ring: Ring, listener: Listener) => {
    const answered = listener
      .answer(ring.run)
      .then(
        () => void known.delete(ring.run),
        () => again({ ...ring, failed: ring.failed + 1 }),
      )
      .finally(() => {
        listener.answers.delete(answered);
        fill();
      });
    listener.answers.add(answered);
  };
  const again = (ring: Ring) => {
    if (closed || ring.failed >= backoff.times) {
      known.delete(ring.run);
      return;
    }
    const timer = setTimeout(
      () => {
        later.delete(timer);
        place(ring);
      },
      backoff.ms * 2 ** (ring.failed - 1),
    );
    timer.unref();
    later.add(timer);
  };

  return {
    ring(run, turn) {
      if (closed || known.has(run)) return Promise.resolve();
      known.add(run);
      place({ run, turn, failed: 0 });
      return Promise.resolve();
    },
    listen(answer, concurrency) {
      const listener: Listener = { answer, concurrency, answers: new Set() };
      listeners.add(listener);
      fill();
      return {
        async [Symbol.asyncDispose]() {
          listeners.delete(listener);
          await Promise.all(listener.answers);
        },
      };
    },
    serves: () => !closed,
    keeper: "this process",
    depth() {
      const under = [...listeners].reduce((sum, { answers }) => sum + answers.size, 0);
      return Promise.resolve({ waiting: waiting.length + later.size, active: under });
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const timer of later) clearTimeout(timer);
      const under = [...listeners].flatMap(({ answers }) => [...answers]);
      listeners.clear();
      await Promise.all(under);
    },
  };
}
