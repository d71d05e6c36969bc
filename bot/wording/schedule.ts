import type { Instant } from "../../engine/domain/clock.ts";
import { harmless } from "../../engine/domain/errors.ts";
import type { PassPlan, PassRequest } from "../../engine/domain/plan.ts";
import type { Schedule } from "../../engine/domain/schedule.ts";
import type { Message } from "../message.ts";
import { columns, count, duration, moment, names } from "./figures.ts";
import { kindWords, planLine } from "./plan.ts";
import { outside, outsideText } from "./windows.ts";

/** What everybody is told when a pass is put in the calendar. */
export function scheduled(
  n: number,
  plan: PassPlan,
  at: Instant,
  now: Instant,
  by: string,
): Message {
  return {
    text: `Schedule ${n} by ${by}: ${planLine(plan)}, starts at ${moment(at, plan.project.zone)}, in ${duration(at - now)}.${outsideText(plan, " ")} It is planned anew then, and nobody is asked. Type \`schedule list\`, \`schedule move ${n} <when>\` or \`schedule cancel ${n}\`.`,
    buttons: [{ label: "Cancel it", command: `schedule cancel ${n}` }],
  };
}

/** A request in a few words. */
export function requestText({ kind, limit, selection }: PassRequest, zone: string): string {
  const until =
    limit === null ? "" : "days" in limit ? ` ${limit.days}d` : ` before ${moment(limit.at, zone)}`;
  const who =
    selection.length === 0 ? "all mailboxes" : names(selection.map((one) => harmless(one, 80)));
  return `${kindWords[kind]}${until} of ${who}`;
}

export function scheduleList(
  project: string,
  /** `opens`: when one outside the project's hours really begins; null for the others. */
  all: (Schedule & { by: string; opens: Instant | null })[],
  now: Instant,
  zone: string,
): Message {
  const head = ["number", "when", "in", "what", "by"];
  const rows = all.map(({ n, at, state, request, by, opens }) => [
    String(n),
    opens === null ? moment(at, zone) : `${moment(at, zone)}, ${outside(opens, zone)}`,
    state === "missed" ? "missed" : at <= now ? "now" : duration(at - now),
    requestText(request, zone),
    by,
  ]);
  const title = `Calendar of ${project}, ${count(all.length, "pass", "passes")}`;
  const more =
    "`schedule move <n> <when>`, `schedule cancel <n>`, `schedule run <n>` to start one now.";
  return {
    text: [title, columns([head, ...rows]), more].join("\n"),
    title,
    table: { columns: head, rows },
    notes: [more],
  };
}

export function scheduleMoved(n: number, at: Instant, zone: string, by: string): string {
  return `Schedule ${n} starts at ${moment(at, zone)} (moved by ${by}).`;
}

export function scheduleCancelled(n: number, by: string): string {
  return `Schedule ${n} is cancelled (by ${by}). Nothing starts.`;
}

/** When its time came and it did not start. */
export function scheduleNotStarted(schedule: Schedule, zone: string): Message {
  const { n, at, state, reason, request } = schedule;
  const what = `Schedule ${n}, ${requestText(request, zone)}, due at ${moment(at, zone)}`;
  if (state === "refused") {
    return { text: `${what}, did not start: ${harmless(reason ?? "", 600)}`, tone: "bad" };
  }
  return {
    text: `${what}, was missed: Godwit did not run then. Nothing was started. Type \`schedule run ${n}\` to start it now, or \`schedule cancel ${n}\`.`,
    tone: "warning",
    buttons: [
      { label: "Run now", command: `schedule run ${n}`, style: "primary" },
      { label: "Cancel it", command: `schedule cancel ${n}` },
    ],
  };
}
