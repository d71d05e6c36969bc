import { UserError } from "../../engine/domain/errors.ts";
import type { KeptPlan } from "../../engine/domain/plan.ts";
import { preview, submit } from "../../engine/submit.ts";
import { type Answer, type Context, command, type Words } from "../command.ts";
import { changedSince } from "../plan-bond.ts";
import { planChanged, planChosen, planGone, planStarted, typedAgain } from "../wording/plan.ts";

export const start = command({
  name: "start",
  usage: "start <n>",
  summary: "starts a plan that was shown",
  role: "operator",
  group: "Passes",
  examples: ["start 3"],
  options: {},
  parse: (words) => planNumber("start", words),
  async run(n, context): Promise<Answer> {
    const { desk, person, channel } = context;
    const kept = await waiting(n, context);
    // Of several who press at once, one gets it.
    if ((await desk.plans.take(n)) === null) throw new UserError(planGone(n));
    const plan = await preview(kept.request, kept.project, true, desk);
    const changed = changedSince(kept.hash, plan, person.id, channel);
    if (changed.length > 0) {
      const typed = typedAgain(kept.request, plan.project.zone);
      throw new UserError(planChanged(n, changed, plan, typed));
    }
    const pass = await submit(plan, { who: person.id, thread: channel }, desk);
    return {
      say: [
        {
          how: "rewrite",
          key: `plan:${n}`,
          message: planChosen(n, plan.kind, plan.project.name, { start: pass }, person.id),
        },
        { how: "private", message: planStarted(plan, pass, false) },
      ],
      passes: [pass],
    };
  },
});

export const cancel = command({
  name: "cancel",
  usage: "cancel <n>",
  summary: "drops a plan that was shown",
  role: "operator",
  group: "Passes",
  examples: ["cancel 3"],
  options: {},
  parse: (words) => planNumber("cancel", words),
  async run(n, context): Promise<Answer> {
    const kept = await waiting(n, context);
    if ((await context.desk.plans.take(n)) === null) throw new UserError(planGone(n));
    const project = await context.desk.projects.byId(kept.project);
    const message = planChosen(n, kept.request.kind, project.name, "cancel", context.person.id);
    return {
      say: [
        { how: "rewrite", key: `plan:${n}`, message },
        { how: "private", message },
      ],
    };
  },
});

function planNumber(word: string, { args }: Words): number {
  const [typed = ""] = args;
  if (/^\d{1,9}$/.test(typed) && args.length === 1) return Number(typed);
  throw new UserError(
    `\`${word}\` takes the number of a plan that was shown; nothing was done. Type it like \`${word} 3\`.`,
  );
}

async function waiting(n: number, { desk, person, channel }: Context): Promise<KeptPlan> {
  const kept = await desk.plans.look(n);
  if (kept === null || kept.channel !== channel || kept.expiresAt <= desk.clock.now()) {
    throw new UserError(planGone(n));
  }
  if (kept.user !== person.id) {
    throw new UserError(
      `Plan ${n} was shown to ${kept.user}, who alone can start or cancel it; nothing was done. Type the command yourself to get your own.`,
    );
  }
  return kept;
}
