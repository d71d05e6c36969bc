import type { Instant } from "../../engine/domain/clock.ts";
import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { PassKind } from "../../engine/domain/pass.ts";
import type { PassRequest } from "../../engine/domain/plan.ts";
import type { Project } from "../../engine/domain/project.ts";
import type { Reminder } from "../../engine/domain/reminder.ts";
import { preview } from "../../engine/submit.ts";
import {
  type Answer,
  type Command,
  type Context,
  command,
  privately,
  publicly,
  type Said,
  type Words,
} from "../command.ts";
import { isTimeOfDay, readLimit } from "../limit.ts";
import { projectOf, projectOption } from "../linked.ts";
import { refuseOdd } from "../mailbox.ts";
import { numberTyped } from "../numbered.ts";
import { nextTime, readRecurrence } from "../recurrence.ts";
import { reminderKey } from "../reminding.ts";
import { readWhen } from "../when.ts";
import { moment, timeOfDay } from "../wording/figures.ts";
import { who } from "../wording/people.ts";
import { reminderAnswered, reminderList, reminderSet } from "../wording/reminder.ts";
import { carryOut } from "./pass.ts";

const kinds: readonly PassKind[] = ["prestage", "full", "delta", "retry", "verify"];
const example = "`remind weekdays 18:00 delta`";

export const remind = command({
  name: "remind",
  usage: "remind <when> <pass> [mailboxes] [--auto] [--project <name>]",
  summary:
    "asks in the channel at a time, once or again and again, with a button; or runs by itself",
  role: "operator",
  group: "Passes",
  examples: [
    "remind weekdays 18:00 delta",
    "remind every mon,thu 07:30 delta anna*",
    'remind "tomorrow 18:00" prestage 30d',
    "remind daily 22:00 delta --auto",
  ],
  options: { auto: { value: null }, ...projectOption },
  parse: read,
  async run({ when, kind, rest, auto, words }, context): Promise<Answer> {
    const { desk, person, channel } = context;
    const project = await projectOf(words, context);
    const now = desk.clock.now();
    const recurs = readRecurrence(when);
    const at =
      recurs === null
        ? readWhen(when, project.zone, now)
        : nextTime(recurs.cron, project.zone, now);
    if (at === null) throw new UserError(`That never comes; nothing was set. Type ${example}.`);
    const request = requestOf(kind, rest, project);
    // Refused now rather than every evening.
    await preview({ ...request, at }, project.id, true, desk);
    const set = { project: project.id, channel, person: person.id, request, recurs, auto, at };
    const n = await desk.reminders.add(set);
    return {
      ...publicly(reminderSet({ ...set, n }, project.zone, now, who(person))),
      note: `reminder ${n}`,
    };
  },
});

function read(words: Words) {
  const { args, options } = words;
  const split = args.findIndex((word) => kinds.some((kind) => kind === word.toLowerCase()));
  const kind = kinds.find((one) => one === args[split]?.toLowerCase());
  if (kind === undefined || split < 1) {
    throw new UserError(
      `Of what, and when? Nothing was set. Type it like ${example}, with one of ${kinds.join(", ")}.`,
    );
  }
  const when = args.slice(0, split).join(" ");
  return { when, kind, rest: args.slice(split + 1), auto: options.has("auto"), words };
}

function requestOf(kind: PassKind, words: string[], { zone }: Project): PassRequest {
  const rest = [...words];
  let limit: PassRequest["limit"] = null;
  if (kind === "prestage") {
    const typed = rest.shift() ?? "";
    limit = readLimit(isTimeOfDay(rest[0]) ? `${typed} ${rest.shift()}` : typed, zone);
  }
  const selection = rest.flatMap((word) => word.split(",")).filter((word) => word !== "");
  refuseOdd(selection);
  return { kind, limit, selection, types: null };
}

