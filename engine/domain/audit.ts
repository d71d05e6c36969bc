import type { Instant } from "./clock.ts";
import type { ProjectId } from "./project.ts";

/** Who did what, and what came of it. No secrets, no content. */
export interface AuditLine {
  at: Instant;
  who: string;
  project: ProjectId | null;
  /** The command as understood, without values of secrets. */
  did: string;
  outcome: "done" | "refused" | "failed";
  /** The reference told to the person, where something failed. */
  reference: string | null;
  /** Where what was typed or pressed can be read; null where there is no such address. */
  link: string | null;
}

/** Append only. */
export interface Audit {
  note(line: Omit<AuditLine, "at">): Promise<void>;
  recent(project: ProjectId | null, limit: number): Promise<AuditLine[]>;
}
