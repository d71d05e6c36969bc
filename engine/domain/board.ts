import type { Instant } from "./clock.ts";
import { type Cutover, standing } from "./cutover.ts";
import type { LateSums } from "./late-mail.ts";
import { lowTtl, ownTtl } from "./mx.ts";
import type { Completed } from "./pass.ts";
import type { Entry, ProjectId } from "./project.ts";
import type { Thread } from "./thread.ts";

const hour = 60 * 60 * 1000;

/** The steps of a migration, in their order, each with when it is to be done, counted from the MX change (T). */
export const boardSteps = [
  { step: "ttl", from: -48 * hour },
  { step: "licenses", from: -7 * 24 * hour },
  { step: "verify", from: -7 * 24 * hour },
  { step: "prestage", from: -72 * hour },
  { step: "mx", from: 0 },
  { step: "delta", from: 2 * hour },
  { step: "sweep", from: 24 * hour },
  { step: "switch-off", from: 72 * hour },
] as const;

export type BoardStep = (typeof boardSteps)[number]["step"];

/** What people said of a step. */
export interface StepNote {
  step: BoardStep;
  /** Whose it is, as they are known; null where nobody said. */
  owner: string | null;
  /** Who says that it is done; null where nobody does. */
  tickedBy: string | null;
  tickedAt: Instant | null;
  note: string;
}

/** What the steps are reckoned from. */
export interface BoardFacts {
  entries: Entry[];
  /** Licenses that are neither used nor reserved. */
  free: number;
  completed: Completed[];
  /** Those that are open, and those that moved and have ended since. */
  cutovers: { cutover: Cutover; late: LateSums; entries: Entry[] }[];
}

/** How a step stands by what Godwit can see. `of` is 0 where there is nothing to count. */
export interface StepStanding {
  step: BoardStep;
  done: boolean;
  count: number;
  of: number;
  dueAt: Instant | null;
  /** Not done, and its time has come. */
  late: boolean;
  note: StepNote | null;
}

/** When the MX is changed: as planned, or as it was. Null where nobody said; the first of several that are to come. */
export function changeAt(cutovers: Cutover[]): Instant | null {
  const planned = cutovers.flatMap(({ state, plannedAt }) =>
    state === "watching" && plannedAt !== null ? [plannedAt] : [],
  );
  if (planned.length > 0) return Math.min(...planned);
  const moved = cutovers.flatMap(({ movedAt }) => movedAt ?? []);
  return moved.length > 0 && moved.length === cutovers.length ? Math.max(...moved) : null;
}

/** Whether nothing speaks for keeping the old system: every mailbox belongs to a cutover that is safe. Pure. */
export function isSafe({ entries, cutovers }: BoardFacts, now: Instant): boolean {
  const safe = cutovers.filter(({ cutover, late }) => standing(cutover, late, now).safe);
  const covered = new Set(safe.flatMap((one) => one.entries.map(({ id }) => id)));
  return safe.length > 0 && entries.every(({ id }) => covered.has(id));
}

/** How every step stands. Pure. */
export function standings(facts: BoardFacts, notes: StepNote[], now: Instant): StepStanding[] {
  const at = changeAt(facts.cutovers.map(({ cutover }) => cutover));
  return boardSteps.map(({ step, from }) => {
    const note = notes.find((one) => one.step === step) ?? null;
    const seen = seenOf(step, facts);
    const done = note?.tickedBy != null || (seen.of > 0 && seen.count >= seen.of);
    const dueAt = at === null ? null : at + from;
    return { step, ...seen, done, dueAt, late: !done && dueAt !== null && dueAt < now, note };
  });
}

function seenOf(step: BoardStep, facts: BoardFacts): { count: number; of: number } {
  const { entries, free, cutovers } = facts;
  const all = (done: (cutover: Cutover) => boolean) => ({
    count: cutovers.filter(({ cutover }) => done(cutover)).length,
    of: cutovers.length,
  });
  switch (step) {
    case "ttl":
      return all(({ movedAt, known }) => {
        const ttl = ownTtl(known.sight);
        return movedAt !== null || (ttl !== null && ttl <= lowTtl);
      });
    case "licenses": {
      const covered = entries.filter(({ license }) => license !== "none").length;
      return { count: Math.min(entries.length, covered + free), of: entries.length };
    }
    case "verify":
      return ran(facts, ["verify"]);
    case "prestage":
      return ran(facts, ["prestage", "full", "delta"]);
    case "mx":
      return all(({ movedAt }) => movedAt !== null);
    case "delta":
      return { count: swept(facts), of: entries.length };
    case "sweep":
      return all(({ safeAt }) => safeAt !== null);
    case "switch-off":
      return { count: 0, of: 0 };
  }
}

function ran({ entries, completed }: BoardFacts, kinds: Completed["kind"][]) {
  const done = new Set(completed.flatMap((one) => (kinds.includes(one.kind) ? [one.entry] : [])));
  return { count: entries.filter(({ id }) => done.has(id)).length, of: entries.length };
}

/** Mailboxes with a full pass that began after the MX of their domain had moved. */
function swept({ entries, completed, cutovers }: BoardFacts): number {
  const full = new Map<number, Instant>();
  for (const { entry, kind, startedAt } of completed) {
    if (kind !== "full" && kind !== "delta") continue;
    full.set(entry, Math.max(full.get(entry) ?? 0, startedAt));
  }
  return entries.filter(({ id }) => {
    const own = cutovers.filter((one) => one.entries.some((entry) => entry.id === id));
    const last = full.get(id) ?? 0;
    const after = ({ movedAt }: Cutover) => movedAt !== null && last >= movedAt;
    return own.length > 0 && own.every(({ cutover }) => after(cutover));
  }).length;
}

/** The boards: one a project, in one channel. */
export interface Boards {
  /** Where every project has its board. */
  all(): Promise<{ project: ProjectId; channel: Thread }[]>;
  /** The project's board is in this channel; null takes it down. */
  put(project: ProjectId, channel: Thread | null): Promise<void>;
  notes(project: ProjectId): Promise<StepNote[]>;
  assign(project: ProjectId, step: BoardStep, owner: string | null): Promise<void>;
  /** `by` null takes a tick back. */
  tick(
    project: ProjectId,
    step: BoardStep,
    by: string | null,
    at: Instant,
    note: string,
  ): Promise<void>;
}
