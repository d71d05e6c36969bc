import { UserError } from "../engine/domain/errors.ts";
import type { Forecast } from "../engine/domain/forecast.ts";
import { ended } from "../engine/domain/pass.ts";
import type { PassPlan } from "../engine/domain/plan.ts";
import type { Reminder } from "../engine/domain/reminder.ts";
import { type Desk, preview } from "../engine/submit.ts";
import { nextTime } from "./recurrence.ts";
import { surfaceOf, taken } from "./speaking.ts";
import type { Surface } from "./surface.ts";
import { reminderAsks, reminderFolded } from "./wording/reminder.ts";

/** Reminds channels of what was to be done. */
export interface Reminding {
  tick(): Promise<void>;
}

/** Of one reminder's message: another time it comes has another. */
export const reminderKey = ({ n, times }: Pick<Reminder, "n" | "times">) => `remind:${n}:${times}`;

/** `surfaces`: those this process speaks on. */
export function makeReminding(desk: Desk, surfaces: Surface[]): Reminding {
  return {
    async tick() {
      for (const one of await desk.reminders.due(desk.clock.now(), 100)) await come(one, desk);
      for (const one of await desk.reminders.untold()) {
        const surface = surfaceOf(one.channel, surfaces);
        if (surface !== null) await taken(() => ask(one, desk, surface));
      }
    },
  };
}

/** However many times went by while nobody was there, it comes once. */
async function come({ n, at, recurs, project }: Reminder, desk: Desk): Promise<void> {
  const { zone } = await desk.projects.byId(project);
  const next = recurs === null ? null : nextTime(recurs.cron, zone, desk.clock.now());
  await desk.reminders.come(n, at, next);
}

async function ask(reminder: Reminder, desk: Desk, surface: Surface): Promise<void> {
  const { zone } = await desk.projects.byId(reminder.project);
  const before = await desk.posts.thread(reminderKey({ ...reminder, times: reminder.times - 1 }));
  const { plan, forecast, reason } = await gathered(reminder, desk);
  const last = (await desk.passes.recent(reminder.project, 20)).find(({ state }) => ended(state));
  const message = reminderAsks(reminder, plan, forecast, reason, last ?? null, zone);
  const key = reminderKey(reminder);
  const posted = await surface.post(reminder.channel, message, key);
  await desk.posts.note(key, posted);
  await desk.reminders.told(reminder.n, reminder.times);
  if (before !== null && reminder.folds) {
    await taken(() => surface.edit(before, { text: reminderFolded(reminder.n) }));
  }
}

/** What there is to do by now, and what it would take. */
async function gathered(
  { request, project }: Reminder,
  desk: Desk,
): Promise<{ plan: PassPlan | null; forecast: Forecast; reason: string | null }> {
  const nothing: Forecast = { entries: [], of: 0 };
  try {
    const plan = await preview(request, project, true, desk);
    const { kind, limit, filters } = plan;
    const entries = plan.entries.map(({ entry }) => entry);
    const forecast = await desk.forecaster.ask({ kind, limit, filters, entries });
    return { plan, forecast, reason: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { plan: null, forecast: nothing, reason: error.message };
  }
}
