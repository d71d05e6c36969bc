import { count } from "./figures.ts";

/** What the command line itself says, outside any channel. */

export function usageText(verb: string): string {
  const unknown = verb === "" || /^(--)?help$/.test(verb) ? "" : `There is no verb “${verb}”.\n\n`;
  return `${unknown}npm run -s godwit -- <verb>

  serve                       bot and engine in one process, with a prompt in this terminal
  chat "<command>" …          plays an operator: runs each command, waits for what it started
       [--as <name>] [--json] [--no-wait]
  db latest|rollback|status   the database's migrations
  keys new|rotate             the key that seals passwords
  doctor                      checks configuration, database and keys

What can be typed in the channel: npm run -s godwit -- chat help`;
}

export function laterText(what: string): string {
  switch (what) {
    case "bot":
    case "engine":
      return `\`${what}\` as a process of its own comes in a later version. Type \`serve\`: bot and engine in one.`;
    default:
      return `${what} is set, but Slack and Teams come in a later version; this terminal is the channel.`;
  }
}

export function doctorText(what: string, well: boolean, text: string): string {
  return `${well ? "ok    " : "FAULT "} ${what}: ${text}`;
}

export function rotatedText(sealed: number): string {
  return `${count(sealed, "secret")} ${sealed === 1 ? "is" : "are"} sealed with the first key now; the keys behind it can be removed.`;
}
