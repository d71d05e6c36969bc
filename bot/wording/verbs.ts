import { harmless } from "../../engine/domain/errors.ts";
import { hidePassword } from "../../engine/domain/secret.ts";
import { count } from "./figures.ts";

/** What the command line itself says, outside any channel. */

export function usageText(verb: string): string {
  const unknown = verb === "" || /^(--)?help$/.test(verb) ? "" : `There is no verb “${verb}”.\n\n`;
  return `${unknown}npm run -s godwit -- <verb>

  serve                       bot and engine in one process: Slack and Teams where they are configured,
                              else a page in the browser; and a prompt in this terminal
       [--no-page]
  bot, engine                 the two halves as processes of their own, any number of engines: they share
                              a PostgreSQL (DATABASE_URL) and a queue (QUEUE_URL)
       [--no-page]            of the bot
  chat "<command>" …          plays an operator: runs each command, waits for what it started
       [--as <name>] [--json] [--no-wait]
  db latest|rollback|status   the database's migrations
  keys new|rotate             the key that seals passwords
  doctor                      checks configuration, database, keys, queue, board and chat; changes nothing

What can be typed in the channel: npm run -s godwit -- chat help`;
}

const typed = {
  serve: "serve [--no-page]",
  bot: "bot [--no-page]",
  engine: "engine",
  chat: 'chat [--as <name>] [--json] [--no-wait] "<command>" …',
  doctor: "doctor",
};

/** A verb whose words are looked at. */
export type Typed = keyof typeof typed;

/** `why` is the parser's own first sentence. */
export function misunderstoodText(verb: Typed, why: string): string {
  const [first = ""] = why.split(". ");
  return `\`${verb}\` was not understood (${harmless(first)}); nothing was started. Type \`${typed[verb]}\`.`;
}

/** `bot` and `engine` by themselves need what several machines reach. */
export function aloneText(verb: string): string {
  return `\`${verb}\` is one of several processes: it needs DATABASE_URL like postgres://user@host/name and QUEUE_URL like redis://host:6379, the same for all of them. On one machine, \`serve\` does everything in one process and needs neither.`;
}

export function servesText(databaseUrl: string, part: "everything" | "bot" | "engine"): string {
  const what =
    part === "everything"
      ? "Godwit serves"
      : part === "bot"
        ? "Godwit's bot serves"
        : "A Godwit engine carries for";
  return `${what} ${hidePassword(databaseUrl)}.`;
}

export function doctorText(what: string, well: boolean, text: string): string {
  return `${well ? "ok    " : "FAULT "} ${what}: ${text}`;
}

export const noDatabaseText = "sqlite, no database yet: the first start makes it";

export const keyTexts = {
  open: "they open what is sealed",
  none: "no key yet: the first start makes one beside the database",
};

/** How a migration stands, for `db status`. */
export function migrationText(name: string, done: boolean, newer: boolean): string {
  return `${newer ? "newer  " : done ? "done   " : "missing"}  ${name}`;
}

export const inProcessText = "in this process; the database keeps every run";

/** What keeps the rings between processes, by its own words. */
export interface QueueStore {
  kind: string;
  version: string | null;
  policy: string | null;
  durable: boolean;
  /** What the first start makes there; null where it stands. */
  toCome: string | null;
}

export function queueText({ kind, version, policy, durable, toCome }: QueueStore): string {
  const name = version === null ? kind : `${kind} ${harmless(version)}`;
  const full = policy === null ? "" : `, maxmemory-policy ${harmless(policy)}`;
  const restart = durable
    ? "rings outlive its restart"
    : "rings are lost when it restarts, which costs seconds (`appendonly yes` keeps them)";
  const coming = toCome === null ? "" : `; the first start makes its schema ${toCome}`;
  return `${name}${full}${coming}; ${restart}; the database keeps every run`;
}

/** Null where the store throws nothing away. */
export function evictsText({ policy }: QueueStore): string | null {
  if (policy === null || policy === "noeviction") return null;
  return `Redis throws keys away when its memory is full (maxmemory-policy ${harmless(policy)}), and rings with them. Set \`maxmemory-policy noeviction\` in redis.conf, or type \`redis-cli config set maxmemory-policy noeviction\`.`;
}

export function rotatedText(sealed: number): string {
  return `${count(sealed, "secret")} ${sealed === 1 ? "is" : "are"} sealed with the first key now. The keys behind it can be removed once every process was started with it.`;
}
