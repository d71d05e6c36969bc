import { randomBytes } from "node:crypto";
import { UnavailableError, UserError } from "../engine/domain/errors.ts";
import type { PassId } from "../engine/domain/pass.ts";
import type { ProjectId } from "../engine/domain/project.ts";
import type { Desk } from "../engine/submit.ts";
import { authorise } from "./authorise.ts";
import {
  type Answer,
  Aside,
  type BotOptions,
  type Command,
  type Context,
  type Machine,
  type Words,
} from "./command.ts";
import { parse } from "./parse.ts";
import { say } from "./say.ts";
import type { Incoming, Surface } from "./surface.ts";
import { shownVariable } from "./variables.ts";
import { halfDone, notDone, untold } from "./wording/away.ts";

/** What came of a line. */
export interface Outcome {
  result: "accepted" | "refused" | "failed";
  /** Those it started. */
  passes: PassId[];
  /** The answer, where it could not be told: whoever handed the line over may have another way. */
  untold: string | null;
}

export interface Bot {
  /** Understands, authorises, runs and answers one line. Never throws; the same event twice is one command. */
  handle(incoming: Incoming): Promise<Outcome>;
}

export interface BotParts {
  desk: Desk;
  surfaces: Surface[];
  commands: Command[];
  machine: Machine;
  options: BotOptions;
  log: { error(facts: Record<string, unknown>, text: string): void };
}

/** How many events are remembered with what came of them, for those delivered again to this process. */
const remembered = 200;

/** Parse, authorise, run, reply; here is the bot's only catch. */
export function makeBot(parts: BotParts): Bot {
  const seen = new Map<string, Promise<Outcome>>();
  return {
    handle(incoming) {
      const event = `${incoming.surface}:${incoming.eventId}`;
      const before = seen.get(event);
      if (before !== undefined) return before;
      const outcome = once(event, incoming, parts);
      seen.set(event, outcome);
      const [oldest] = seen.keys();
      if (seen.size > remembered && oldest !== undefined) seen.delete(oldest);
      return outcome;
    },
  };
}

/** Another process, or this one before a restart, may have handled the event. */
async function once(event: string, incoming: Incoming, parts: BotParts): Promise<Outcome> {
  try {
    if (!(await parts.desk.inbox.first(event)))
      return { result: "accepted", passes: [], untold: null };
  } catch (err) {
    parts.log.error({ err }, "an event could not be noted");
    // Where the database is away, a chat elsewhere can still be told.
    const text = err instanceof UnavailableError ? notDone(err.message) : notDone(null);
    const isTold = await tell(
      [{ how: "private", message: { text, tone: "bad" } }],
      incoming,
      parts,
    );
    return { result: "failed", passes: [], untold: isTold ? null : text };
  }
  return answer(incoming, parts);
}

/** What was understood so far, for the audit. */
interface Understood {
  did: string;
  /** What it was about; null where that is not known yet, or no project. */
  project: ProjectId | null;
}

async function answer(incoming: Incoming, parts: BotParts): Promise<Outcome> {
  const understood: Understood = { did: "a line that was not understood", project: null };
  const outcome: Outcome = { result: "accepted", passes: [], untold: null };
  try {
    let next: Answer["later"] = () => run(incoming, parts, understood);
    while (next !== undefined) {
      const done: Answer = await next();
      refuseForms(done, incoming);
      next = done.later;
      outcome.passes.push(...(done.passes ?? []));
      if (done.note !== undefined) understood.did = `${understood.did}: ${done.note}`;
      if (next === undefined) await note(incoming, parts, understood, "done", null);
      if (await tell(done.say, incoming, parts)) continue;
      outcome.result = "failed";
      outcome.untold = untold;
    }
  } catch (error) {
    return refused(error, incoming, parts, understood);
  }
  return outcome;
}

