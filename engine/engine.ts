import type { RunId } from "./domain/pass.ts";
import type { Queue } from "./domain/queue.ts";
import { carryRun, type Interruption, type Works } from "./worker.ts";

export interface EngineOptions {
  /** Runs carried at the same time. */
  concurrency: number;
  /** How often it looks for runs nobody rang for, in ms. */
  lookMs: number;
  /** How often it asks whether people want a run paused or stopped, in ms. */
  wantedMs: number;
}

export const engineDefaults: EngineOptions = { concurrency: 4, lookMs: 2_000, wantedMs: 300 };

/** An engine at work. */
export interface Engine extends AsyncDisposable {
  /** True while it carries a run. */
  busy(): boolean;
}

/**
 * Takes runs as the queue rings for them, and looks by itself from time to time: the queue is a bell, the
 * database the truth. Disposing lets each run finish its batch and leaves it to the next engine.
 */
export function startEngine(works: Works, queue: Queue, options: EngineOptions): Engine {
  const active = new Map<RunId, { abort: AbortController; done: Promise<void> }>();
  const due: RunId[] = [];
  let closing = false;

  const begin = (run: RunId) => {
    const abort = new AbortController();
    const done = carryRun(run, works, abort.signal)
      .catch((err: unknown) => works.log.error({ run, err }, "a run was left to the next look"))
      .finally(() => {
        active.delete(run);
        fill();
      });
    active.set(run, { abort, done });
  };
  const fill = () => {
    while (!closing && active.size < options.concurrency) {
      const run = due.shift();
      if (run === undefined) return;
      if (!active.has(run)) begin(run);
    }
  };
  const take = (run: RunId) => {
    if (closing || active.has(run) || due.includes(run)) return;
    due.push(run);
    fill();
  };
  const look = async () => {
    for (const run of await works.passes.waiting(options.concurrency * 4)) take(run);
  };
  const ask = async () => {
    if (active.size === 0) return;
    for (const [run, want] of await works.passes.wanted([...active.keys()])) {
      if (want !== "run") active.get(run)?.abort.abort(want satisfies Interruption);
    }
  };
  const looking = every(options.lookMs, look, works);
  const asking = every(options.wantedMs, ask, works);
  queue.listen(take);

  return {
    busy: () => active.size > 0 || due.length > 0,
    async [Symbol.asyncDispose]() {
      closing = true;
      await Promise.all([looking(), asking()]);
      const ending = [...active.values()];
      for (const { abort } of ending) abort.abort("shutdown" satisfies Interruption);
      await Promise.all(ending.map(({ done }) => done));
    },
  };
}

/** Does it now and then again; the answer ends it and waits for the one under way. */
function every(ms: number, work: () => Promise<void>, { log }: Works): () => Promise<void> {
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const round = () => {
    running = work()
      .catch((err: unknown) => log.error({ err }, "the database did not answer the engine"))
      .then(() => {
        if (!ended) timer = setTimeout(round, ms);
      });
  };
  round();
  return async () => {
    ended = true;
    clearTimeout(timer);
    await running;
  };
}
