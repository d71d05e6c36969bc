import { within } from "../domain/clock.ts";
import type { RunId } from "../domain/pass.ts";
import type { Answer, Queue } from "../domain/queue.ts";
import { keepLine, type Lines, type Log } from "./line.ts";
import { type Pace, usualPace } from "./pace.ts";
import { type BellQueue, type BellWorker, type Store, storeOf } from "./store.ts";

/** The largest priority BullMQ knows. */
const lastTurn = 2_097_151;

interface Listener {
  answer: Answer;
  concurrency: number;
  answers: Set<Promise<void>>;
  closed: boolean;
}

/** What is open to the store. */
interface Line {
  bells: BellQueue;
  workers: Map<Listener, BellWorker>;
}

/**
 * A bell between processes: BullMQ on Redis or PostgreSQL, by the URL. The store may be missing at the start,
 * die, freeze or forget: rings are lost then, and logged once.
 */
export function bullmqQueue(url: string, log: Log, pace: Pace = usualPace): Queue {
  const store = storeOf(url, pace);
  const listeners = new Map<Listener, AsyncDisposable>();
  const kept = keepLine(linesTo(store, listeners, pace), pace.retryMs, log);
  let closed = false;

  return {
    async ring(run, turn) {
      if (closed) return;
      // An opening that takes long tells of itself.
      const line = await within(pace.ringMs, kept.use()).catch(() => null);
      if (line === null) return;
      const rung = line.bells.add({ run }, optionsOf(run, turn, pace));
      await within(pace.ringMs, rung).catch(kept.broke);
    },
    listen(answer, concurrency) {
      const listener: Listener = { answer, concurrency, answers: new Set(), closed };
      const listening = {
        async [Symbol.asyncDispose]() {
          listener.closed = true;
          listeners.delete(listener);
          const worker = kept.open()?.workers.get(listener);
          // Where the store fails it hears nothing of it, and nobody waits.
          const noted = worker?.pause().catch(() => undefined);
          await Promise.allSettled(listener.answers);
          const serves = noted !== undefined && (await kept.use()) !== null;
          // A ring whose answer is not noted comes again, to somebody who sees that the run is over.
          if (serves) await within(pace.ringMs, noted).catch(() => undefined);
          await worker?.end();
        },
      };
      if (closed) return listening;
      listeners.set(listener, listening);
      const line = kept.open();
      line?.workers.set(listener, workerOf(store, listener, kept.broke));
      return listening;
    },
    serves: () => !closed && kept.serves(),
    keeper: store.keeper,
    async depth() {
      if (closed) return null;
      const line = await within(pace.askMs, kept.use()).catch(() => null);
      if (line === null) return null;
      return within(pace.askMs, line.bells.depth()).catch((error: unknown) => {
        kept.broke(error);
        return null;
      });
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all([...listeners.values()].map((one) => one[Symbol.asyncDispose]()));
      await kept[Symbol.asyncDispose]();
    },
  };
}

function linesTo(store: Store, listeners: Map<Listener, unknown>, pace: Pace): Lines<Line> {
  return {
    async open(broke, signal) {
      const bells = store.queue();
      const failed = new Promise<never>((_, reject) => {
        bells.onError((error) => {
          reject(error);
          broke(error);
        });
      });
      failed.catch(() => undefined);
      try {
        const ready = Promise.race([bells.ready(), failed]);
        await within(pace.askMs, unlessClosing(ready, signal));
      } catch (error) {
        await bells.end();
        throw error;
      }
      const workers = new Map<Listener, BellWorker>();
      for (const one of listeners.keys()) workers.set(one, workerOf(store, one, broke));
      return { bells, workers };
    },
    async ask({ bells }, signal) {
      // Something has to be written: a full Redis, or one that became a replica, answers every question.
      await within(pace.askMs, unlessClosing(bells.write(), signal));
    },
    async close({ bells, workers }) {
      await Promise.all([bells, ...workers.values()].map((one) => one.end()));
    },
  };
}

/** The work's result, or an error at once when the queue closes: what does not answer is not waited for. */
async function unlessClosing<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const closing = () => reject(new Error("the queue is closing"));
  if (signal.aborted) closing();
  signal.addEventListener("abort", closing);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", closing);
  }
}

function workerOf(store: Store, listener: Listener, broke: (error: unknown) => void): BellWorker {
  const worker = store.worker(async (bell) => {
    const run = runOf(bell);
    if (run === null) return;
    // Nothing of the error's own goes into the store.
    if (listener.closed) throw new Error("nobody answers here any more");
    const answered = listener.answer(run).catch(() => {
      throw new Error("the answer failed");
    });
    listener.answers.add(answered);
    await answered.finally(() => listener.answers.delete(answered));
  }, listener.concurrency);
  worker.onError(broke);
  return worker;
}

/** Null for what no Godwit of this version rang. */
export function runOf(bell: unknown): RunId | null {
  const run = (bell as { run?: unknown } | null)?.run;
  return typeof run === "number" && Number.isSafeInteger(run) && run > 0 ? run : null;
}

function optionsOf(run: RunId, turn: number, { backoff }: Pace) {
  return {
    // While it is there, the same run is not rung for again; answered, it is gone.
    jobId: `run-${run}`,
    priority: Math.max(1, Math.min(turn, lastTurn)),
    attempts: backoff.times,
    backoff: { type: "exponential", delay: backoff.ms },
    removeOnComplete: true,
    removeOnFail: true,
  };
}
