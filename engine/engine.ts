import { UnavailableError } from "./domain/errors.ts";
import { triesOf } from "./domain/outage.ts";
import type { RunId } from "./domain/pass.ts";
import type { Queue } from "./domain/queue.ts";
import { closedUntil } from "./windows.ts";
import { carryRun } from "./worker.ts";
import type { Interruption, Works } from "./works.ts";

export interface EngineOptions {
  /** Runs carried at the same time. */
  concurrency: number;
  /** How often it looks for runs nobody rang for, in ms. */
  lookMs: number;
  /** How often it asks whether a run is to be paused or stopped, or its window has closed, in ms. */
  wantedMs: number;
}

export const engineDefaults: EngineOptions = { concurrency: 4, lookMs: 2_000, wantedMs: 300 };

/** An engine at work. */
export interface Engine extends AsyncDisposable {
  /** True while it carries a run. */
  busy(): boolean;
  /** How many runs it carries at this moment. */
  carrying(): number;
}

/** How many runs one look takes in: more than all engines carry together, for those are among them. */
const lookedFor = 200;

interface Carried {
  abort: AbortController;
  /** Fails where the run is left to another. */
  done: Promise<void>;
}

/** A run that was rung for and waits for room. */
interface Rung {
  run: RunId;
  answered: PromiseWithResolvers<void>;
}

/**
 * Takes runs as the queue rings for them, and looks by itself from time to time: the queue is a bell, the
 * database the truth. Both share its room, and nothing runs twice in it. Disposing lets each run finish its batch
 * and leaves it to the next engine.
 */
export function startEngine(works: Works, queue: Queue, options: EngineOptions): Engine {
  const active = new Map<RunId, Carried>();
  const rung: Rung[] = [];
  let due: RunId[] = [];
  let closing = false;
  const tries = triesOf("the database did not answer the engine", works.log);

  const carry = (run: RunId): Promise<void> => {
    const abort = new AbortController();
    due = due.filter((one) => one !== run);
    const done = carryRun(run, works, abort.signal)
      .catch((err: unknown) => {
        if (err instanceof UnavailableError) tries.failed(err);
        else works.log.error({ run, err }, "a run was left to the next look");
        throw err;
      })
      .then((carried) => {
        if (closing) throw leftToOthers();
        // Its place at a mail server may be that of one that did not stand in line.
        if (carried) looking.soon();
      })
      .finally(() => {
        active.delete(run);
        fill();
      });
    active.set(run, { abort, done });
    return done;
  };
  const fill = () => {
    while (!closing && active.size < options.concurrency) {
      const next = rung.shift();
      const run = next?.run ?? due.shift();
      if (run === undefined) return;
      const done = active.get(run)?.done ?? carry(run);
      next?.answered.resolve(done);
      done.catch(() => undefined);
    }
  };
  const answer = (run: RunId): Promise<void> => {
    if (closing) return Promise.reject(leftToOthers());
    const carried = active.get(run);
    if (carried !== undefined) return carried.done;
    const answered = Promise.withResolvers<void>();
    rung.push({ run, answered });
    fill();
    return answered.promise;
  };
  const look = async () => {
    // In the order of now: a project that came meanwhile has its turn.
    due = await works.passes.waiting(lookedFor);
    tries.worked();
    due = due.filter((run) => !active.has(run));
    fill();
  };
  const ask = async () => {
    if (active.size === 0) return;
    const runs = [...active.keys()];
    for (const [run, want] of await works.passes.wanted(runs)) {
      if (want !== "run") active.get(run)?.abort.abort(want satisfies Interruption);
    }
    for (const [run, { windows, zone }] of await works.passes.windows(runs)) {
      const closed = closedUntil(windows, zone, works.clock.now()) !== null;
      if (closed) active.get(run)?.abort.abort("window" satisfies Interruption);
    }
  };
  const looking = every(options.lookMs, look, tries.failed);
  const asking = every(options.wantedMs, ask, tries.failed);
  const listening = queue.listen(answer, options.concurrency);

  return {
    busy: () => active.size + rung.length + due.length > 0,
    carrying: () => active.size,
    async [Symbol.asyncDispose]() {
      closing = true;
      const silent = listening[Symbol.asyncDispose]();
      for (const { answered } of rung.splice(0)) answered.reject(leftToOthers());
      await Promise.all([looking.end(), asking.end()]);
      const ending = [...active.values()];
      for (const { abort } of ending) abort.abort("shutdown" satisfies Interruption);
      await Promise.allSettled(ending.map(({ done }) => done));
      await silent;
    },
  };
}

/** So that the queue rings for it elsewhere. */
function leftToOthers(): Error {
  return new Error("This engine is closing.");
}

/** Work done now and then again. */
interface Rounds {
  /** The next time is as soon as may be; not while it is under way. */
  soon(): void;
  /** Ends it and waits for the one under way. */
  end(): Promise<void>;
}

/** How soon after the last time the next may be, in ms. */
const soonMs = 50;

function every(ms: number, work: () => Promise<void>, failed: (error: unknown) => void): Rounds {
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let hurried = false;
  const round = () => {
    timer = undefined;
    hurried = false;
    running = work()
      .catch(failed)
      .then(() => {
        if (!ended) timer = setTimeout(round, hurried ? soonMs : ms);
      });
  };
  round();
  return {
    soon() {
      if (ended || hurried) return;
      hurried = true;
      // While one is under way its end looks at this.
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = setTimeout(round, Math.min(ms, soonMs));
    },
    async end() {
      ended = true;
      clearTimeout(timer);
      await running;
    },
  };
}
