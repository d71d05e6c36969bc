import { harmless, UserError } from "../../engine/domain/errors.ts";
import { isKeptToWindows } from "../../engine/domain/pass.ts";
import type { Project } from "../../engine/domain/project.ts";
import type { Schedule } from "../../engine/domain/schedule.ts";
import { windowAt } from "../../engine/submit.ts";
import { type Context, command, privately, publicly } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { numberTyped } from "../numbered.ts";
import { readWhen, whenExample } from "../when.ts";
import { who } from "../wording/people.ts";
import { scheduleCancelled, scheduleList, scheduleMoved } from "../wording/schedule.ts";

export const scheduleListed = command({
  name: "schedule list",
  usage: "schedule list [--project <name>]",
  summary: "lists the passes that start by themselves, and when",
  role: "viewer",
  group: "Look",
  examples: ["schedule list"],
  options: projectOption,
  parse: (words) => words,
  async run(words, context) {
    const { desk } = context;
    const project = await projectOf(words, context);
    const open = await desk.schedules.open(project.id);
    if (open.length === 0) {
      return privately(
        `Nothing is scheduled in ${project.name}. Type \`delta --at "tomorrow 22:00"\`.`,
      );
    }
    const now = desk.clock.now();
    const all = await Promise.all(
      open.map(async (one) => ({
        ...one,
        by: harmless(await desk.people.name(one.person), 60),
        opens: isKeptToWindows(one.request.kind)
          ? (windowAt(project, Math.max(one.at, now))?.opens ?? null)
          : null,
      })),
    );
    return privately(scheduleList(project.name, all, now, project.zone));
  },
});

export const scheduleCancel = command({
  name: "schedule cancel",
  usage: "schedule cancel <n> [--project <name>]",
  summary: "takes a pass out of the calendar",
  role: "operator",
  group: "Passes",
  examples: ["schedule cancel 3"],
  options: projectOption,
  parse: (words) => ({ n: numberTyped("schedule cancel", "a schedule", words.args), words }),
  async run({ n, words }, context) {
    const project = await projectOf(words, context);
    await open(n, project, context);
    if (!(await context.desk.schedules.cancel(n))) throw await over(n, project, context);
    return publicly(scheduleCancelled(n, who(context.person)));
  },
});

export const scheduleMove = command({
  name: "schedule move",
  usage: "schedule move <n> <when> [--project <name>]",
  summary: "gives a pass in the calendar another time",
  role: "operator",
  group: "Passes",
  examples: ['schedule move 3 "2026-11-25 22:00"', "schedule move 3 in 2h"],
  options: projectOption,
  parse(words) {
    const n = numberTyped("schedule move", "a schedule", words.args.slice(0, 1));
    const when = words.args.slice(1).join(" ");
    if (when !== "") return { n, when, words };
    throw new UserError(
      `To when? Nothing was moved. Type \`schedule move ${n} <when>\`, like ${whenExample}.`,
    );
  },
  async run({ n, when, words }, context) {
    const { desk, person } = context;
    const project = await projectOf(words, context);
    await open(n, project, context);
    const at = readWhen(when, project.zone, desk.clock.now());
    if (!(await desk.schedules.move(n, at))) throw await over(n, project, context);
    return publicly(scheduleMoved(n, at, project.zone, who(person)));
  },
});

export const scheduleRun = command({
  name: "schedule run",
  usage: "schedule run <n> [--project <name>]",
  summary: "starts a pass of the calendar now",
  role: "operator",
  group: "Passes",
  examples: ["schedule run 3"],
  options: projectOption,
  parse: (words) => ({ n: numberTyped("schedule run", "a schedule", words.args), words }),
  async run({ n, words }, context) {
    const { desk, person } = context;
    const project = await projectOf(words, context);
    await open(n, project, context);
    const now = desk.clock.now();
    if (!(await desk.schedules.move(n, now))) throw await over(n, project, context);
    return publicly(scheduleMoved(n, now, project.zone, who(person)));
  },
});

async function open(n: number, project: Project, context: Context): Promise<Schedule> {
  const found = await context.desk.schedules.look(n);
  if (found !== null && found.project === project.id) {
    if (found.state === "waiting" || found.state === "missed") return found;
    throw await over(n, project, context);
  }
  throw new UserError(
    `There is no schedule ${n} in ${project.name}; nothing was done. Type \`schedule list\` to see them.`,
  );
}

/** What became of it instead. */
async function over(n: number, { name }: Project, { desk }: Context): Promise<UserError> {
  const found = await desk.schedules.look(n);
  const what =
    found?.state === "started"
      ? `has started as pass ${found.pass}; type \`status ${found.pass}\` or \`stop ${found.pass}\``
      : `is ${found?.state ?? "gone"} already; type \`schedule list\``;
  return new UserError(`Schedule ${n} of ${name} ${what}. Nothing was done.`);
}
