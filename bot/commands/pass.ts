import type { Instant } from "../../engine/domain/clock.ts";
import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { Forecast } from "../../engine/domain/forecast.ts";
import { type ItemType, itemTypes } from "../../engine/domain/item.ts";
import { ended, type PassKind } from "../../engine/domain/pass.ts";
import { overSecondPerson, type PassPlan, type PassRequest } from "../../engine/domain/plan.ts";
import type { Project } from "../../engine/domain/project.ts";
import { preview, submit } from "../../engine/submit.ts";
import {
  type Answer,
  type Command,
  type Context,
  command,
  type Option,
  privately,
  type Words,
} from "../command.ts";
import { isTimeOfDay, readLimit } from "../limit.ts";
import { projectOf, projectOption } from "../linked.ts";
import { refuseOdd } from "../mailbox.ts";
import { passNumbered } from "../pass-meant.ts";
import { bond, passBond } from "../plan-bond.ts";
import { secondPerson } from "../second-person.ts";
import { readWhen } from "../when.ts";
import { isoMoment, names } from "../wording/figures.ts";
import { who } from "../wording/people.ts";
import {
  asking,
  planAsked,
  planDry,
  planKept,
  planLine,
  planStarted,
  shortText,
} from "../wording/plan.ts";
import { scheduled } from "../wording/schedule.ts";

const keptFor = 15 * 60_000;

const yesNo: Record<string, Option> = { "dry-run": { value: null }, yes: { value: null } };
const at: Record<string, Option> = { at: { value: "<when>" } };
const types: Record<string, Option> = { types: { value: "mail" } };

export const verify = passCommand("verify", {
  usage: "verify [mailboxes] [--dry-run]",
  summary: "logs in at both ends of each mailbox and shows sizes; costs nothing, writes nothing",
  examples: ["verify", "verify anna@old.example"],
  options: { "dry-run": { value: null }, yes: { value: null } },
});

export const trial = passCommand("trial", {
  usage: "trial [mailboxes] [--dry-run]",
  summary: "carries up to ten mails a folder, once a mailbox, without a license",
  examples: ["trial anna@old.example"],
  options: { "dry-run": { value: null }, yes: { value: null } },
});

export const prestage = passCommand("prestage", {
  usage: 'prestage <90d | date | "date time"> [mailboxes] [--at <when>] [--dry-run] [--yes]',
  summary: "carries the mail received before a limit, while people go on working",
  examples: ["prestage 90d", 'prestage "2026-08-01 18:00" *@old.example', "prestage 30d --dry-run"],
  options: { ...yesNo, ...at, ...types },
});

export const full = passCommand("full", {
  usage: "full [mailboxes] [--types mail] [--at <when>] [--dry-run] [--yes]",
  summary: "carries all that was not carried yet",
  examples: ["full", "full anna@old.example --yes"],
  options: { ...yesNo, ...at, ...types },
});

export const delta = passCommand("delta", {
  usage: "delta [mailboxes] [--types mail] [--at <when>] [--dry-run] [--yes]",
  summary: "the same, by the word that is used after the cutover",
  examples: ["delta", 'delta --at "tomorrow 22:00"'],
  options: { ...yesNo, ...at, ...types },
});

export const retry = passCommand("retry", {
  usage: "retry [pass | mailboxes] [--dry-run] [--yes]",
  summary: "tries again what failed, and nothing else",
  examples: ["retry", "retry 7"],
  options: { ...yesNo, ...at },
});

export const repair = passCommand("repair", {
  usage: "repair [mailboxes] [--dry-run]",
  summary: "puts back what was carried and is missing at the new place; costs nothing",
  examples: ["repair anna@old.example", "repair --dry-run"],
  options: { "dry-run": { value: null }, yes: { value: null } },
});

/** A pass as typed, before the project and its zone are known. */
export interface Typed {
  limit: string | null;
  selection: string[];
  types: ItemType[] | null;
  yes: boolean;
  dryRun: boolean;
  words: Words;
}

function passCommand(
  kind: PassKind,
  told: Pick<Command, "usage" | "summary" | "examples" | "options">,
): Command {
  return command<Typed>({
    ...told,
    options: { ...told.options, ...projectOption },
    usage: `${told.usage} [--project <name>]`,
    name: kind,
    role: "operator",
    group: "Passes",
    parse: (words) => read(kind, words),
    async run(typed, context) {
      const project = await projectOf(typed.words, context);
      const request: PassRequest = {
        kind,
        limit: typed.limit === null ? null : readLimit(typed.limit, project.zone),
        selection: await selected(kind, typed.selection, project, context),
        types: typed.types,
      };
      const when = typed.words.options.get("at");
      if (when === undefined) return carryOut(request, project, typed, context);
      const at = readWhen(when, project.zone, context.desk.clock.now());
      return carryOut({ ...request, at }, project, typed, absolute(context, at));
    },
  });
}

/** Approved an hour later, “in 2h” is still the moment that was shown. */
function absolute(context: Context, at: Instant): Context {
  const { name, words } = context.asked;
  const options = new Map(words.options).set("at", isoMoment(at));
  return { ...context, asked: { name, words: { ...words, options } } };
}

function read(kind: PassKind, words: Words): Typed {
  const { args, options } = words;
  const rest = [...args];
  let limit: string | null = null;
  if (kind === "prestage" && rest.length > 0) {
    limit = rest.shift() ?? null;
    if (isTimeOfDay(rest[0])) limit = `${limit} ${rest.shift()}`;
  }
  return {
    limit,
    selection: rest.flatMap((word) => word.split(",")).filter((word) => word !== ""),
    types: readTypes(options.get("types")),
    yes: options.has("yes"),
    dryRun: options.has("dry-run"),
    words,
  };
}

