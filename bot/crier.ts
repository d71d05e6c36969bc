import type { Desk } from "../engine/submit.ts";
import { surfaceOf, taken } from "./speaking.ts";
import type { Surface } from "./surface.ts";
import { scheduleNotStarted } from "./wording/schedule.ts";

/** Tells channels of scheduled passes that did not start. */
export interface Crier {
  tick(): Promise<void>;
}

/** `surfaces`: those this process speaks on. */
export function makeCrier(desk: Pick<Desk, "schedules" | "projects">, surfaces: Surface[]): Crier {
  return {
    async tick() {
      for (const schedule of await desk.schedules.untold()) {
        const surface = surfaceOf(schedule.channel, surfaces);
        if (surface === null) continue;
        const { zone } = await desk.projects.byId(schedule.project);
        const key = `schedule:${schedule.n}:${schedule.at}`;
        const message = scheduleNotStarted(schedule, zone);
        if (await taken(() => surface.post(schedule.channel, message, key))) {
          await desk.schedules.told(schedule.n);
        }
      }
    },
  };
}