export const remindList = command({
  name: "remind list",
  usage: "remind list [--project <name>]",
  summary: "lists the reminders of a project",
  role: "viewer",
  group: "Look",
  examples: ["remind list"],
  options: projectOption,
  parse: (words) => words,
  async run(words, context) {
    const { desk } = context;
    const project = await projectOf(words, context);
    const open = await desk.reminders.open(project.id);
    if (open.length === 0) {
      return privately(`Nobody is reminded of anything in ${project.name}. Type ${example}.`);
    }
    const all = await Promise.all(
      open.map(async (one) => ({ ...one, by: harmless(await desk.people.name(one.person), 60) })),
    );
    return privately(reminderList(project.name, all, project.zone));
  },
});

export const remindCancel = numbered(
  "remind cancel",
  "ends a reminder",
  async (reminder, _words, project, context) => {
    const { desk, person } = context;
    if (!(await desk.reminders.cancel(reminder.n))) throw over(reminder.n);
    return {
      say: [
        ...rewritten(reminder, "cancelled", project, context),
        {
          how: "post",
          message: { text: `Reminder ${reminder.n} is cancelled (by ${who(person)}).` },
        },
      ],
    };
  },
);

export const remindSkip = numbered(
  "remind skip",
  "answers a reminder: not this time",
  async (reminder, _words, project, context) => {
    if (!(await context.desk.reminders.answer(reminder.n, null))) throw over(reminder.n);
    return { say: answered(reminder, "skipped", project, context) };
  },
);

const hour = 60 * 60 * 1000;

export const remindSnooze = numbered(
  "remind snooze",
  "answers a reminder: later, an hour where nothing else is said",
  async (reminder, words, project, context) => {
    const { desk } = context;
    const now = desk.clock.now();
    const typed = words.args.slice(1).join(" ");
    const at: Instant = typed === "" ? now + hour : readWhen(typed, project.zone, now);
    if (!(await desk.reminders.answer(reminder.n, at))) throw over(reminder.n);
    const what = `snoozed until ${moment(at, project.zone)}`;
    return { say: answered(reminder, what, project, context) };
  },
);

export const remindRun = numbered(
  "remind run",
  "answers a reminder: now",
  async (reminder, words, project, context) => {
    const { request, n } = reminder;
    if (!(await context.desk.reminders.answer(n, null))) throw over(n);
    const typed = { limit: null, selection: [], types: null, yes: false, dryRun: false, words };
    const answer = await carryOut(request, project, typed, context);
    return { ...answer, say: [...answered(reminder, "run", project, context), ...answer.say] };
  },
);

function numbered(
  name: string,
  summary: string,
  run: (reminder: Reminder, words: Words, project: Project, context: Context) => Promise<Answer>,
): Command {
  const more = name === "remind snooze" ? " [when]" : "";
  return command({
    name,
    usage: `${name} <n>${more} [--project <name>]`,
    summary,
    role: "operator",
    group: "Passes",
    examples: [`${name} 3`],
    options: projectOption,
    parse(words) {
      const own = more === "" ? words.args : words.args.slice(0, 1);
      return { n: numberTyped(name, "a reminder", own), words };
    },
    async run({ n, words }, context) {
      const project = await projectOf(words, context);
      const found = await context.desk.reminders.look(n);
      if (found === null || found.project !== project.id) {
        throw new UserError(
          `There is no reminder ${n} in ${project.name}; nothing was done. Type \`remind list\` to see them.`,
        );
      }
      return run(found, words, project, context);
    },
  });
}

function answered(reminder: Reminder, what: string, project: Project, context: Context): Said[] {
  const said = rewritten(reminder, what, project, context);
  const message = said[0]?.message;
  return message === undefined ? said : [...said, { how: "private", message }];
}

function rewritten(
  reminder: Reminder,
  what: string,
  { zone }: Project,
  { desk, person }: Context,
): Extract<Said, { how: "rewrite" }>[] {
  if (reminder.times === 0) return [];
  const now = desk.clock.now();
  const message = reminderAnswered(reminder.n, what, who(person), timeOfDay(now, now, zone));
  return [{ how: "rewrite", key: reminderKey(reminder), message }];
}

function over(n: number): UserError {
  return new UserError(
    `Reminder ${n} waits for no answer: somebody gave it, or it has not come yet. Nothing was done. Type \`remind list\` to see it.`,
  );
}
