import type { Instant } from "./clock.ts";
import type { ProjectId } from "./project.ts";
import type { Thread } from "./thread.ts";

/** A command that waits for a second person. */
export interface Approval {
  n: number;
  project: ProjectId;
  channel: Thread;
  /** Who asked, and cannot approve. */
  person: string;
  /** The command as it was understood: its name, and the words behind it. */
  command: { name: string; args: string[]; options: [string, string][] };
  /** What it would do when it was asked for, hashed: approved, it does that or nothing. */
  bound: string;
  /** The same for people, in a line. */
  told: string;
  expiresAt: Instant;
  /** What somebody chose; null while it waits. */
  chosen: { what: "approve" | "deny"; by: string; at: Instant } | null;
}

/** Commands that wait for a second person. */
export interface Approvals {
  ask(approval: Omit<Approval, "n" | "chosen">): Promise<number>;
  /** Chooses, once: false where somebody chose before, or there is none. */
  choose(n: number, chosen: NonNullable<Approval["chosen"]>): Promise<boolean>;
  /** The one of this number; null where there is none. */
  look(n: number): Promise<Approval | null>;
}
