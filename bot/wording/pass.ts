import { type Counters, gap } from "../../engine/domain/counters.ts";
import { harmless, type Waiting } from "../../engine/domain/errors.ts";
import type { PassKind, PassSnapshot, PassState } from "../../engine/domain/pass.ts";
import type { Survey } from "../../engine/domain/provider.ts";
import type { Button } from "../message.ts";
import { count, moment, number, size } from "./figures.ts";
import { kindWords } from "./plan.ts";

/** States as people read them. */
export const stateWords: Record<PassState, string> = {
  queued: "queued",
  processing: "processing",
  paused: "paused",
  completed: "completed",
  completed_with_errors: "completed with errors",
  failed: "failed",
  stopped: "stopped",
};

/** What a run waits for, as it follows “waits for”. */
export const waitWords: Record<Waiting, string> = {
  connection: "the connection to a server",
  throttled: "a server that asked for a pause",
  "connection limit": "a free connection (the mailbox has too many)",
  "server unavailable": "a server that is unavailable",
  doubt: "the quiet time of a batch without an answer",
  owner: "another engine to let go of the mailbox",
  window: "its hours",
};

/** A pass by its kind, project and limit. */
export function title(pass: PassSnapshot): string {
  const { zone, name } = pass.project;
  const limit = pass.limit === null ? "" : `, mail before ${moment(pass.limit, zone)}`;
  return `${kindWords[pass.kind]} of ${name}${limit}`;
}

/** The sums of a pass in one line. */
export function sums(pass: PassSnapshot): string {
  const { counters: c, licenses } = pass;
  if (pass.kind === "verify") {
    const done = pass.runs.filter((run) => run.state === "completed").length;
    return `${number(done)} of ${count(pass.runs.length, "mailbox", "mailboxes")} can be opened at both ends; no license needed`;
  }
  const bytes = c.bytes > 0 ? ` (${size(c.bytes)})` : "";
  if (pass.kind === "repair") {
    return `${number(c.migrated)} put back${bytes}, ${number(c.duplicates)} still there, ${number(c.failed)} failed; no license needed`;
  }
  return `${number(c.migrated)} migrated${bytes}, ${number(c.duplicates)} already there, ${number(c.failed)} failed; licenses used ${number(licenses.consumed)} of ${number(licenses.owned)}`;
}

/** What an entry's share of a pass came to. */
export function runSums(counters: Counters, kind: PassKind): string {
  const { migrated, duplicates, failed, filtered, vanished, notCarried } = counters;
  const parts =
    kind === "repair"
      ? [`${number(migrated)} put back`, `${number(duplicates)} still there`]
      : [`${number(migrated)} migrated`, `${number(duplicates)} already there`];
  if (failed > 0) parts.push(`${number(failed)} failed`);
  if (filtered > 0) parts.push(`${number(filtered)} filtered`);
  if (vanished > 0) parts.push(`${number(vanished)} vanished`);
  if (notCarried > 0) parts.push(`${number(notCarried)} not carried`);
  return parts.join(", ");
}

export function surveyText(survey: { source: Survey; target: Survey }): string {
  return `old ${surveyOf(survey.source)}; new ${surveyOf(survey.target)}`;
}

function surveyOf(side: Survey): string {
  const bytes = side.bytes === null ? "size not told" : size(side.bytes);
  const free = side.free === null ? "" : `, ${size(side.free)} free`;
  return `${count(side.items, "item")} in ${count(side.folders, "folder")}, ${bytes}${free} (${side.types.join(", ")})`;
}

