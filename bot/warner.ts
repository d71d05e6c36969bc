import type { Clock, Instant } from "../engine/domain/clock.ts";
import { type Warning, warnings } from "../engine/domain/license.ts";
import type { Project } from "../engine/domain/project.ts";
import type { Desk } from "../engine/submit.ts";
import { once, surfaceOf, taken } from "./speaking.ts";
import type { Surface } from "./surface.ts";
import { warningLines } from "./wording/licenses.ts";

/** Tells linked channels what runs out, before it does. */
export interface Warner {
  /** Tells what is due and was not told yet. Called again and again. */
  tick(): Promise<void>;
}

/** How often it looks, in ms. */
const lookMs = 60 * 60 * 1000;
/** Days before the end at which a window is spoken of once more. */
const steps = [14, 7, 3, 1];
const day = 24 * 60 * 60 * 1000;

/** `surfaces`: those this process speaks on. What was told is kept with the posts, so that it is told once. */
export function makeWarner(
  desk: Pick<Desk, "projects" | "licenses" | "posts">,
  surfaces: Surface[],
  clock: Clock,
): Warner {
  let next: Instant = 0;
  return {
    async tick() {
      if (clock.now() < next) return;
      next = clock.now() + lookMs;
      for (const project of await desk.projects.list()) {
        if (!project.closed) await warn(project, desk, surfaces, clock);
      }
    },
  };
}

async function warn(
  project: Project,
  { projects, licenses, posts }: Pick<Desk, "projects" | "licenses" | "posts">,
  surfaces: Surface[],
  clock: Clock,
): Promise<void> {
  const [entries, balance, channels] = await Promise.all([
    projects.entries(project.id),
    licenses.balance(project.id),
    projects.channels(project.id),
  ]);
  const all = warnings(project.policy, entries, balance, clock.now());
  for (const { key, about } of occasions(all, balance, clock.now())) {
    for (const channel of channels) {
      const surface = surfaceOf(channel, surfaces);
      if (surface === null) continue;
      const text = warningLines(about, project.zone).join("\n");
      const told = `warning:${project.id}:${key}:${channel}`;
      await taken(() => once(told, channel, { text, tone: "warning" }, surface, posts));
    }
  }
}

/** What is worth a message of its own, each with a name it is told under once. */
function occasions(
  all: Warning[],
  { owned, consumed }: { owned: number; consumed: number },
  now: Instant,
): { key: string; about: Warning[] }[] {
  const found: { key: string; about: Warning[] }[] = [];
  const short = all.filter(({ type }) => type === "licenses");
  // Before the first is used, the plan says it.
  if (short.length > 0 && consumed > 0) found.push({ key: `licenses:${owned}`, about: short });
  const windows = all.filter((one) => one.type === "window");
  // What is over is told once; together, where the same day ended it.
  for (const [ended, about] of Map.groupBy(
    windows.filter(({ over }) => over),
    ({ until }) => Math.floor(until / day),
  )) {
    found.push({ key: `over:${ended}`, about });
  }
  const open = windows.filter(({ over }) => !over).sort((a, b) => a.until - b.until);
  const [first] = open;
  if (first === undefined) return found;
  const left = Math.ceil((first.until - now) / day);
  const step = steps.findLast((days) => left <= days);
  if (step !== undefined) {
    found.push({ key: `window:${first.entry}:${first.until}:${step}`, about: open });
  }
  return found;
}