async function run(incoming: Incoming, parts: BotParts, understood: Understood): Promise<Answer> {
  const { desk, options } = parts;
  const { person, channel, thread, values, capabilities } = incoming;
  const { command, words } = parse(incoming.text, parts.commands);
  understood.did = command.name;
  if (incoming.surface !== "local") await desk.people.met(person);
  const context: Context = {
    desk,
    person,
    channel,
    thread,
    values,
    capabilities,
    asked: { name: command.name, words },
    approved: null,
    machine: parts.machine,
    options,
    commands: parts.commands,
    lookUp: (typed) => surfaceOf(incoming, parts).person(typed, channel),
  };
  const perform = command.understand(words);
  understood.project = await authorise(command, words, context);
  understood.did = told(command, words);
  for (const name of words.options.keys()) {
    if (command.options[name]?.machineOnly && !capabilities.readsThisMachine) {
      throw new UserError(
        `\`--${name}\` reads the machine Godwit runs on and works there alone; nothing was done. Type the command in its terminal.`,
      );
    }
  }
  if (command.role !== "anyone" && capabilities.cannotPost !== null) {
    throw new UserError(`${capabilities.cannotPost} Nothing was done.`);
  }
  return perform(context);
}

/** A terminal shows no forms; whoever sits there has other ways. */
function refuseForms({ say: said }: Answer, { capabilities }: Incoming): void {
  const form = said.find((one) => one.how === "form");
  if (form !== undefined && capabilities.readsThisMachine) throw new UserError(form.form.otherwise);
}

/** The command as understood. What may be a password typed in a variable's place is left out. */
function told(command: Command, { args, options }: Words): string {
  const given = [...options].map(([name, value]) => {
    if (value === "") return `--${name}`;
    return `--${name} ${name === "password-env" ? shownVariable(value) : value}`;
  });
  return [command.name, ...args, ...given].join(" ").slice(0, 1000);
}

async function refused(
  thrown: unknown,
  incoming: Incoming,
  parts: BotParts,
  understood: Understood,
): Promise<Outcome> {
  const error = thrown instanceof Aside ? thrown.cause : thrown;
  const beside = thrown instanceof Aside ? thrown.say : [];
  const ours = !(error instanceof UserError);
  const reference = ours ? randomBytes(4).toString("hex") : null;
  const text =
    error instanceof UnavailableError
      ? halfDone(error.message, reference)
      : ours
        ? `That went wrong, and the fault is Godwit's. Type \`status\` to see what was done; the log says more under the reference ${reference}.`
        : error.message;
  if (ours) parts.log.error({ reference, err: error, did: understood.did }, "a command failed");
  try {
    await note(incoming, parts, understood, ours ? "failed" : "refused", reference);
  } catch (err) {
    parts.log.error({ reference, err }, "a refusal could not be noted");
  }
  const said: Answer["say"] = [...beside, { how: "private", message: { text, tone: "bad" } }];
  const isTold = await tell(said, incoming, parts);
  return { result: ours ? "failed" : "refused", passes: [], untold: isTold ? null : text };
}

async function note(
  incoming: Incoming,
  { desk }: BotParts,
  { did, project }: Understood,
  outcome: "done" | "refused" | "failed",
  reference: string | null,
): Promise<void> {
  const linked = project === null ? await desk.projects.linked(incoming.channel) : null;
  await desk.audit.note({
    who: incoming.person.id,
    project: project ?? linked?.id ?? null,
    did: did.slice(0, 1000),
    outcome,
    reference,
    link: incoming.link,
  });
}

/** Whether it could be told; where not, the log is what is left. What was done stays done. */
async function tell(said: Answer["say"], incoming: Incoming, parts: BotParts): Promise<boolean> {
  try {
    await say(said, incoming, surfaceOf(incoming, parts), parts.desk.posts);
    return true;
  } catch (err) {
    parts.log.error({ err }, "an answer could not be told");
    return false;
  }
}

function surfaceOf({ surface: name }: Incoming, { surfaces }: BotParts): Surface {
  const surface = surfaces.find((one) => one.name === name);
  if (surface === undefined) throw new Error(`No surface is called ${name}.`);
  return surface;
}
