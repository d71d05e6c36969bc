import type { Instant } from "../../engine/domain/clock.ts";
import { harmless } from "../../engine/domain/errors.ts";
import type { Forecast } from "../../engine/domain/forecast.ts";
import type { PassSnapshot } from "../../engine/domain/pass.ts";
import type { PassPlan } from "../../engine/domain/plan.ts";
import type { Reminder } from "../../engine/domain/reminder.ts";
import type { Message } from "../message.ts";
import { columns, count, duration, moment, number } from "./figures.ts";
import { forecastLines } from "./forecast.ts";
import { kindWords } from "./plan.ts";
import { requestText } from "./schedule.ts";
import { outside } from "./windows.ts";

export function reminderSet(
  { n, recurs, auto, request, at }: Pick<Reminder, "n" | "recurs" | "auto" | "request" | "at">,
  zone: string,
  now: Instant,
  by: string,
): Message {
  const often = recurs === null ? "once" : recurs.typed;
  const how = auto ? "starts it by itself" : "asks in this channel";
  return {
    text: `Reminder ${n} by ${by}: ${requestText(request, zone)}, ${often}; ${how}, next at ${moment(at, zone)}, in ${duration(at - now)}. Type \`remind list\` or \`remind cancel ${n}\`.`,
  };
}

/** What the channel is asked. */
export function reminderAsks(
  { n, request, recurs, unansweredSince, folds }: Reminder,
  plan: PassPlan | null,
  forecast: Forecast,
  reason: string | null,
  last: PassSnapshot | null,
  zone: string,
): Message {
  const title = `Reminder ${n}: ${requestText(request, zone)}`;
  const word = kindWords[request.kind].toLowerCase();
  const since =
    last?.endedAt == null
      ? "No pass has ended yet."
      : `Since pass ${last.id} (${kindWords[last.kind].toLowerCase()}, ${moment(last.endedAt, zone)}):`;
  const open =
    unansweredSince === null || !folds
      ? []
      : [
          `Nobody has answered since ${moment(unansweredSince, zone)}; this takes the place of that one.`,
        ];
  const what =
    plan === null
      ? [`It cannot run now: ${harmless(reason ?? "", 400)}`]
      : [
          since,
          ...forecastLines(plan, forecast),
          `licenses it would use: ${number(plan.licensesNeeded)}`,
          ...(plan.window?.opens == null ? [] : [outside(plan.window.opens, zone)]),
        ];
  const again = recurs === null ? "" : ` It comes ${recurs.typed}.`;
  const choice = `Type \`remind run ${n}\`, \`remind snooze ${n}\` or \`remind skip ${n}\`.${again}`;
  const notes = [...open, ...what, choice];
  return {
    text: [title, ...notes.map((line) => `  ${line}`)].join("\n"),
    title,
    notes,
    buttons: [
      { label: `Run ${word} now`, command: `remind run ${n}`, style: "primary" },
      { label: "Snooze", command: `remind snooze ${n}` },
      { label: "Skip", command: `remind skip ${n}` },
    ],
  };
}

export function reminderFolded(n: number): string {
  return `Reminder ${n} was not answered; a newer one has taken its place.`;
}

/** What its message becomes once somebody chose. */
export function reminderAnswered(n: number, what: string, by: string, at: string): Message {
  return { text: `Reminder ${n}: ${what} by ${by} at ${at}.` };
}

export function reminderList(
  project: string,
  all: (Reminder & { by: string })[],
  zone: string,
): Message {
  const head = ["number", "next", "when", "what", "how", "by"];
  const rows = all.map(({ n, at, state, recurs, request, auto, by }) => [
    String(n),
    at === 0 ? "" : moment(at, zone),
    recurs === null ? "once" : recurs.typed,
    requestText(request, zone),
    state === "asked" ? "waits for an answer" : auto ? "by itself" : "asks",
    by,
  ]);
  const title = `Reminders of ${project}, ${count(all.length, "reminder")}`;
  const more = "`remind cancel <n>` ends one.";
  return {
    text: [title, columns([head, ...rows]), more].join("\n"),
    title,
    table: { columns: head, rows },
    notes: [more],
  };
}
