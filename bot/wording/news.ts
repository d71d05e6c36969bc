import { harmless } from "../../engine/domain/errors.ts";
import type { NewsRow } from "../../engine/domain/news.ts";
import type { Checked, PassSnapshot, PassState, RunSnapshot } from "../../engine/domain/pass.ts";
import { count, moment, names, number, timeOfDay } from "./figures.ts";
import {
  aftermath,
  nextStep,
  runSums,
  sentence,
  stateWords,
  sums,
  surveyText,
  title,
  waitWords,
} from "./pass.ts";
import { waitsForHours } from "./windows.ts";

/** What the thread is told of one piece of news; null where the root message says it. */
export function newsText(row: NewsRow, pass: PassSnapshot): string | null {
  const { news } = row;
  switch (news.type) {
    case "pass queued":
      return null;
    case "pass started":
      return `Started: ${names(pass.runs.map((run) => run.source))}.`;
    case "license consumed":
      return `A license is used for ${harmless(news.entry)}; ${number(pass.licenses.free)} free.`;
    case "first failure":
      return `First failure, ${harmless(news.entry)}, folder ${harmless(news.folder)}: ${sentence(news.reason)} The pass goes on; \`report ${pass.id}\` lists all failures.`;
    case "entry waits": {
      if (news.for === "window" && news.until !== null) {
        return `${harmless(news.entry)} ${waitsForHours(news.until, pass.project.zone)}.`;
      }
      const until =
        news.until === null
          ? ""
          : `; it goes on by itself at ${timeOfDay(news.until, row.at, pass.project.zone)}`;
      return `${harmless(news.entry)} waits for ${waitWords[news.for]}${until}.`;
    }
    case "entry ended": {
      const run = pass.runs.find((one) => one.id === news.run);
      return entryEnded(harmless(news.entry), news.state, news.reason, run ?? null, pass);
    }
    case "first checked":
      return firstChecked(harmless(news.entry), news.checked, news.others);
    case "pass paused":
      return `Paused by ${harmless(news.by)}. Type \`resume ${pass.id}\` to go on.`;
    case "pass resumed":
      return `Resumed by ${harmless(news.by)}.`;
    case "pass ended":
      return finished(pass);
  }
}

/** Many pieces of news of one kind in one text; null where each is to be told by itself. */
export function foldedText(rows: NewsRow[], pass: PassSnapshot): string | null {
  const [first] = rows;
  if (first === undefined) return null;
  switch (first.news.type) {
    case "entry ended":
      return foldedEnds(rows, pass);
    case "license consumed":
      return `${count(rows.length, "license")} are used for ${names(entries(rows))}; ${number(pass.licenses.free)} free.`;
    case "entry waits": {
      const { until } = first.news;
      if (first.news.for === "window" && until !== null) {
        const who = count(rows.length, "mailbox waits", "mailboxes wait");
        return `${who} for the project's hours and go on at ${moment(until, pass.project.zone)}: ${names(entries(rows))}.`;
      }
      return `${count(rows.length, "mailbox", "mailboxes")} wait for ${waitWords[first.news.for]}: ${names(entries(rows))}.`;
    }
    case "first failure":
      return `First failures in ${names(entries(rows))}. The pass goes on; \`report ${pass.id}\` lists all of them with the servers' words.`;
    case "first checked":
      return rows.map((row) => newsText(row, pass)).join("\n");
    case "pass queued":
    case "pass started":
    case "pass paused":
    case "pass resumed":
    case "pass ended":
      return null;
  }
}

/** The last reply of a pass: its sums and what they mean. */
export function finished(pass: PassSnapshot): string {
  return [
    `${title(pass)}: ${stateWords[pass.state]}. ${sums(pass)}.`,
    ...aftermath(pass),
    nextStep(pass).text,
  ].join("\n");
}

function firstChecked(name: string, checked: Checked, others: number): string {
  const { carried, missing, duplicates, passed } = checked;
  const counts =
    missing === 0
      ? `all ${number(carried)} are where they were put`
      : `${number(missing)} of ${number(carried)} are not where they were put`;
  const twice =
    duplicates === 0 ? "no duplicates" : `${count(duplicates, "item")} stand there twice`;
  const then = !passed
    ? others === 0
      ? "Look at it before the next pass."
      : `${count(others, "other mailbox", "other mailboxes")} did not begin.`
    : others === 0
      ? ""
      : `${count(others, "other mailbox begins", "other mailboxes begin")} now.`;
  return `${name} was carried from scratch and checked: ${counts}, ${twice}. ${then}`.trim();
}

function entryEnded(
  name: string,
  state: PassState,
  reason: string | null,
  run: RunSnapshot | null,
  pass: PassSnapshot,
): string {
  const why = reason === null ? "" : ` ${sentence(reason)}`;
  if (state === "failed") return `${name} failed:${why === "" ? " no reason is known." : why}`;
  if (state === "stopped") return `${name} was stopped; what was carried stays.${why}`;
  if (pass.kind === "verify") {
    const survey = run?.survey == null ? "both ends can be opened" : surveyText(run.survey);
    return `${name} is verified: ${survey}.${why}`;
  }
  const what = run === null ? "" : `: ${runSums(run.counters, pass.kind)}`;
  const errors = state === "completed_with_errors" ? " with errors" : "";
  return `${name} is done${errors}${what}.${why}`;
}

function foldedEnds(rows: NewsRow[], pass: PassSnapshot): string {
  const lines: string[] = [];
  const ends = rows.flatMap(({ news }) => (news.type === "entry ended" ? news : []));
  const by = Map.groupBy(ends, (news) => news.state);
  for (const [state, some] of by) {
    const all = some.map((news) => harmless(news.entry));
    lines.push(`${count(all.length, "mailbox", "mailboxes")} ${stateWords[state]}: ${names(all)}.`);
  }
  if (by.has("failed") || by.has("completed_with_errors")) {
    lines.push(`\`report ${pass.id}\` says why.`);
  }
  return lines.join("\n");
}

function entries(rows: NewsRow[]): string[] {
  return rows.flatMap((row) => ("entry" in row.news ? harmless(row.news.entry) : []));
}
