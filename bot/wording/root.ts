import type { Instant } from "../../engine/domain/clock.ts";
import type { Counters } from "../../engine/domain/counters.ts";
import { harmless } from "../../engine/domain/errors.ts";
import { ended, type PassSnapshot, type RunSnapshot } from "../../engine/domain/pass.ts";
import type { Message } from "../message.ts";
import { count, duration, number, size, timeOfDay } from "./figures.ts";
import { aftermath, nextStep, stateWords, sums, title, waitWords } from "./pass.ts";
import { waitsForHours } from "./windows.ts";

/** The root message of a pass as it stands. */
export function rootMessage(pass: PassSnapshot, now: Instant): Message {
  const { counters } = pass;
  const over = ended(pass.state);
  const part = over ? null : share(pass);
  const lines = [`${title(pass)}: ${stateWords[pass.state]}`];
  if (part !== null) lines.push(`  ${bar(part)} ${Math.floor(part * 100)} %`);
  lines.push(`  ${sums(pass)}`, `  ${times(pass, now)}`);
  const waiting = waitLine(pass, now);
  if (waiting !== null) lines.push(`  ${waiting}`);
  if (over) lines.push(...aftermath(pass).map((line) => `  ${line}`));
  const next = nextStep(pass);
  lines.push(`  ${next.text}`);
  return {
    text: lines.join("\n"),
    ...tone(pass),
    title: `${title(pass)}: ${stateWords[pass.state]}`,
    facts: rootFacts(pass, counters),
    ...(part === null ? {} : { bar: part }),
    notes: [
      times(pass, now),
      ...(waiting === null ? [] : [waiting]),
      ...(over ? aftermath(pass) : []),
      next.text,
    ],
    ...(next.buttons.length === 0 ? {} : { buttons: next.buttons }),
  };
}

/** What of a pass makes its root message worth an edit: everything but the passing of time. */
export function rootState(pass: PassSnapshot): string {
  const runs = pass.runs.map((run) => [run.state, run.waiting]);
  return JSON.stringify([pass.state, pass.counters, pass.expected, pass.licenses, runs]);
}

/** The part done, from 0 to 1; null while nobody knows how much there is. */
function share(pass: PassSnapshot): number | null {
  const { counters: c, expected } = pass;
  if (expected === null || pass.state === "queued") return null;
  const all = Math.max(expected, c.listed);
  if (all === 0) return null;
  return Math.min(1, settled(c) / all);
}

function settled(c: Counters): number {
  return c.migrated + c.duplicates + c.filtered + c.failed + c.vanished + c.notCarried;
}

function bar(part: number): string {
  const full = Math.floor(part * 20);
  return `[${"█".repeat(full)}${"░".repeat(20 - full)}]`;
}

function times(pass: PassSnapshot, now: Instant): string {
  const by = `pass ${pass.id}, started by ${harmless(pass.startedBy)}, ${count(pass.runs.length, "mailbox", "mailboxes")}`;
  if (pass.startedAt === null) return `${by}; not begun yet`;
  const elapsed = (pass.endedAt ?? now) - pass.startedAt;
  const rate =
    pass.counters.bytes >= elapsed / 1000 && elapsed >= 1000
      ? `, ${size(pass.counters.bytes / (elapsed / 1000))}/s`
      : "";
  if (ended(pass.state)) return `${by}; took ${duration(elapsed)}${rate}`;
  return `${by}; ${duration(elapsed)} so far${rate}, ${timeLeft(pass, elapsed, now)}`;
}

/** Honest: said only when there is something to reckon from. */
function timeLeft(pass: PassSnapshot, elapsed: number, now: Instant): string {
  const part = share(pass);
  const waits = waiting(pass, now).length > 0;
  if (part === null || part < 0.02 || elapsed < 5000 || waits || pass.state !== "processing") {
    return "time left not known";
  }
  return `about ${duration((elapsed / part) * (1 - part))} left`;
}

function waitLine(pass: PassSnapshot, now: Instant): string | null {
  const hours = hoursLine(pass, now);
  if (hours !== null) return hours;
  const runs = waiting(pass, now);
  const [first] = runs;
  const behind = pass.runs.filter((run) => run.after !== null);
  if (first?.waiting == null && behind[0] !== undefined) {
    const others = count(behind.length, "mailbox waits", "mailboxes wait");
    return `${others} until ${behind[0].after}, which goes first, was carried and checked`;
  }
  if (first?.waiting == null) {
    return pass.state === "queued" ? "waits for its turn" : null;
  }
  const { for: what, until } = first.waiting;
  const when = until === null ? "" : ` until ${timeOfDay(until, now, pass.project.zone)}`;
  const others = runs.length > 1 ? `, and ${number(runs.length - 1)} more wait` : "";
  return `${first.source} waits for ${waitWords[what]}${when}${others}`;
}

/** Said of a pass of which nothing goes on before its hours come; null for any other. */
export function hoursLine(pass: PassSnapshot, now: Instant): string | null {
  const going = pass.runs.filter(({ state }) => state === "queued" || state === "processing");
  const shut = waiting(pass, now).filter((run) => run.waiting?.for === "window");
  const until = shut[0]?.waiting?.until ?? null;
  const all = going.every((run) => run.after !== null || shut.includes(run));
  return all && until !== null ? waitsForHours(until, pass.project.zone) : null;
}

/** Runs that wait for something. Once their hours have come they wait for nothing but their turn. */
function waiting(pass: PassSnapshot, now: Instant): RunSnapshot[] {
  return pass.runs.filter((run) => {
    if (run.waiting === null || ended(run.state)) return false;
    const { for: what, until } = run.waiting;
    return what !== "window" || until === null || until > now;
  });
}

function tone(pass: PassSnapshot): Pick<Message, "tone"> {
  switch (pass.state) {
    case "completed":
      return { tone: "good" };
    case "completed_with_errors":
    case "stopped":
    case "paused":
      return { tone: "warning" };
    case "failed":
      return { tone: "bad" };
    case "queued":
    case "processing":
      return {};
  }
}

function rootFacts(pass: PassSnapshot, c: Counters): Record<string, string> {
  return {
    ...(pass.kind === "verify" ? { Mailboxes: sums(pass) } : carried(pass, c)),
  };
}

function carried(pass: PassSnapshot, c: Counters): Record<string, string> {
  return {
    Migrated: number(c.migrated),
    "Already there": number(c.duplicates),
    Failed: number(c.failed),
    Bytes: size(c.bytes),
    Licenses: `${number(pass.licenses.consumed)} used of ${number(pass.licenses.owned)}`,
  };
}
