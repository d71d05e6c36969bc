import type { PassId } from "../engine/domain/pass.ts";
import type { Role } from "../engine/domain/people.ts";
import type { Project } from "../engine/domain/project.ts";
import type { Secret } from "../engine/domain/secret.ts";
import type { Thread } from "../engine/domain/thread.ts";
import type { Desk } from "../engine/submit.ts";
import type { Form, Message } from "./message.ts";
import type { Capabilities, Person } from "./surface.ts";

export const groups = ["Set up", "Passes", "Look", "Licenses", "Help"] as const;
export type Group = (typeof groups)[number];

/** An option of a command. `value` is what stands after it, as the help shows it; null for a switch. */
export interface Option {
  value: string | null;
  /** Reads this machine's files or variables: for people who sit at it. */
  machineOnly?: true;
  /** Known, and to come: what to say when it is used. */
  later?: string;
}

/** What was typed after a command's name. A switch that was given has the value "". */
export interface Words {
  args: string[];
  options: ReadonlyMap<string, string>;
}

/** The operator's own machine, as far as a command may read it. */
export interface Machine {
  env(name: string): string | undefined;
  readFile(path: string): Promise<string>;
  /** Variables of the product and its surroundings, never a source of mail passwords; `*` at the end for any rest. */
  ownVariables: string[];
}

export interface BotOptions {
  /** People who may do everything, like `local:owner`. */
  owners: string[];
  /** Private hosts (`host` or `host:port`) that may be named from afar. */
  endpointsAllowed: string[];
  /** Left out where the queue's board is not configured; `elsewhere` where this process does not serve it. */
  board?: "elsewhere" | { invite(person: string): string };
}

/** A second person's word for what somebody asked for. */
export interface Approved {
  n: number;
  by: Person;
  /** What it would do, hashed when it was asked for. */
  bound: string;
}

/** Who asks, where, and what a command may use. */
export interface Context {
  desk: Desk;
  person: Person;
  channel: Thread;
  thread: Thread | null;
  /** What a form brought, by the names of its fields; null where none was sent. */
  values: ReadonlyMap<string, Secret> | null;
  capabilities: Capabilities;
  /** The command that was understood, and its words. */
  asked: { name: string; words: Words };
  /** Null where nobody has approved it. */
  approved: Approved | null;
  /** Who is meant by what somebody typed; null where nobody is. */
  lookUp(typed: string): Promise<Person | null>;
  machine: Machine;
  options: BotOptions;
  /** Every command there is, for help. */
  commands: Command[];
}

/** What a command answers; the bot says it. */
export interface Answer {
  say: Said[];
  /** Passes it started: `chat` waits for them. */
  passes?: PassId[];
  /** What takes a while: said after the rest was. It may throw as the command may. */
  later?: () => Promise<Answer>;
  /** For the audit, where the words that were typed do not say it. */
  note?: string;
}

/** An error, its `cause`, and what is to be said beside it. */
export class Aside extends Error {
  readonly say: Said[];
  constructor(cause: unknown, say: Said[]) {
    super("something is said beside it", { cause });
    this.say = say;
  }
}

export type Said =
  | { how: "private"; message: Message }
  /** In the thread it was asked in, for everybody; privately where that was none. */
  | { how: "reply"; message: Message }
  | { how: "form"; form: Form }
  /** `pin`: kept at hand where the platform can. */
  | { how: "post"; message: Message; key?: string; pin?: boolean }
  /** Rewrites what was posted with this key, where it can be found. `pin` false: no longer kept at hand. */
  | { how: "rewrite"; message: Message; key: string; pin?: boolean };

/** A command as its file writes it. Both functions throw `UserError` to refuse. */
export interface Definition<Args> {
  /** One or two words. */
  name: string;
  /** As it is typed, without `/migrate`. */
  usage: string;
  summary: string;
  role: Role | "anyone";
  /**
   * What the role has to be held in: a project, all of them (by the configuration alone) or any. Left out: the
   * project named by `--project`, else the channel's own.
   */
  about?: (words: Words, context: Context) => Promise<Project | "all projects" | "any project">;
  group: Group;
  examples: string[];
  options: Record<string, Option>;
  parse(words: Words): Args;
  run(args: Args, context: Context): Promise<Answer>;
}

/** A command in the table, its arguments closed off. */
export interface Command extends Omit<Definition<unknown>, "parse" | "run"> {
  understand(words: Words): (context: Context) => Promise<Answer>;
}

/** Puts parse and run together, so that the table need not know each command's arguments. */
export function command<Args>(definition: Definition<Args>): Command {
  const { parse, run, ...told } = definition;
  return {
    ...told,
    understand(words) {
      const args = parse(words);
      return (context) => run(args, context);
    },
  };
}

/** An answer for the person who asked. */
export function privately(message: Message | string): Answer {
  return { say: [{ how: "private", message: asMessage(message) }] };
}

/** An answer for everybody in the channel. */
export function publicly(message: Message | string): Answer {
  return { say: [{ how: "post", message: asMessage(message) }] };
}

function asMessage(message: Message | string): Message {
  return typeof message === "string" ? { text: message } : message;
}

/** For commands that are about the installation and none of its projects. */
export function aboutAll(): Promise<"all projects"> {
  return Promise.resolve("all projects");
}
