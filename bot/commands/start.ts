import { harmless, UserError } from "../../engine/domain/errors.ts";
import { shifted } from "../../engine/domain/forecast.ts";
import type { KeptPlan, PassPlan } from "../../engine/domain/plan.ts";
import type { Project } from "../../engine/domain/project.ts";
import { preview, submit } from "../../engine/submit.ts";
import { type Answer, type Context, command, privately, type Words } from "../command.ts";
import { projectOf } from "../linked.ts";
import { numberTyped } from "../numbered.ts";
import { changedSince } from "../plan-bond.ts";
import { timeOfDay } from "../wording/figures.ts";
import { who } from "../wording/people.ts";
import {
  asking,
  planChanged,
  planChosen,
  planGone,
  planOver,
  planStarted,
  sourceChanged,
  typedAgain,
} from "../wording/plan.ts";
import { quicklyAsked, schedule } from "./pass.ts";

export const start = command({
  name: "start",
  usage: "start <n>",
  summary: "starts a plan that was shown",
  role: "operator",
  group: "Passes",
  examples: ["start 3"],
  options: {},
  about: planProject,
  parse: (words) => numberTyped("start", "a plan that was shown", words.args),
  async run(n, context): Promise<Answer> {
    const { desk, person, channel } = context;
    const kept = await waiting(n, context);
    if (kept.request.at !== undefined && kept.request.at <= desk.clock.now()) {
      throw new UserError(
        `The time of plan ${n} has passed; nothing was scheduled. Type the command again.`,
      );
    }
    const plan = await preview(kept.request, kept.project, true, desk);
    const changed = changedSince(kept.hash, plan, person.id, channel);
    if (changed.length > 0) {
      const typed = typedAgain(kept.request, plan.project.zone);
      throw new UserError(planChanged(n, changed, plan, typed));
    }
    const later = () => begin(n, kept, plan, context);
    return plan.entries.length <= quicklyAsked ? later() : { ...privately(asking(plan)), later };
  },
});

/** Starts a plan whose mailboxes are still as it says. */
async function begin(n: number, kept: KeptPlan, plan: PassPlan, context: Context): Promise<Answer> {
  const { desk, person, channel } = context;
  const { kind, limit, filters } = plan;
  const entries = plan.entries.map(({ entry }) => entry);
  const now = await desk.forecaster.ask({ kind, limit, filters, entries });
  const shifts = shifted(kept.forecast, now);
  if (shifts.length > 0) {
    const typed = typedAgain(kept.request, plan.project.zone);
    throw new UserError(sourceChanged(n, shifts, typed));
  }
  const at = desk.clock.now();
  // Of several who press at once, one gets it.
  if (!(await desk.plans.choose(n, { what: "start", by: person.id, at }))) {
    throw await gone(n, context);
  }
  const moment = timeOfDay(at, at, plan.project.zone);
  const { name } = plan.project;
  if (kept.request.at !== undefined) {
    const message = planChosen(n, kind, name, "schedule", who(person), moment);
    const answer = await schedule(kept.request, kept.request.at, plan, context);
    return { ...answer, say: [{ how: "rewrite", key: `plan:${n}`, message }, ...answer.say] };
  }
  const pass = await submit(plan, { who: person.id, thread: channel }, desk);
  const message = planChosen(n, kind, name, { start: pass }, who(person), moment);
  return {
    say: [
      { how: "rewrite", key: `plan:${n}`, message },
      { how: "private", message: planStarted(plan, pass, false) },
    ],
    passes: [pass],
  };
}

export const cancel = command({
  name: "cancel",
  usage: "cancel <n>",
  summary: "drops a plan that was shown",
  role: "operator",
  group: "Passes",
  examples: ["cancel 3"],
  options: {},
  about: planProject,
  parse: (words) => numberTyped("cancel", "a plan that was shown", words.args),
  async run(n, context): Promise<Answer> {
    const kept = await waiting(n, context);
    const { desk, person } = context;
    const at = desk.clock.now();
    if (!(await desk.plans.choose(n, { what: "cancel", by: person.id, at }))) {
      throw await gone(n, context);
    }
    const project = await desk.projects.byId(kept.project);
    const message = planChosen(
      n,
      kept.request.kind,
      project.name,
      "cancel",
      who(person),
      timeOfDay(at, at, project.zone),
    );
    return {
      say: [
        { how: "rewrite", key: `plan:${n}`, message },
        { how: "private", message },
      ],
    };
  },
});

/** The right to choose is held in the project of the plan, wherever it is typed. */
async function planProject(words: Words, context: Context): Promise<Project> {
  const kept = await context.desk.plans.look(Number(words.args[0]) || 0);
  if (kept === null || kept.channel !== context.channel) return projectOf(words, context);
  return context.desk.projects.byId(kept.project);
}

async function waiting(n: number, context: Context): Promise<KeptPlan> {
  const { desk, person, channel } = context;
  const kept = await desk.plans.look(n);
  if (kept === null || kept.channel !== channel) throw new UserError(planGone(n));
  if (kept.chosen !== null || kept.expiresAt <= desk.clock.now()) throw await gone(n, context);
  if (kept.user !== person.id) {
    const shown = harmless(await desk.people.name(kept.user), 60);
    throw new UserError(
      `Plan ${n} was shown to ${shown}, who alone can start or cancel it; nothing was done. Type the command yourself to get your own.`,
    );
  }
  return kept;
}

/** Why a plan can no longer be chosen for. */
async function gone(n: number, { desk }: Context): Promise<UserError> {
  const kept = await desk.plans.look(n);
  if (kept?.chosen == null) return new UserError(planGone(n));
  const { zone } = await desk.projects.byId(kept.project);
  const { what, by, at } = kept.chosen;
  const name = harmless(await desk.people.name(by), 60);
  return new UserError(planOver(n, what, name, timeOfDay(at, desk.clock.now(), zone)));
}
