import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { NewEntry, Project } from "../../engine/domain/project.ts";
import type { Desk } from "../../engine/submit.ts";
import { command, publicly } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { faultOfMailbox } from "../mailbox.ts";
import { columns, count } from "../wording/figures.ts";
import { who } from "../wording/people.ts";

export const add = command({
  name: "add",
  usage: "add <source> [<target>] … [--project <name>]",
  summary: "adds mailboxes, source and target in turn; one alone keeps its name",
  role: "operator",
  group: "Set up",
  examples: ["add anna@old.example anna@new.example", "add anna@example.com"],
  options: projectOption,
  parse(words) {
    const { args } = words;
    if (args.length === 0) {
      throw new UserError(
        "Which mailbox? Nothing was added. Type `add anna@old.example anna@new.example`.",
      );
    }
    if (args.length > 1 && args.length % 2 === 1) {
      throw new UserError(
        `${args.length} names do not make pairs; nothing was added. Type source and target in turn, like \`add anna@old.example anna@new.example bob@old.example bob@new.example\`.`,
      );
    }
    const faults = args.flatMap((name) => {
      const fault = faultOfMailbox(name);
      return fault === null ? [] : [`${harmless(name, 60) || "a name"} ${fault}`];
    });
    if (faults.length > 0) {
      throw new UserError(
        `${faults.join("; ")}. Nothing was added. Write it like anna@old.example.`,
      );
    }
    return { pairs: pairs(args), words };
  },
  async run({ pairs, words }, context) {
    const project = await projectOf(words, context);
    refuseClosed(project);
    const here = await sameServer(project, context.desk);
    const wrong = pairs.filter(([source, target]) => here && same(source, target));
    if (wrong.length > 0) {
      throw new UserError(
        `${wrong.map(([source]) => source).join(", ")}: source and target are the same mailbox of the same server; nothing was added. Name another target: \`add <source> <target>\`.`,
      );
    }
    const twice = pairs.find(
      ([source], at) => pairs.findIndex(([other]) => same(source, other)) !== at,
    );
    if (twice !== undefined) {
      throw new UserError(`${twice[0]} is named twice; nothing was added. Name each mailbox once.`);
    }
    const added = await context.desk.projects.add(
      project.id,
      pairs.map(([source, target]) => newEntry(source, target)),
    );
    const rows = added.map((one) => ["  ", `${one.source} → ${one.target}`, one.notReady ?? ""]);
    const more = rows.length > 20 ? `\n  and ${rows.length - 20} more` : "";
    return publicly(
      `Added ${count(added.length, "mailbox", "mailboxes")} to ${project.name} (by ${who(context.person)}):\n${columns(rows.slice(0, 20))}${more}\nNext: \`verify\`.`,
    );
  },
});

/** An entry with no login of its own. */
function newEntry(source: string, target: string): NewEntry {
  return {
    source,
    target,
    sourceUser: null,
    sourcePassword: null,
    targetUser: null,
    targetPassword: null,
  };
}

/** Whether both ends of a project are one server: then a mailbox could be carried into itself. */
export async function sameServer(project: Project, desk: Desk): Promise<boolean> {
  const all = await desk.projects.endpoints();
  const from = all.find((one) => one.id === project.sourceEndpoint.id);
  const to = all.find((one) => one.id === project.targetEndpoint.id);
  if (from === undefined || to === undefined) return false;
  // Another port of one host is mostly the same mail again, behind another cipher; loopback hosts hold many.
  return from.id === to.id || (from.host === to.host && from.port === to.port);
}

export function refuseClosed(project: Project): void {
  if (project.closed)
    throw new UserError(`The project ${project.name} is closed; nothing was added.`);
}

function pairs(args: string[]): [string, string][] {
  const [only = ""] = args;
  if (args.length === 1) return [[only, only]];
  const all: [string, string][] = [];
  for (let at = 0; at < args.length; at += 2) all.push([args[at] ?? "", args[at + 1] ?? ""]);
  return all;
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
