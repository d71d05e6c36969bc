import { harmless, UserError } from "../engine/domain/errors.ts";
import { type Role, roles } from "../engine/domain/people.ts";
import type { Project, ProjectId } from "../engine/domain/project.ts";
import { aboutAll, type Command, type Context, type Words } from "./command.ts";
import { projectOf } from "./linked.ts";
import type { Person } from "./surface.ts";

/**
 * Throws `UserError` where the person may not use the command, saying who may. Denies by default: without a
 * role only help is open. Asked each time anew, also when a button is pressed or a form is sent. Answers the
 * project it is about, where it is about one.
 */
export async function authorise(
  command: Command,
  words: Words,
  context: Context,
): Promise<ProjectId | null> {
  if (command.role === "anyone") return null;
  const { person } = context;
  // A stranger learns nothing of projects, not even whether there is one of a name.
  if (!(await isKnown(context))) throw denied(command, null, await whoMay(null, context));
  const about = await (command.about ?? projectOf)(words, context);
  if (about === "any project") return null;
  const project = about === "all projects" ? null : about;
  const role = await roleOf(person, project, context);
  if (role !== null && roles.indexOf(role) >= roles.indexOf(command.role)) {
    return project?.id ?? null;
  }
  throw denied(command, role, await whoMay(project, context), person);
}

/** The role of a person in a project; null for the project asks for all of them, which only the configuration gives. */
async function roleOf(
  person: Person,
  project: Project | null,
  { desk, options }: Pick<Context, "desk" | "options">,
): Promise<Role | null> {
  const given = options.owners.includes(person.id)
    ? "owner"
    : project === null
      ? null
      : await desk.people.role(project.id, person.id);
  return person.guest && given !== null ? "viewer" : given;
}

async function isKnown({ desk, options, person }: Context): Promise<boolean> {
  return options.owners.includes(person.id) || (await desk.people.projects(person.id)).length > 0;
}

function denied(command: Command, role: Role | null, whoMay: string, person?: Person): UserError {
  const has =
    person?.guest === true
      ? "guests and people of other organisations can only look"
      : `you have ${role ?? "none"}`;
  if (command.about === aboutAll && person?.guest !== true) {
    return new UserError(
      `\`${command.name}\` is for those who stand in GODWIT_OWNERS; nothing was done. ${whoMay}`,
    );
  }
  return new UserError(
    `\`${command.name}\` needs the role ${command.role}, and ${has}; nothing was done. ${whoMay}`,
  );
}

async function whoMay(
  project: Project | null,
  { desk, options }: Pick<Context, "desk" | "options">,
): Promise<string> {
  const grants = project === null ? [] : await desk.people.grants(project.id);
  const granted = grants.filter((one) => one.role === "owner").map((one) => one.person);
  const owners = [...new Set([...granted, ...options.owners])];
  if (owners.length === 0) return "Nobody may: set GODWIT_OWNERS.";
  const named = await Promise.all(owners.slice(0, 3).map((id) => desk.people.name(id)));
  const more = owners.length > 3 ? ` and ${owners.length - 3} more` : "";
  return `Ask an owner: ${named.map((name) => harmless(name, 60)).join(", ")}${more}.`;
}
