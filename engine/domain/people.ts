import type { Instant } from "./clock.ts";
import type { ProjectId } from "./project.ts";

/** What somebody may do in a project; each holds what stands before it. */
export type Role = "viewer" | "operator" | "owner";

export const roles: readonly Role[] = ["viewer", "operator", "owner"];

/** A role somebody was given. `person` is an identity of a platform, like `slack:U0123`. */
export interface Grant {
  person: string;
  /** As the platform last told it; null where we never met. */
  name: string | null;
  role: Role;
  by: string;
  at: Instant;
}

/** Who we met, and who may do what in which project. */
export interface People {
  /** Keeps the newest name of somebody. */
  met(person: { id: string; name: string }): Promise<void>;
  /** The name of an identity; the identity itself where we never met. */
  name(id: string): Promise<string>;
  /** Gives somebody a role in place of the one they had; null takes it away. */
  grant(project: ProjectId, person: string, role: Role | null, by: string): Promise<void>;
  grants(project: ProjectId): Promise<Grant[]>;
  /** Null where nobody gave them one. */
  role(project: ProjectId, person: string): Promise<Role | null>;
  /** The projects somebody has a role in. */
  projects(person: string): Promise<ProjectId[]>;
}
