import type { Instant } from "./clock.ts";
import type { EntryId, ProjectId } from "./project.ts";

/** Of one entry's current license. */
export type LicenseState = "none" | "reserved" | "consumed" | "released";

/** Sums over a project's movements. free = owned - reserved - consumed. */
export interface Balance {
  owned: number;
  reserved: number;
  consumed: number;
  free: number;
}

/** One line of the license ledger; lines are only ever added. */
export interface Movement {
  at: Instant;
  kind: "grant" | "reserve" | "consume" | "release";
  count: number;
  by: string;
  entry: string | null;
  pass: number | null;
  note: string | null;
}

/** The books of a project's licenses. Reserving, consuming and releasing happen inside the passes' transactions. */
export interface Licenses {
  grant(project: ProjectId, count: number, by: string, note: string): Promise<Balance>;
  balance(project: ProjectId): Promise<Balance>;
  history(project: ProjectId, limit: number): Promise<Movement[]>;
  stateOf(entry: EntryId): Promise<LicenseState>;
}