function readTypes(text: string | undefined): ItemType[] | null {
  if (text === undefined) return null;
  return text.split(",").map((word) => {
    const name = word.trim().toLowerCase();
    const found = itemTypes.find((type) => type === name || `${type}s` === name);
    if (found !== undefined) return found;
    throw new UserError(
      `“${harmless(name, 30)}” is no type of item; nothing was started. Type \`--types mail\` or leave it out.`,
    );
  });
}

/** `retry 7` means the mailboxes of pass 7 in which something failed. */
async function selected(
  kind: PassKind,
  words: string[],
  project: Project,
  { desk }: Context,
): Promise<string[]> {
  const [only = ""] = words;
  if (kind !== "retry" || words.length !== 1 || !/^\d+$/.test(only)) {
    refuseOdd(words);
    return words;
  }
  const pass = await passNumbered(Number(only), project, { desk });
  const open = new Set((await desk.projects.entries(project.id)).map(({ id }) => id));
  const failed = pass.runs.filter(
    (run) => open.has(run.entry) && (run.counters.failed > 0 || run.state === "failed"),
  );
  if (failed.length === 0) {
    throw new UserError(`Nothing failed in pass ${only}; nothing was started.`);
  }
  return failed.map((run) => run.source);
}

/** Shows its plan, asks whom there is to ask, or starts it. */
export async function carryOut(
  request: PassRequest,
  project: Project,
  { yes, dryRun }: Typed,
  context: Context,
): Promise<Answer> {
  const { desk, approved, person, channel } = context;
  if (request.at === undefined) await refuseRunning(request, project, context);
  // Whoever approves it sees what it would do and can say no.
  let plan = await preview(request, project.id, !yes || approved !== null, desk);
  if (yes && approved === null && overSecondPerson(plan)) {
    plan = await preview(request, project.id, true, desk);
  }
  const first = await isFirst(plan, context);
  const show = (told: (forecast: Forecast) => Promise<Answer>) => shown(plan, told, context);
  if (dryRun) return show(async (forecast) => privately(planDry(plan, forecast, first)));
  if (plan.short > 0) throw new UserError(shortText(plan));
  const wanted = (forecast: Forecast) => ({
    project,
    told: planLine(plan),
    content: passBond(plan, request),
    message: planAsked(plan, forecast, first),
  });
  if (approved === null && overSecondPerson(plan)) {
    return show(async (forecast) => (await secondPerson(true, wanted(forecast), context))!);
  }
  await secondPerson(false, wanted({ entries: [], of: 0 }), context);
  if (plan.licensesNeeded === 0 || yes || approved !== null) {
    if (request.at !== undefined) return schedule(request, request.at, plan, context);
    const pass = await submit(plan, { who: person.id, thread: channel }, desk);
    return { ...privately(planStarted(plan, pass, first)), passes: [pass] };
  }
  return show(async (forecast) => {
    const n = await desk.plans.keep({
      hash: bond(plan, person.id, channel),
      user: person.id,
      channel,
      project: project.id,
      request,
      forecast,
      expiresAt: desk.clock.now() + keptFor,
    });
    const message = planKept(plan, n, forecast, first);
    return { say: [{ how: "post", message, key: `plan:${n}` }] };
  });
}

/** Puts it in the calendar. What it does is planned anew when its time comes. */
export async function schedule(
  request: PassRequest,
  at: Instant,
  plan: PassPlan,
  { desk, person, channel, approved }: Context,
): Promise<Answer> {
  const n = await desk.schedules.add({
    project: plan.project.id,
    channel,
    person: person.id,
    approvedBy: approved?.by.id ?? null,
    request,
    at,
  });
  const told = scheduled(n, plan, at, desk.clock.now(), who(person));
  return { say: [{ how: "post", message: told }], note: `schedule ${n}` };
}

/** More mailboxes than this take a while to be asked: that is said before. */
export const quicklyAsked = 10;

/** Asks both servers what there is, and then tells of it. */
async function shown(
  plan: PassPlan,
  told: (forecast: Forecast) => Promise<Answer>,
  { desk }: Context,
): Promise<Answer> {
  const { kind, limit, filters } = plan;
  const entries = kind === "verify" ? [] : plan.entries.map(({ entry }) => entry);
  const later = async () => told(await desk.forecaster.ask({ kind, limit, filters, entries }));
  return entries.length <= quicklyAsked ? later() : { ...privately(asking(plan)), later };
}

/** The same command while its pass runs makes no second pass; the answer says where it is. */
async function refuseRunning(
  request: PassRequest,
  project: Project,
  { desk }: Context,
): Promise<void> {
  const entries = await desk.projects.entries(project.id);
  const busy = new Set(entries.map((entry) => entry.busyWith));
  const [pass] = busy;
  if (busy.size !== 1 || pass == null || entries.length === 0) return;
  const running = (await desk.passes.recent(project.id, 20)).find((one) => one.id === pass);
  if (running === undefined || ended(running.state)) return;
  const what =
    running.kind === request.kind
      ? `Already running in pass ${pass}, started by ${running.startedBy}`
      : `All mailboxes are in pass ${pass} (${running.kind}), which has not ended: ${names(entries.map((entry) => entry.source))} are already running in pass ${pass}`;
  throw new UserError(
    `${what}. Nothing more was started. Type \`status ${pass}\`, \`resume ${pass}\` to wait for it, or \`stop ${pass}\`.`,
  );
}

/** Whether the project never had a full pass or delta: then its plan says what a migration is not. */
async function isFirst(plan: PassPlan, { desk }: Context): Promise<boolean> {
  if (plan.kind !== "full" && plan.kind !== "delta") return false;
  const before = await desk.passes.recent(plan.project.id, 20);
  return !before.some((pass) => pass.kind === "full" || pass.kind === "delta");
}
