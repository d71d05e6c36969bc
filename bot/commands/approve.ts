import type { Approval } from "../../engine/domain/approval.ts";
import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { Project } from "../../engine/domain/project.ts";
import { authorise } from "../authorise.ts";
import { type Answer, Aside, type Command, type Context, command, type Words } from "../command.ts";
import { projectOf } from "../linked.ts";
import type { Message } from "../message.ts";
import { numberTyped } from "../numbered.ts";
import type { Person } from "../surface.ts";
import {
  approvalChosen,
  approvalFailed,
  approvalGone,
  approvalOver,
  approvalOwn,
  approvalUnfounded,
} from "../wording/approval.ts";
import { timeOfDay } from "../wording/figures.ts";
import { who } from "../wording/people.ts";

export const approve = command({
  name: "approve",
  usage: "approve <n>",
  summary: "releases what somebody else asked for",
  role: "operator",
  group: "Passes",
  examples: ["approve 3"],
  options: {},
  about: projectOfRequest,
  parse: (words) => numberTyped("approve", "a request that was shown", words.args),
  async run(n, context): Promise<Answer> {
    const waits = await waiting(n, context);
    const { person, commands } = context;
    if (waits.person === person.id) throw new UserError(approvalOwn(n));
    const wanted = commands.find((one) => one.name === waits.command.name);
    if (wanted === undefined) throw new UserError(approvalGone(n));
    const words: Words = {
      args: waits.command.args,
      options: new Map(waits.command.options),
    };
    const asker = await askerOf(waits, context);
    const asAsker: Context = {
      ...context,
      person: asker,
      values: null,
      asked: { name: wanted.name, words },
      approved: { n, by: person, bound: waits.bound },
    };
    // Both have to have the right, now.
    await authorise(wanted, words, context);
    await stillMay(wanted, words, asAsker, waits);
    const message = await choose(waits, "approve", context);
    const said = { how: "rewrite", key: `approval:${n}`, message } as const;
    const note = `approves ${waits.told}, asked for by ${waits.person}`;
    try {
      const answer = await whole(await wanted.understand(words)(asAsker));
      await noteDeed(waits, "done", context);
      return { ...answer, say: [said, ...answer.say], note };
    } catch (error) {
      // Some of it was done, and what is said beside the error tells it.
      if (error instanceof Aside) throw new Aside(error.cause, [said, ...error.say]);
      const refused = error instanceof UserError;
      await noteDeed(waits, refused ? "refused" : "failed", context);
      const failed = approvalFailed(message, refused ? error.message : null);
      throw new Aside(refused ? new UserError(failed.text) : error, [{ ...said, message: failed }]);
    }
  },
});

export const deny = command({
  name: "deny",
  usage: "deny <n>",
  summary: "refuses what somebody asked for, or takes back what you asked for",
  role: "operator",
  group: "Passes",
  examples: ["deny 3"],
  options: {},
  about: projectOfRequest,
  parse: (words) => numberTyped("deny", "a request that was shown", words.args),
  async run(n, context): Promise<Answer> {
    const waits = await waiting(n, context);
    const message = await choose(waits, "deny", context);
    return {
      say: [
        { how: "rewrite", key: `approval:${n}`, message },
        { how: "private", message },
      ],
      note: `denies ${waits.told}, asked for by ${waits.person}`,
    };
  },
});

/** Throws `UserError` where whoever asked has lost the right since; the request stays. */
async function stillMay(
  wanted: Command,
  words: Words,
  asAsker: Context,
  { n, told }: Approval,
): Promise<void> {
  try {
    await authorise(wanted, words, asAsker);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const asker = who(asAsker.person);
    throw new UserError(approvalUnfounded(n, told, asker, wanted.role));
  }
}

/** In the name of whoever asked; who approved it is in the line. */
function noteDeed(
  { n, told, person: who, project }: Approval,
  outcome: "done" | "refused" | "failed",
  { desk, person }: Context,
): Promise<void> {
  const did = `${told}, approved by ${person.id} (request ${n})`;
  return desk.audit.note({ who, project, did, outcome, reference: null, link: null });
}

/** With what a command says later: whether it can be done is known only then. */
async function whole(answer: Answer): Promise<Answer> {
  const { later, ...now } = answer;
  if (later === undefined) return now;
  const then = await whole(await later());
  const passes = [...(now.passes ?? []), ...(then.passes ?? [])];
  return { ...now, ...then, say: then.say, passes };
}

/** The right to choose is held in the project of the request, wherever it is typed. */
async function projectOfRequest(words: Words, context: Context): Promise<Project> {
  const waits = await context.desk.approvals.look(Number(words.args[0]) || 0);
  if (waits === null || waits.channel !== context.channel) return projectOf(words, context);
  return context.desk.projects.byId(waits.project);
}

async function waiting(n: number, context: Context): Promise<Approval> {
  const { desk, channel } = context;
  const waits = await desk.approvals.look(n);
  if (waits === null || waits.channel !== channel) throw new UserError(approvalGone(n));
  if (waits.chosen !== null || waits.expiresAt <= desk.clock.now()) throw await gone(n, context);
  return waits;
}

/** Of several who press at once, one decides. */
async function choose(
  { n, told, person: asked, project }: Approval,
  what: "approve" | "deny",
  context: Context,
): Promise<Message> {
  const { desk, person } = context;
  const at = desk.clock.now();
  if (!(await desk.approvals.choose(n, { what, by: person.id, at }))) throw await gone(n, context);
  const { zone } = await desk.projects.byId(project);
  const asker = harmless(await desk.people.name(asked), 60);
  return approvalChosen(n, told, asker, what, who(person), timeOfDay(at, at, zone));
}

/** Why a request can no longer be decided. */
async function gone(n: number, { desk }: Context): Promise<UserError> {
  const waits = await desk.approvals.look(n);
  if (waits?.chosen == null) return new UserError(approvalGone(n));
  const { zone } = await desk.projects.byId(waits.project);
  const { what, by, at } = waits.chosen;
  const name = harmless(await desk.people.name(by), 60);
  return new UserError(approvalOver(n, what, name, timeOfDay(at, desk.clock.now(), zone)));
}

/** Who asked, as the platform knows them now: they may be a guest by this time. */
async function askerOf({ person: id }: Approval, { desk, lookUp }: Context): Promise<Person> {
  // Somebody the platform does not know any more may do nothing.
  return (await lookUp(id)) ?? { id, name: await desk.people.name(id), guest: true };
}