/** What is worth knowing once it is over. */
export function aftermath(pass: PassSnapshot): string[] {
  const { counters: c } = pass;
  const lines: string[] = [];
  for (const run of pass.runs) {
    if (pass.kind === "verify" && run.survey !== null && lines.length < 10) {
      lines.push(`${run.source}: ${surveyText(run.survey)}.`);
    }
  }
  const failed = pass.runs.filter((run) => run.state === "failed");
  for (const run of failed.slice(0, 5)) {
    lines.push(`${run.source} failed: ${sentence(run.reason ?? "no reason is known")}`);
  }
  if (failed.length > 5) lines.push(`${number(failed.length - 5)} more failed.`);
  if (c.filtered > 0) {
    const deleted = c.deleted > 0 ? `, ${number(c.deleted)} of them marked as deleted` : "";
    lines.push(`${number(c.filtered)} left out by filters${deleted}.`);
  }
  if (c.vanished > 0) {
    lines.push(
      pass.kind === "repair"
        ? `${number(c.vanished)} are gone at both places and cannot be put back.`
        : `${number(c.vanished)} vanished at the old place during the pass; they were not carried.`,
    );
  }
  if (c.notCarried > 0)
    lines.push(`${number(c.notCarried)} are of a kind the new place cannot hold.`);
  if (c.datesClamped > 0) {
    lines.push(
      `${number(c.datesClamped)} had an impossible date; they got the nearest possible one.`,
    );
  }
  if (pass.kind === "full" || pass.kind === "delta") lines.push(...sinceCarried(c));
  if (gap(c) !== 0 && pass.state !== "stopped") {
    lines.push("The sums do not balance: that is a fault of Godwit's. Type `report` and keep it.");
  }
  return lines;
}

function sinceCarried(c: Counters): string[] {
  const changed =
    c.changed === null
      ? "How many carried mails changed at the old place since then, its server cannot tell."
      : c.changed > 0
        ? `${count(c.changed, "carried mail")} changed at the old place since then (read, flagged); the new place keeps them as carried.`
        : null;
  const gone =
    c.gone > 0
      ? `${count(c.gone, "carried mail is", "carried mails are")} gone from the folder at the old place (deleted or moved); the new place keeps them, and what was moved is carried again into its new folder.`
      : null;
  return [changed, gone].filter((line) => line !== null);
}

/** What to type next, as words and as buttons. */
export function nextStep(pass: PassSnapshot): { text: string; buttons: Button[] } {
  const { id, kind, state } = pass;
  const step = (text: string, ...labels: [string, string][]) => ({
    text,
    buttons: labels.map(([label, command]) => ({ label, command })),
  });
  switch (state) {
    case "queued":
    case "processing":
      return step(
        `Type \`pause ${id}\` or \`stop ${id}\`.`,
        ["Pause", `pause ${id}`],
        ["Stop", `stop ${id}`],
      );
    case "paused":
      return step(
        `Type \`resume ${id}\` or \`stop ${id}\`.`,
        ["Resume", `resume ${id}`],
        ["Stop", `stop ${id}`],
      );
    case "stopped":
      return step(`What was carried stays. Type \`${again(pass)}\` to go on later.`);
    case "failed":
      return step(`Put that right, then type \`${again(pass)}\`.`, ["Report", `report ${id}`]);
    case "completed_with_errors":
      return kind === "verify"
        ? step("Put that right, then type `verify`.", ["Report", `report ${id}`])
        : step(
            `Type \`report ${id}\` for the failures, \`retry ${id}\` to try them again.`,
            ["Report", `report ${id}`],
            ["Retry", `retry ${id}`],
          );
    case "completed":
      return step(afterwards(pass));
  }
}

function again(pass: PassSnapshot): string {
  return pass.kind === "prestage" ? "prestage 90d" : pass.kind;
}

function afterwards(pass: PassSnapshot): string {
  switch (pass.kind) {
    case "verify":
      return "Next: `trial` for a look, or `prestage 90d`.";
    case "trial":
      return "Look at the new mailboxes, then type `prestage 90d` or `full`.";
    case "prestage":
      return "Next: the cutover, then `delta`.";
    case "full":
    case "delta":
    case "retry":
    case "repair":
      return "Type `delta` again for what arrives later.";
  }
}

/** A server's or our own reason, made safe and ended with one full stop. */
export function sentence(reason: string): string {
  return `${harmless(reason, 500).replace(/[.\s]+$/, "")}.`;
}
