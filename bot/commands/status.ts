import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { PassSnapshot } from "../../engine/domain/pass.ts";
import { glob } from "../../engine/domain/plan.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import type { Desk } from "../../engine/submit.ts";
import { boardShown } from "../board.ts";
import { type Answer, type Context, command, privately, type Said } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { passNumbered } from "../pass-meant.ts";
import { picturesOf } from "../pictures/gather.ts";
import { boardMessage } from "../wording/board.ts";
import { moment, number } from "../wording/figures.ts";
import { runSums, stateWords } from "../wording/pass.ts";
import { kindWords } from "../wording/plan.ts";
import { reportMessage } from "../wording/report.ts";
import { rootMessage } from "../wording/root.ts";

export const status = command({
  name: "status",
  usage: "status [pass | mailbox] [--project <name>]",
  summary: "shows what runs now, or a pass, or a mailbox",
  role: "viewer",
  group: "Look",
  examples: ["status", "status 7", "status anna@old.example"],
  options: projectOption,
  parse(words) {
    if (words.args.length > 1)
      throw new UserError("`status` takes one pass or one mailbox. Type it like `status 7`.");
    return { typed: words.args[0] ?? null, words };
  },
  async run({ typed, words }, context) {
    const project = await projectOf(words, context);
    if (typed !== null && !/^\d+$/.test(typed)) return entryStatus(typed, project, context);
    const passes = await meant(typed, project, context);
    const board = typed === null && context.thread === null ? await boardOf(project, context) : [];
    if (passes.length === 0) return { say: [...privately(noPass(project)).say, ...board] };
    const now = context.desk.clock.now();
    if (passes.length === 1 && passes[0] !== undefined) {
      // Asked in a thread, everybody there may as well know.
      return { say: [{ how: "reply", message: rootMessage(passes[0], now) }, ...board] };
    }
    const all = passes.map((pass) => rootMessage(pass, now).text).join("\n");
    return { say: [...privately(all).say, ...board] };
  },
});

export const report = command({
  name: "report",
  usage: "report [pass] [--project <name>]",
  summary:
    "shows the sums of a pass, mailbox by mailbox, every failure with the server's words, and the project in pictures",
  role: "viewer",
  group: "Look",
  examples: ["report", "report 7"],
  options: projectOption,
  parse(words) {
    const [typed = null] = words.args;
    if (words.args.length > 1 || (typed !== null && !/^\d{1,9}$/.test(typed))) {
      throw new UserError("`report` takes the number of a pass. Type it like `report 7`.");
    }
    return { typed, words };
  },
  async run({ typed, words }, context) {
    const project = await projectOf(words, context);
    const [pass] = await meant(typed, project, context);
    if (pass === undefined) return privately(noPass(project));
    const { desk } = context;
    const failures = await desk.passes.failures(pass.id, 10_000);
    const message = reportMessage(pass, failures, desk.clock.now());
    return { say: [{ how: "reply", message }], later: () => pictures(project, pass, desk) };
  },
});

/** After the report: drawing takes a moment, and asking the mail servers what is left takes longer. */
async function pictures(project: Project, pass: PassSnapshot, desk: Desk): Promise<Answer> {
  const message = await picturesOf(project, pass, desk);
  return { say: message === null ? [] : [{ how: "reply", message }] };
}

/** The project's board as it stands, for where it cannot be pinned and has gone out of sight. */
async function boardOf(project: Project, { desk }: Context): Promise<Said[]> {
  const boards = await desk.boards.all();
  if (!boards.some((one) => one.project === project.id)) return [];
  const message = boardMessage(await boardShown(project, desk), desk.clock.now());
  return [{ how: "private", message }];
}

/** The passes meant: by number, by thread, those that run, or the last one. */
async function meant(
  typed: string | null,
  project: Project,
  context: Context,
): Promise<PassSnapshot[]> {
  const { desk, thread } = context;
  if (typed !== null) return [await passNumbered(Number(typed), project, context)];
  const here = thread === null ? null : await desk.passes.ofThread(thread);
  if (here !== null) return [await desk.passes.snapshot(here)];
  const active = await desk.passes.running(project.id);
  return active.length > 0 ? active.reverse() : desk.passes.recent(project.id, 1);
}

function noPass(project: Project): string {
  return `${project.name} has had no pass yet. Type \`verify\` or \`prestage 90d\`.`;
}

/** What else is to be known of it. */
function standing({ closedAt, notReady }: Entry, { zone }: Project): string {
  if (closedAt !== null) return `; closed at ${moment(closedAt, zone)}, started from scratch since`;
  return notReady === null ? "" : `; ${notReady}`;
}

async function entryStatus(typed: string, project: Project, { desk }: Context): Promise<Answer> {
  const pattern = glob(typed);
  const [open, closed] = await Promise.all([
    desk.projects.entries(project.id),
    desk.projects.closedEntries(project.id),
  ]);
  const entries = [...open, ...closed];
  const found = entries.filter((one) => pattern.test(one.source) || pattern.test(one.target));
  if (found.length === 0) {
    throw new UserError(
      `No mailbox of ${project.name} matches ${harmless(typed, 80)}. Type \`list\` to see them.`,
    );
  }
  const recent = await desk.passes.recent(project.id, 20);
  const lines = found.slice(0, 20).flatMap((entry) => {
    const head = `${entry.source} → ${entry.target}: ${number(entry.passesUsed)} of ${project.policy.passesPerLicense} passes used, license ${entry.license}${standing(entry, project)}`;
    const runs = recent.flatMap((pass) => {
      const run = pass.runs.find((one) => one.entry === entry.id);
      if (run === undefined) return [];
      const why = run.reason === null ? "" : ` (${harmless(run.reason, 300)})`;
      return [
        `  pass ${pass.id}, ${kindWords[pass.kind].toLowerCase()}: ${stateWords[run.state]}, ${runSums(run.counters, pass.kind)}${why}`,
      ];
    });
    return [head, ...runs.slice(0, 10)];
  });
  if (found.length > 20) lines.push(`and ${number(found.length - 20)} more`);
  return privately(lines.join("\n"));
}
