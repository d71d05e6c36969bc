import { type BoardFacts, isSafe, standings } from "../engine/domain/board.ts";
import type { Instant } from "../engine/domain/clock.ts";
import { mailboxesOf } from "../engine/domain/cutover.ts";
import { harmless } from "../engine/domain/errors.ts";
import type { Project, ProjectId } from "../engine/domain/project.ts";
import type { Thread } from "../engine/domain/thread.ts";
import type { Desk } from "../engine/submit.ts";
import type { Message } from "./message.ts";
import { type Pace, paceOf } from "./pace.ts";
import { surfaceOf } from "./speaking.ts";
import { ChatError, type Surface } from "./surface.ts";
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
export function makeBoardKeeper(
  desk: Desk,
  surfaces: Surface[],
  pace: Pace = paceOf(desk.clock, 0),
): BoardKeeper {
  const drawn = new Map<Thread, string>();
  let next: Instant = 0;
  return {
    async tick() {
      const now = desk.clock.now();
      if (now < next) return;
      next = now + drawMs;
      for (const { project, channel } of await desk.boards.all()) {
        const surface = surfaceOf(channel, surfaces);
        if (surface === null || !pace.mayEdit(channel)) continue;
        const shown = await boardShown(await desk.projects.byId(project), desk);
        const message = boardMessage(shown, now);
        // Asked last: it may have been posted anew meanwhile, or taken down.
        const root = await desk.posts.thread(boardKey(project));
        const state = JSON.stringify(message);
        if (root === null || drawn.get(root) === state) continue;
        if (!(await desk.boards.all()).some((one) => one.project === project)) continue;
        await draw(root, channel, message, surface, pace);
        drawn.set(root, state);
      }
    },
  };
}

/** One that is not taken is stale by the time it could be, and drawn with the next change. */
async function draw(
  root: Thread,
  channel: Thread,
  message: Message,
  surface: Surface,
  pace: Pace,
): Promise<void> {
  try {
    await surface.edit(root, message);
    pace.edited(channel);
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    pace.dropped(channel, error);
  }
}

/** What a project's board is reckoned from. */
export async function boardFacts({ id }: Pick<Project, "id">, desk: Desk): Promise<BoardFacts> {
  const [entries, { free }, completed, open, over] = await Promise.all([
    desk.projects.entries(id),
    desk.licenses.balance(id),
    desk.passes.completed(id),
    desk.cutovers.open(id),
    desk.cutovers.over(id),
  ]);
  const again = new Set(open.map(({ domain }) => domain));
  const cutovers = [...open, ...over.filter(({ domain }) => !again.has(domain))];
  return {
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
}

/** A project's board with what stands on it. */
export async function boardShown(project: Project, desk: Desk): Promise<BoardShown> {
  const { id, name, zone } = project;
  const now = desk.clock.now();
  const [facts, notes, running, schedules, reminders] = await Promise.all([
    boardFacts(project, desk),
    desk.boards.notes(id),
    desk.passes.running(id),
    desk.schedules.open(id),
    desk.reminders.open(id),
  ]);
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
    cutovers: facts.cutovers.map(({ cutover }) => cutover),
    mailboxes: facts.entries.length,
    safe: isSafe(facts, now),
    running,
    next: coming[0] ?? null,
  };
}

async function nameOf(person: string | null, { people }: Desk): Promise<string | null> {
  return person === null ? null : harmless(await people.name(person), 60);
}
