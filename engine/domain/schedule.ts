import type { Instant } from "./clock.ts";
import type { PassId } from "./pass.ts";
import type { PassRequest } from "./plan.ts";
import type { ProjectId } from "./project.ts";
import type { Thread } from "./thread.ts";

/**
 * `waiting` for its time; `started` as a pass; `refused` when its time came, `reason` says why; `missed`: nobody was
 * there in time, and people are asked; `cancelled`.
 */
export type ScheduleState = "waiting" | "started" | "refused" | "missed" | "cancelled";

/** A pass that starts at a time. */
export interface Schedule {
  n: number;
  project: ProjectId;
  channel: Thread;
  /** Whose pass it is. */
  person: string;
  /** The second person, where one was needed. */
  approvedBy: string | null;
  request: PassRequest;
  at: Instant;
  state: ScheduleState;
  pass: PassId | null;
  reason: string | null;
}

/** The calendar of passes. Becoming a pass happens inside `Passes.submit`, once, whoever is alive. */
export interface Schedules {
  add(schedule: Omit<Schedule, "n" | "state" | "pass" | "reason">): Promise<number>;
  look(n: number): Promise<Schedule | null>;
  /** Those that wait or were missed, by their time. */
  open(project: ProjectId): Promise<Schedule[]>;
  /** Those whose time has come, earliest first. */
  due(now: Instant, limit: number): Promise<Schedule[]>;
  /** Another time for one that waits or was missed: false where it is neither any more. */
  move(n: number, at: Instant): Promise<boolean>;
  /** False where it does not wait (or was missed) any more. */
  cancel(n: number): Promise<boolean>;
  /** Ends one that waits for this time: false where another process was first. */
  end(n: number, at: Instant, state: "refused" | "missed", reason: string | null): Promise<boolean>;
  /** Refused or missed, and not yet told in their channels. */
  untold(): Promise<Schedule[]>;
  told(n: number): Promise<void>;
}
