import type { Instant } from "./domain/clock.ts";
import { UnavailableError } from "./domain/errors.ts";
import type { RunId } from "./domain/pass.ts";
import type { EntryId } from "./domain/project.ts";
import { MissingKeyError } from "./secrets.ts";
import type { Works } from "./works.ts";

const outOfDate =
  "The keys of this process do not open what is sealed now: `keys rotate` was typed with newer ones. It carries nothing until it is started again with GODWIT_KEYS as the other processes have it; what waits is left to them.";

const notAllOfThem =
  "A password is sealed with a key this process does not have. Its runs are left to other processes; start this one again with GODWIT_KEYS as they have it.";

/** How long a run is left alone whose password did not open, in ms: others take it, or enter it anew. */
const leftFor = 60_000;

/**
 * The same works, for a process that others may have outrun while keys are changed: it takes no run once its keys
 * open nothing any more, and a run whose password it cannot open stays as it is, for who can. Each is logged once.
 * `current` tells whether this process's keys open what is sealed now.
 */
export function withKeysAtHand(works: Works, current: () => Promise<boolean>): Works {
  const { passes, projects, clock, log } = works;
  const taken = new Map<EntryId, RunId>();
  const left = new Map<RunId, Instant>();
  const told = new Set<string>();
  const tell = (text: string, facts: { run?: RunId | undefined } = {}) => {
    if (!told.has(text)) log.error(facts, text);
    told.add(text);
  };
  const behind = async () => {
    if (await current()) return false;
    tell(outOfDate);
    return true;
  };
  const isLeft = (run: RunId) => (left.get(run) ?? 0) > clock.now();

  return {
    ...works,
    passes: {
      ...passes,
      async waiting(limit) {
        if (await behind()) return [];
        return (await passes.waiting(limit)).filter((run) => !isLeft(run));
      },
      async job(run) {
        if (await behind()) throw new UnavailableError(outOfDate);
        const job = await passes.job(run);
        taken.set(job.entry, run);
        return job;
      },
    },
    projects: {
      ...projects,
      async addresses(entry) {
        try {
          return await projects.addresses(entry);
        } catch (error) {
          if (!(error instanceof MissingKeyError)) throw error;
          const run = taken.get(entry);
          tell(notAllOfThem, { run });
          if (run !== undefined) left.set(run, clock.now() + leftFor);
          throw new UnavailableError(notAllOfThem, { cause: error });
        }
      },
    },
  };
}
