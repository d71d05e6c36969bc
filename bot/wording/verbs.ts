import { count } from "./figures.ts";

/** What the command line itself says, outside any channel. */

export function usageText(verb: string): string {
  const unknown = verb === "" || /^(--)?help$/.test(verb) ? "" : `There is no verb “${verb}”.\n\n`;
  return `${unknown}npm run -s godwit -- <verb>

  serve                       bot and engine in one process: Slack and Teams where they are configured,
                              else a page in the browser; and a prompt in this terminal
       [--no-page]
  chat "<command>" …          plays an operator: runs each command, waits for what it started
       [--as <name>] [--json] [--no-wait]
  db latest|rollback|status   the database's migrations
  keys new|rotate             the key that seals passwords
  doctor                      checks configuration, database, keys and chat

What can be typed in the channel: npm run -s godwit -- chat help`;
}

export function laterText(verb: string): string {
  return `\`${verb}\` as a process of its own comes in a later version. Type \`serve\`: bot and engine in one.`;
}

export function doctorText(what: string, well: boolean, text: string): string {
  return `${well ? "ok    " : "FAULT "} ${what}: ${text}`;
}

export function rotatedText(sealed: number): string {
  return `${count(sealed, "secret")} ${sealed === 1 ? "is" : "are"} sealed with the first key now; the keys behind it can be removed.`;
}
