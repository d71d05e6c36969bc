import type { Instant } from "../../engine/domain/clock.ts";
import { harmless } from "../../engine/domain/errors.ts";
import { ended, type PassSnapshot, type RunSnapshot } from "../../engine/domain/pass.ts";
import { csvText } from "../csv-out.ts";
import type { Message } from "../message.ts";
import { columns, count, number } from "./figures.ts";
import { finished } from "./news.ts";
import { aftermath, nextStep, stateWords, sums, title } from "./pass.ts";
import { policyText } from "./policy.ts";
import { rootMessage } from "./root.ts";

/** An item that failed, with the server's own words. */
interface Failure {
  entry: string;
  folder: string;
  uid: number;
  reason: string;
}

/** Rows and failures told in the channel; the file has all of them. */
const mostRows = 200;
const mostFailures = 200;

const head = [
  "mailbox",
  "state",
  "listed",
  "migrated",
  "already there",
  "filtered",
  "failed",
  "vanished",
  "not carried",
];

/** A pass in full: its sums mailbox by mailbox, and what failed. */
export function reportMessage(pass: PassSnapshot, failures: Failure[], now: Instant): Message {
  const rows = pass.runs.slice(0, mostRows).map((run) => [run.source, ...figures(run)]);
  const failed = failures
    .slice(0, mostFailures)
    .map((one) => [
      harmless(one.entry, 80),
      harmless(one.folder, 60),
      `item ${one.uid}`,
      harmless(one.reason),
    ]);
  const over = ended(pass.state);
  return {
    text: [
      over ? finished(pass) : rootMessage(pass, now).text,
      `Policy when it started: ${policyText(pass.policy)}.`,
      columns([head, ...rows]),
      ...(failed.length === 0
        ? ["Nothing failed."]
        : [`Failures (${count(failed.length, "item")} shown, newest first):`, columns(failed)]),
    ].join("\n"),
    title: `Report of pass ${pass.id}, ${title(pass)}: ${stateWords[pass.state]}`,
    table: { columns: head, rows },
    notes: [
      `${sums(pass)}.`,
      ...(over ? aftermath(pass) : []),
      `Policy when it started: ${policyText(pass.policy)}.`,
      ...(failed.length === 0
        ? ["Nothing failed."]
        : [
            ...failed.slice(0, 5).map((one) => one.join(" · ")),
            `${count(failures.length, "failure")} in all, each in the file.`,
          ]),
      nextStep(pass).text,
    ],
    file: {
      name: `${pass.project.name}-pass-${pass.id}.csv`,
      content: reportCsv(pass, failures),
    },
  };
}

/** Each mailbox with its sums, and under them each item that failed. */
function reportCsv(pass: PassSnapshot, failures: Failure[]): string {
  const blank = head.slice(2).map(() => "");
  return csvText(
    [...head, "folder", "item", "reason"],
    [
      ...pass.runs.map((run) => [run.source, ...figures(run), "", "", run.reason ?? ""]),
      ...failures.map((one) => [
        one.entry,
        "failed item",
        ...blank,
        one.folder,
        String(one.uid),
        one.reason,
      ]),
    ],
  );
}

function figures(run: RunSnapshot): string[] {
  const { listed, migrated, duplicates, filtered, failed, vanished, notCarried } = run.counters;
  const all = [listed, migrated, duplicates, filtered, failed, vanished, notCarried];
  return [stateWords[run.state], ...all.map(number)];
}
