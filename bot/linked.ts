import { UserError } from "../engine/domain/errors.ts";
import type { Project } from "../engine/domain/project.ts";
import { projectNamed } from "../engine/submit.ts";
import type { Context, Option, Words } from "./command.ts";

/** For commands about a project: its name, where the channel's own is not meant. */
export const projectOption: Record<string, Option> = { project: { value: "<name>" } };

/** The project a command is about: the one named, else the one the channel is linked to. */
export async function projectOf(words: Words, context: Context): Promise<Project> {
  const name = words.options.get("project");
  if (name !== undefined) return projectNamed(name, context.desk);
  const linked = await context.desk.projects.linked(context.channel);
  if (linked !== null) return linked;
  throw new UserError(
    "This channel is not linked to a project; nothing was done. Type `link <project>`, or `list projects` to see them.",
  );
}
