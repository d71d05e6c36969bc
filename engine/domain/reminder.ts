import type { Instant } from "./clock.ts";
import type { PassRequest } from "./plan.ts";
import type { ProjectId } from "./project.ts";
import type { Thread } from "./thread.ts";

/** `waiting` for its time; `asked`: the channel has it and nobody has answered; `ended` for good. */
export type ReminderState = "waiting" | "asked" | "ended";

/** Something people are asked for at a time, once or again and again. */
export interface Reminder {
  n: number;
  project: ProjectId;
  channel: Thread;
  person: string;
  request: PassRequest;
  /** When it recurs, as five fields of cron in the project's zone, and as it was typed; null for once. */
  recurs: { cron: string; typed: string } | null;
  /** It asks nobody: the pass is put in the calendar for that moment. */
  auto: boolean;
  /** When it is due next. */
  at: Instant;
  state: ReminderState;
  /** How often it came; the name of its newest message. */
  times: number;
  /** Since when nobody has answered; null where none is open. */
  unansweredSince: Instant | null;
  /** Its newest message takes the place of one that nobody answered. */
  folds: boolean;
  /** Its newest message has been posted. */
  told: boolean;
}

export interface Reminders {
  add(
    reminder: Pick<
      Reminder,
      "project" | "channel" | "person" | "request" | "recurs" | "auto" | "at"
    >,
  ): Promise<number>;
  look(n: number): Promise<Reminder | null>;
  /** Those that have not ended, by their time. */
  open(project: ProjectId): Promise<Reminder[]>;
  /** Those whose time has come, earliest first. */
  due(now: Instant, limit: number): Promise<Reminder[]>;
  /**
   * Its time has come: from here on it is asked (or, with `auto`, in the calendar), and due again at `next`; null
   * where it does not recur. False where another process did that for the time it had.
   */
  come(n: number, at: Instant, next: Instant | null): Promise<boolean>;
  /** Asked and not yet posted. */
  untold(): Promise<Reminder[]>;
  told(n: number, times: number): Promise<void>;
  /** Somebody answered: false where somebody did before. Due again at `at`, or as it was. */
  answer(n: number, at: Instant | null): Promise<boolean>;
  cancel(n: number): Promise<boolean>;
}
