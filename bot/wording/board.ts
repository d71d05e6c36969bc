import { type BoardStep, changeAt, type StepStanding } from "../../engine/domain/board.ts";
import type { Instant } from "../../engine/domain/clock.ts";
import type { Cutover } from "../../engine/domain/cutover.ts";
import { harmless } from "../../engine/domain/errors.ts";
import { ownTtl } from "../../engine/domain/mx.ts";
import type { PassKind, PassSnapshot } from "../../engine/domain/pass.ts";
import type { Message } from "../message.ts";
import { columns, count, duration, minuteOf, moment, names, number } from "./figures.ts";
import { stateWords, title } from "./pass.ts";

export const stepWords: Record<BoardStep, string> = {
  ttl: "TTL lowered",
  licenses: "Licenses",
  verify: "Verify",
  prestage: "Pre-stage",
  mx: "MX changed",
  delta: "Delta",
  sweep: "Sweeps",
  "switch-off": "Old system off",
};

/** A board and what stands on it. People are named as they are to be shown. */
export interface BoardShown {
  project: string;
  zone: string;
  steps: StepStanding[];
  cutovers: Cutover[];
  /** Mailboxes the project has. */
  mailboxes: number;
  /** Nothing speaks for keeping the old system. */
  safe: boolean;
  /** Passes that have not ended. */
  running: PassSnapshot[];
  /** What comes by itself next. */
  next: { at: Instant; what: string } | null;
}

/** The board as it stands. It says the same until something changes, or the time to the change is told anew. */
export function boardMessage(shown: BoardShown, now: Instant): Message {
  const { project, zone, steps, cutovers } = shown;
  const at = changeAt(cutovers);
  const domains = names(
    cutovers.map(({ domain }) => harmless(domain, 80)),
    3,
  );
  const when =
    at === null
      ? cutovers.length === 0
        ? "no cutover is watched yet"
        : `${domains}: no time is set for the MX change`
      : `${tMinus(at, now)}, MX of ${domains} ${changeWords(shown, at, now)} ${moment(at, zone)}`;
  const heading = `Board of ${project}: ${when}`;
  const head = ["step", "state", "owner", "due"];
  const rows = steps.map((one) => [
    `${mark(one)} ${stepWords[one.step]}`,
    stateText(one, shown, now),
    one.note?.owner == null ? "" : harmless(one.note.owner, 60),
    one.dueAt === null || at === null ? "" : tMark(one.dueAt - at),
  ]);
  const notes = [...runningLines(shown), ...nextLines(shown, now), hint(shown)];
  return {
    text: [heading, columns([head, ...rows]), ...notes].join("\n"),
    ...(steps.some(({ late }) => late) ? { tone: "warning" as const } : {}),
    title: heading,
    table: { columns: head, rows },
    notes,
  };
}

function changeWords({ cutovers }: BoardShown, at: Instant, now: Instant): string {
  if (cutovers.every(({ movedAt }) => movedAt !== null)) return "changed at";
  return at > now ? "planned for" : "was planned for";
}

/** `T−2 d 7 h` before, `T+3 h` after; by hours, near the change by ten minutes, so that it stands still for a while. */
function tMinus(at: Instant, now: Instant): string {
  const away = Math.abs(at - now);
  const step = (away < 60 * 60 * 1000 ? 10 : 60) * 60 * 1000;
  const whole = Math.floor(away / step) * step;
  return whole === 0 ? "T" : `T${now < at ? "−" : "+"}${duration(whole)}`;
}

function tMark(ms: number): string {
  if (ms === 0) return "T";
  const days = Math.abs(ms) / (24 * 60 * 60 * 1000);
  const length = days >= 1 ? `${number(days)} d` : duration(Math.abs(ms));
  return `T${ms < 0 ? "−" : "+"}${length}`;
}

function mark({ done, late }: StepStanding): string {
  return done ? "✔" : late ? "!" : "○";
}

function stateText(standing: StepStanding, shown: BoardShown, now: Instant): string {
  const { note, step } = standing;
  if (note?.tickedBy != null) {
    const at = note.tickedAt === null ? "" : ` at ${minuteOf(note.tickedAt, now, shown.zone)}`;
    const why = note.note === "" ? "" : `: ${harmless(note.note, 120)}`;
    return `ticked by ${harmless(note.tickedBy, 60)}${at}${why}`;
  }
  return seenText(step, standing, shown) + (standing.late ? ", overdue" : "");
}

