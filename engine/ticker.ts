import type { Clock } from "./domain/clock.ts";
import { harmless, TakenError, UserError } from "./domain/errors.ts";
import { type OutageLog, triesOf } from "./domain/outage.ts";
import { roles } from "./domain/people.ts";
import { overSecondPerson } from "./domain/plan.ts";
import type { ProjectId } from "./domain/project.ts";
import type { Schedule } from "./domain/schedule.ts";
import { type Desk, preview, submit } from "./submit.ts";

/** How late a pass may start by itself; later, people are asked. */
export const graceMs = 30 * 60 * 1000;

/** How often it is looked what is due, in ms. */
const lookMs = 1_000;

/**
 * Starts what is due, each once whatever other processes do at the same moment. What cannot start, or whose person
 * may no longer run passes, is refused with its reason; what is too late is missed; both are told by whoever speaks
 * in the channel. `owners`: people who may do everything, by the configuration.
 */
export async function startDue(desk: Desk, owners: readonly string[]): Promise<void> {
  for (const schedule of await desk.schedules.due(desk.clock.now(), 100)) {
    if (desk.clock.now() - schedule.at > graceMs) {
      await desk.schedules.end(schedule.n, schedule.at, "missed", null);
    } else await startOne(schedule, desk, owners);
  }
}

async function startOne(schedule: Schedule, desk: Desk, owners: readonly string[]): Promise<void> {
  const { n, at, project, person, channel, approvedBy } = schedule;
  // Its time is now.
  const { at: _, ...request } = schedule.request;
  try {
    if (!(await mayRun(person, project, desk, owners))) {
      const name = harmless(await desk.people.name(person), 60);
      throw new UserError(
        `${name} may no longer run passes here: without a role for it in this project, and not in the GODWIT_OWNERS of the process that asked. Nothing was started. Somebody who may types the command again.`,
      );
    }
    // Nobody is there to be asked.
    const plan = await preview(request, project, false, desk);
    if (overSecondPerson(plan) && approvedBy === null) {
      throw new UserError(
        "It is over more mailboxes by now than one person may start alone. Nothing was started. Type the command again.",
      );
    }
    await submit(plan, { who: person, thread: channel, schedule: n }, desk);
  } catch (error) {
    if (error instanceof TakenError) return;
    if (!(error instanceof UserError)) throw error;
    await desk.schedules.end(n, at, "refused", error.message);
  }
}

/** Whether somebody may run passes of a project by now. */
async function mayRun(
  person: string,
  project: ProjectId,
  { people }: Desk,
  owners: readonly string[],
): Promise<boolean> {
  if (owners.includes(person)) return true;
  const role = await people.role(project, person);
  return role !== null && roles.indexOf(role) >= roles.indexOf("operator");
}

/** Keeps starting what is due until it is disposed. */
export function startTicking(
  desk: Desk,
  owners: readonly string[],
  clock: Clock,
  log: OutageLog,
): AsyncDisposable {
  const over = new AbortController();
  const tries = triesOf("what is due could not be started", log);
  const ticking = (async () => {
    while (!over.signal.aborted) {
      try {
        await startDue(desk, owners);
        tries.worked();
      } catch (err) {
        // It stays due.
        tries.failed(err);
      }
      await clock.sleep(lookMs, over.signal);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await ticking;
    },
  };
}
