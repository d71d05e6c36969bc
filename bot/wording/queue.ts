import type { Depth, Queue } from "../../engine/domain/queue.ts";
import type { RunCounts } from "../../engine/domain/vitals.ts";
import type { Message } from "../message.ts";
import { count, number } from "./figures.ts";

/** How the queue stands, by both that know. */
export interface QueueFacts {
  keeper: Queue["keeper"];
  /** Null where what keeps the rings does not answer. */
  rings: Depth | null;
  runs: RunCounts;
}

/** The way into the queue's board, or why there is none. */
export type BoardAt = { link: string } | "unset" | "elsewhere";

export function queueMessage({ keeper, rings, runs }: QueueFacts, board: BoardAt): Message {
  const alone = keeper === "this process";
  const title = alone
    ? "The queue is in this process"
    : `The queue is in ${keeper}, which ${rings === null ? "does not answer" : "answers"}`;
  const facts = {
    "in the database": runsText(runs),
    [`in ${alone ? "the queue" : keeper}`]: rings === null ? "no answer" : ringsText(rings),
  };
  const rest = [
    rings === null
      ? "Nothing is lost: the database keeps every run, and engines look there by themselves; each begins some seconds later. `doctor` says what is wrong."
      : "The queue only rings; the database keeps every run.",
    alone ? aloneText : boardNote(board),
  ];
  const told = Object.entries(facts).map(([where, text]) => `${where}: ${text}`);
  const here = typeof board === "object" && !alone ? board : null;
  return {
    text: [`${title}.`, ...told, ...rest, ...(here === null ? [] : [`\`${here.link}\``])].join(
      "\n",
    ),
    title,
    ...(rings === null && { tone: "warning" }),
    facts,
    notes: rest,
    ...(here !== null && { link: { label: "Open the queue's board", url: here.link } }),
  };
}

function runsText({ waiting, active, held }: RunCounts): string {
  const rest =
    held === 0
      ? ""
      : `, ${number(held)} held up by a server, their hours, the quiet time of a batch in doubt or one that goes first`;
  return `${count(waiting, "run")} ${waiting === 1 ? "waits" : "wait"}, ${number(active)} begun${rest}`;
}

function ringsText({ waiting, active }: Depth): string {
  return `${count(waiting, "ring")} ${waiting === 1 ? "waits" : "wait"}, ${number(active)} being answered`;
}

const aloneText =
  "It has no board to look at. With QUEUE_URL and GODWIT_BOARD_PORT it has one; see docs/operate.md.";

function boardNote(board: BoardAt): string {
  if (board === "unset") {
    return "Its board is not served. Whoever runs Godwit can set GODWIT_BOARD_PORT; see docs/operate.md.";
  }
  if (board === "elsewhere") {
    return "Its board is served by `serve` and `bot`: type `queue` to one of them for the way in.";
  }
  return "Its board is for looking alone. The link is yours: good for five minutes, once, and then for an hour in that browser.";
}

/** Of the page, in the browser's tab. */
export const boardTitle = "Godwit's queue";

export function boardServedText(origin: string): string {
  return `The queue's board is at ${origin}; type \`queue\` for the way in.`;
}

export const boardRefusals = {
  address:
    "The queue's board is not opened by this address. Type `queue` in Godwit's chat and open the link it gives; if it leads here, GODWIT_BOARD_URL is not the address you see in the browser.",
  origin: "Another page asked for this, and it was not done. Open the queue's board by itself.",
  session:
    "This is for owners of this Godwit, with a link of their own. Type `queue` in Godwit's chat and open the link it gives within five minutes; it is good once.",
  changing:
    "The queue's board is for looking alone, and nothing was changed. What runs is changed in the chat: type `help`.",
  silent:
    "The queue does not answer now. Nothing is lost: the database keeps every run, and engines look there by themselves. Try again in a minute.",
  nothing: "There is nothing here. The queue's board is at /.",
} as const;

export const unansweredText = "That went wrong; the log says more.";

/** Behind a link, before it is used up. */
export const enterTexts = {
  about: "To look at for an hour, in this browser. The link works once.",
  button: "Open the board",
} as const;

export function boardDeafText(code: string): string {
  return `GODWIT_BOARD_PORT cannot be listened on with this GODWIT_HOST (${code}); nothing was started. Set it to a port that is free, another for each process of this machine, or unset it: then the queue has no board.`;
}