function seenText(
  step: BoardStep,
  { done, count: n, of }: StepStanding,
  shown: BoardShown,
): string {
  const [first] = shown.cutovers;
  const only = of === 1 && first !== undefined ? first : null;
  const domains = `${number(n)} of ${count(of, "domain")}`;
  const mailboxes = `${number(n)} of ${count(of, "mailbox", "mailboxes")}`;
  switch (step) {
    case "ttl":
      if (of === 0) return "no domain is watched";
      if (done) return "low enough";
      return only === null
        ? `too long at ${number(of - n)} of ${count(of, "domain")}`
        : ttlOf(only);
    case "licenses":
      if (of === 0) return "no mailboxes yet";
      return done ? "enough for every mailbox" : `${count(of - n, "license")} short`;
    case "verify":
    case "prestage":
      return of === 0 ? "no mailboxes yet" : mailboxes;
    case "mx":
      if (of === 0) return "no domain is watched";
      if (only === null) return domains;
      return done ? "done" : only.known.phase === "split" ? "being changed" : "not yet";
    case "delta":
      return shown.cutovers.some(({ movedAt }) => movedAt !== null)
        ? `${mailboxes} since the change`
        : "after the change";
    case "sweep":
      if (of === 0 || n === 0) return "until it is quiet";
      return only === null ? `${domains} quiet` : "quiet";
    case "switch-off":
      return shown.safe ? "safe now" : "not yet";
  }
}

function ttlOf({ known }: Cutover): string {
  const ttl = ownTtl(known.sight);
  return ttl === null ? "not known" : `too long: ${duration(ttl * 1000)}`;
}

function runningLines({ running }: BoardShown): string[] {
  return running.slice(0, 3).map((pass) => {
    const { counters, expected, runs } = pass;
    const done = counters.listed > 0 && expected !== null && expected > 0;
    const carried = counters.migrated + counters.duplicates;
    const part = done
      ? `, ${Math.min(100, Math.floor((carried / Math.max(expected, counters.listed)) * 100))} %`
      : "";
    return `Pass ${pass.id}, ${title(pass)}: ${stateWords[pass.state]}, ${count(runs.length, "mailbox", "mailboxes")}${part}`;
  });
}

function nextLines({ next, zone }: BoardShown, now: Instant): string[] {
  return next === null ? [] : [`Next by itself: ${next.what} at ${minuteOf(next.at, now, zone)}`];
}

/** Passes that see to a step by themselves. */
const seenToBy: Partial<Record<BoardStep, PassKind[]>> = {
  verify: ["verify"],
  prestage: ["prestage", "full", "delta"],
  delta: ["full", "delta"],
};

/** What to type for the open step that is due first. */
function hint({ steps, cutovers, running }: BoardShown): string {
  const off = steps.some(({ step, done }) => step === "switch-off" && done);
  const [open] = steps
    .filter(({ done }) => !done)
    .toSorted((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
  if (off || open === undefined) return "The old system is off. `report` shows the sums.";
  const at = running.find(({ kind }) => seenToBy[open.step]?.includes(kind));
  if (at !== undefined) return `Next: pass ${at.id} sees to it; \`status ${at.id}\` shows how far.`;
  const words: Record<BoardStep, string> = {
    ttl:
      cutovers.length === 0
        ? "type `cutover watch <domain>`, and lower the TTL of its MX"
        : "lower the TTL of the MX to 300 s",
    licenses: 'type `licenses add <n> --note "order number"`',
    verify: "type `verify`",
    prestage: "type `prestage 90d`",
    mx: cutovers.some(({ known }) => known.phase === "split")
      ? "wait until every server names the new hosts; `cutover status` shows who does"
      : "change the MX; `cutover done` says so where the DNS cannot be seen",
    delta: "type `cutover sweep`",
    sweep: "type `cutover status`",
    "switch-off": "when it is off, type `board tick switch-off`",
  };
  return `Next: ${words[open.step]}.`;
}

/** What the board that was there before becomes. */
export function boardMoved(project: string): Message {
  return { text: `The board of ${project} has a newer message; type \`status\` to see it.` };
}

export function boardTaken(project: string, by: string): Message {
  return { text: `The board of ${project} was taken down by ${by}. Type \`board\` for a new one.` };
}
