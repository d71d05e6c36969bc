import { UserError } from "../../engine/domain/errors.ts";
import type { Project } from "../../engine/domain/project.ts";
import { windowAt } from "../../engine/submit.ts";
import { type Answer, command, privately, publicly } from "../command.ts";
import { endAllCutovers } from "../cutover-shown.ts";
import { projectOf, projectOption } from "../linked.ts";
import type { Form } from "../message.ts";
import { count, moment, number } from "../wording/figures.ts";
import { who } from "../wording/people.ts";
import { policyCompared, policyText } from "../wording/policy.ts";
import { windowsInForce } from "../wording/windows.ts";

export const projectShow = command({
  name: "project show",
  usage: "project show [--policy] [--project <name>]",
  summary:
    "shows a project's ends, filters, policy and licenses; `--policy` its policy beside the presets",
  role: "viewer",
  group: "Look",
  examples: ["project show", "project show --policy"],
  options: { policy: { value: null }, ...projectOption },
  parse(words) {
    if (words.args.length > 0) {
      throw new UserError(
        "`project show` is about the channel's project. For another type `project show --project <name>`.",
      );
    }
    return words;
  },
  async run(words, context) {
    const project = await projectOf(words, context);
    if (words.options.has("policy")) {
      return privately(policyCompared(project.name, project.policy));
    }
    const entries = await context.desk.projects.entries(project.id);
    const { owned, reserved, consumed, free } = await context.desk.licenses.balance(project.id);
    return privately(
      [
        `Project ${project.name}${project.closed ? " (closed)" : ""}, from ${project.sourceEndpoint.name} to ${project.targetEndpoint.name}, times in ${project.zone}`,
        `  ${count(entries.length, "mailbox", "mailboxes")}; licenses: ${number(owned)} owned, ${number(reserved)} reserved, ${number(consumed)} used, ${number(free)} free`,
        `  policy: ${policyText(project.policy)}`,
        ...filterLines(project).map((line) => `  ${line}`),
        ...windowsInForce(
          project.windows,
          windowAt(project, context.desk.clock.now()),
          project.zone,
        ).map((line) => `  ${line}`),
        "  Type `project set <key> <value>` to change it.",
      ].join("\n"),
    );
  },
});

export const projectClose = command({
  name: "project close",
  usage: "project close [--project <name>]",
  summary: "closes a project: no pass starts in it any more; everything stays readable",
  role: "owner",
  group: "Set up",
  examples: ["project close --project acme"],
  options: projectOption,
  parse(words) {
    if (words.args.length > 0) {
      throw new UserError(
        "Which project? Nothing was closed. Type `project close --project <name>`.",
      );
    }
    return words;
  },
  async run(words, context): Promise<Answer> {
    const project = await projectOf(words, context);
    // It cannot be taken back: the name is typed, the channel's link is not enough.
    const typed = context.values?.get("name")?.reveal().trim() ?? words.options.get("project");
    if (typed === undefined) return { say: [{ how: "form", form: closing(project.name) }] };
    if (typed.toLowerCase() !== project.name.toLowerCase()) {
      throw new UserError(
        `That is not the name of ${project.name}; nothing was closed. Type \`project close\` again.`,
      );
    }
    const entries = await context.desk.projects.entries(project.id);
    const busy = entries.find((entry) => entry.busyWith !== null);
    if (busy !== undefined) {
      throw new UserError(
        `Pass ${busy.busyWith} of ${project.name} has not ended; nothing was closed. Type \`stop ${busy.busyWith}\` or wait for it.`,
      );
    }
    await context.desk.projects.change(project.id, { closed: true });
    const why = `${project.name} is closed, by ${who(context.person)}`;
    const rewritten = await endAllCutovers(project, why, context.desk);
    const told = publicly(
      `Project ${project.name} is closed (by ${who(context.person)}). Its reports stay.`,
    );
    return { say: [...told.say, ...rewritten] };
  },
});

function closing(name: string): Form {
  return {
    title: "Close the project",
    intro: `No pass starts in ${name} any more. Its reports stay. This cannot be taken back.`,
    fields: [{ name: "name", label: `Type ${name} to close it`, kind: "text" }],
    submit: "Close it",
    command: "project close",
    otherwise: `Nothing was closed. Type the name: \`project close --project ${name}\`.`,
  };
}

/** The filters in force, each a line; one line when there are none. */
export function filterLines(project: Project): string[] {
  const { after, before, include, exclude, map, maxItemSize } = project.filters;
  const lines: string[] = [];
  if (after !== null) lines.push(`after: ${moment(after, project.zone)}`);
  if (before !== null) lines.push(`before: ${moment(before, project.zone)}`);
  if (include.length > 0) lines.push(`folders.include: ${include.join(", ")}`);
  if (exclude.length > 0) lines.push(`folders.exclude: ${exclude.join(", ")}`);
  const mapped = Object.entries(map).map(([from, to]) => `${from}=${to}`);
  if (mapped.length > 0) lines.push(`folders.map: ${mapped.join(", ")}`);
  if (maxItemSize !== null) lines.push(`maxItemSize: ${number(maxItemSize)} bytes`);
  return lines.length > 0 ? lines : ["filters: none"];
}
