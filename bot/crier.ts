import type { Desk } from "../engine/submit.ts";
import { ChatError, type Surface } from "./surface.ts";
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
        const surface = surfaces.find(({ name }) => schedule.channel.startsWith(`${name}:`));
        if (surface === undefined) continue;
        const { zone } = await desk.projects.byId(schedule.project);
        try {
          const key = `schedule:${schedule.n}:${schedule.at}`;
          await surface.post(schedule.channel, scheduleNotStarted(schedule, zone), key);
          await desk.schedules.told(schedule.n);
        } catch (error) {
          // It is told when the channel can be reached.
          if (!(error instanceof ChatError)) throw error;
        }
      }
    },
  };
}
