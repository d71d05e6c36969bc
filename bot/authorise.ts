import { UserError } from "../engine/domain/errors.ts";
import type { Command, Role } from "./command.ts";
import type { Person } from "./surface.ts";

const ranks: Role[] = ["viewer", "operator", "owner"];

/**
 * Throws `UserError` where the person may not use the command, saying who may. Denies by default: without
 * a role only help is open.
 */
export function authorise(person: Person, command: Command, owners: string[]): void {
  if (command.role === "anyone") return;
  const role = roleOf(person, owners);
  if (role !== null && ranks.indexOf(role) >= ranks.indexOf(command.role)) return;
  throw new UserError(
    `\`${command.name}\` needs the role ${command.role}, and ${person.id} has ${role ?? "none"}; nothing was done. ${whoMay(owners)}`,
  );
}

/** Roles of their own come with a later version; until then the configuration names the owners. */
function roleOf(person: Person, owners: string[]): Role | null {
  return owners.includes(person.id) ? "owner" : null;
}

function whoMay(owners: string[]): string {
  if (owners.length === 0) return "Nobody may: set GODWIT_OWNERS.";
  const named = owners.slice(0, 3).join(", ");
  const more = owners.length > 3 ? ` and ${owners.length - 3} more` : "";
  return `${named}${more} may; ask them.`;
}
