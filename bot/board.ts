import { type BoardFacts, standings } from "../engine/domain/board.ts";
import type { Instant } from "../engine/domain/clock.ts";
import { mailboxesOf } from "../engine/domain/cutover.ts";
import { harmless } from "../engine/domain/errors.ts";
import { ended } from "../engine/domain/pass.ts";
import type { Project, ProjectId } from "../engine/domain/project.ts";
import type { Desk } from "../engine/submit.ts";
import { surfaceOf, taken } from "./speaking.ts";
import type { Surface } from "./surface.ts";
import { type BoardShown, boardMessage } from "./wording/board.ts";
import { requestText } from "./wording/schedule.ts";

/** Keeps every project's board as things stand. */
export interface BoardKeeper {
  tick(): Promise<void>;
}

/** How often a board may be drawn anew, in ms. */
const drawMs = 10_000;

/** Of a project's board. */
export const boardKey = (project: ProjectId) => `board:${project}`;

/** `surfaces`: those this process speaks on. Only what has changed is drawn. */
export function makeBoardKeeper(desk: Desk, surfaces: Surface[]): BoardKeeper {
  const drawn = new Map<string, string>();
  let next: Instant = 0;
  return {
    async tick() {
      const now = desk.clock.now();
      if (now < next) return;
      next = now + drawMs;
      for (const { project, channel } of await desk.boards.all()) {
        const surface = surfaceOf(channel, surfaces);
        const root = await desk.posts.thread(boardKey(project));
        if (surface === null || root === null) continue;
        const message = boardMessage(
          await boardShown(await desk.projects.byId(project), desk),
          now,
        );
        const state = JSON.stringify(message);
        if (drawn.get(root) === state) continue;
        if (await taken(() => surface.edit(root, message))) drawn.set(root, state);
      }
    },
  };
}

/** A project's board with what stands on it. */
export async function boardShown({ id, name, zone }: Project, desk: Desk): Promise<BoardShown> {
  const now = desk.clock.now();
  const [entries, { free }, completed, cutovers, notes, recent, schedules, reminders] =
    await Promise.all([
      desk.projects.entries(id),
      desk.licenses.balance(id),
      desk.passes.completed(id),
      desk.cutovers.open(id),
      desk.boards.notes(id),
      desk.passes.recent(id, 3),
      desk.schedules.open(id),
      desk.reminders.open(id),
    ]);
  const facts: BoardFacts = {
    entries,
    free,
    completed,
    cutovers: await Promise.all(
      cutovers.map(async (cutover) => ({
        cutover,
        late: await desk.cutovers.late(cutover.n),
        entries: mailboxesOf(entries, cutover.domain).entries,
      })),
    ),
  };
  const named = await Promise.all(
    notes.map(async (note) => ({
      ...note,
      owner: await nameOf(note.owner, desk),
      tickedBy: await nameOf(note.tickedBy, desk),
    })),
  );
  const coming = [...schedules, ...reminders]
    .filter(({ at }) => at > now)
    .sort((a, b) => a.at - b.at)
    .map(({ at, request }) => ({ at, what: requestText(request, zone) }));
  return {
    project: name,
    zone,
    steps: standings(facts, named, now),
    cutovers,
    mailboxes: entries.length,
    running: recent.filter(({ state }) => !ended(state)),
    next: coming[0] ?? null,
  };
}

async function nameOf(person: string | null, { people }: Desk): Promise<string | null> {
  return person === null ? null : harmless(await people.name(person), 60);
}
