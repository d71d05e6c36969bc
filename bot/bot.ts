import { randomBytes } from "node:crypto";
import { UserError } from "../engine/domain/errors.ts";
import type { PassId } from "../engine/domain/pass.ts";
import type { Desk } from "../engine/submit.ts";
import { authorise } from "./authorise.ts";
import type { Answer, BotOptions, Command, Context, Machine, Words } from "./command.ts";
import { parse } from "./parse.ts";
import type { Incoming, Surface } from "./surface.ts";
import { shownVariable } from "./variables.ts";

/** What came of a line. `passes` are those it started. */
export interface Outcome {
  result: "accepted" | "refused" | "failed";
  passes: PassId[];
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

/** How many events are remembered, to know one that is delivered again. */
const remembered = 1000;

/** Parse, authorise, run, reply; here is the bot's only catch. */
export function makeBot(parts: BotParts): Bot {
  const seen = new Map<string, Promise<Outcome>>();
  return {
    handle(incoming) {
      const event = `${incoming.surface}:${incoming.eventId}`;
      const before = seen.get(event);
      if (before !== undefined) return before;
      const outcome = answer(incoming, parts);
      seen.set(event, outcome);
      const [oldest] = seen.keys();
      if (seen.size > remembered && oldest !== undefined) seen.delete(oldest);
      return outcome;
    },
  };
}

/** What was understood so far, for the audit. */
interface Understood {
  did: string;
}

async function answer(incoming: Incoming, parts: BotParts): Promise<Outcome> {
  const understood: Understood = { did: "a line that was not understood" };
  try {
    const { say, passes = [] } = await run(incoming, parts, understood);
    await note(incoming, parts, understood, "done", null);
    await reply(say, incoming, parts);
    return { result: "accepted", passes };
  } catch (error) {
    return refused(error, incoming, parts, understood);
  }
}

async function run(incoming: Incoming, parts: BotParts, understood: Understood): Promise<Answer> {
  const { command, words } = parse(incoming.text, parts.commands);
  understood.did = command.name;
  authorise(incoming.person, command, parts.options.owners);
  const perform = command.understand(words);
  understood.did = told(command, words);
  for (const name of words.options.keys()) {
    if (command.options[name]?.machineOnly && !incoming.capabilities.readsThisMachine) {
      throw new UserError(
        `\`--${name}\` reads the machine Godwit runs on and works there alone; nothing was done. Type the command in its terminal.`,
      );
    }
  }
  const context: Context = {
    desk: parts.desk,
    person: incoming.person,
    channel: incoming.channel,
    thread: incoming.thread,
    capabilities: incoming.capabilities,
    machine: parts.machine,
    options: parts.options,
    commands: parts.commands,
  };
  return perform(context);
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
  error: unknown,
  incoming: Incoming,
  parts: BotParts,
  understood: Understood,
): Promise<Outcome> {
  const ours = !(error instanceof UserError);
  const reference = ours ? randomBytes(4).toString("hex") : null;
  const text = ours
    ? `That went wrong, and the fault is Godwit's. Type \`status\` to see what was done; the log says more under the reference ${reference}.`
    : error.message;
  if (ours) parts.log.error({ reference, err: error, did: understood.did }, "a command failed");
  try {
    await note(incoming, parts, understood, ours ? "failed" : "refused", reference);
    await reply([{ how: "private", message: { text, tone: "bad" } }], incoming, parts);
  } catch (second) {
    // Nobody can be told: the log is what is left.
    parts.log.error({ reference, err: second }, "a refusal could not be told");
    return { result: "failed", passes: [] };
  }
  return { result: ours ? "failed" : "refused", passes: [] };
}

async function note(
  incoming: Incoming,
  { desk }: BotParts,
  { did }: Understood,
  outcome: "done" | "refused" | "failed",
  reference: string | null,
): Promise<void> {
  const project = await desk.projects.linked(incoming.channel);
  await desk.audit.note({
    who: incoming.person.id,
    project: project?.id ?? null,
    did,
    outcome,
    reference,
  });
}

async function reply(say: Answer["say"], incoming: Incoming, parts: BotParts): Promise<void> {
  const surface = parts.surfaces.find((one) => one.name === incoming.surface);
  if (surface === undefined) throw new Error(`No surface is called ${incoming.surface}.`);
  for (const { how, message, ...said } of say) {
    switch (how) {
      case "private":
        await surface.private(incoming.thread ?? incoming.channel, incoming.person.id, message);
        break;
      case "post":
        await surface.post(incoming.channel, message, "key" in said ? said.key : undefined);
        break;
      case "rewrite": {
        const thread = "key" in said ? await surface.find(incoming.channel, said.key ?? "") : null;
        if (thread !== null) await surface.edit(thread, message);
        break;
      }
    }
  }
}
