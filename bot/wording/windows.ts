import type { Instant } from "../../engine/domain/clock.ts";
import type { PassPlan, WindowOfPlan } from "../../engine/domain/plan.ts";
import type { Hours, Windows } from "../../engine/domain/window.ts";
import { moment } from "./figures.ts";

/** From Monday to Sunday, as they are typed and told. */
export const dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** As it can be typed again. */
function hoursText({ hours }: Pick<Windows, "hours">): string {
  if (hours.length === 0) return "none";
  return hours
    .map(({ days, from, to }) => `${daysText(days)} ${timeText(from)}-${timeText(to)}`)
    .join(", ");
}

/** As it can be typed again. */
function blackoutText({ blackout }: Pick<Windows, "blackout">): string {
  if (blackout.length === 0) return "none";
  return blackout.map(({ from, to }) => (from === to ? from : `${from}..${to}`)).join(", ");
}

/** A project's hours and blackout dates, each a line, and where it stands among them. */
export function windowsInForce(
  windows: Windows,
  window: WindowOfPlan | null,
  zone: string,
): string[] {
  if (window === null) return ["hours: none, passes carry at any time"];
  const { opens, closes } = window;
  const now =
    opens !== null
      ? `closed now, opens ${moment(opens, zone)}`
      : closes === null
        ? "open now"
        : `open now, closes ${moment(closes, zone)}`;
  return [...windowLines(windows), now];
}

function windowLines(windows: Windows): string[] {
  return [
    ...(windows.hours.length === 0 ? [] : [`hours: ${hoursText(windows)}`]),
    ...(windows.blackout.length === 0 ? [] : [`blackout: ${blackoutText(windows)}`]),
  ];
}

/** What differs, each as `hours from … to …`; empty when nothing does. */
export function windowChanges(before: Windows, after: Windows): string {
  return [
    ["hours", hoursText(before), hoursText(after)] as const,
    ["blackout", blackoutText(before), blackoutText(after)] as const,
  ]
    .filter(([, was, is]) => was !== is)
    .map(([key, was, is]) => `${key} from ${was} to ${is}`)
    .join(", ");
}

/** What a plan is told of its project's windows. */
export function planWindowLines({ window, project }: PassPlan): string[] {
  if (window === null) return [];
  const { opens, closes } = window;
  const then = "breaks off between two batches and goes on by itself when its hours come again";
  return [
    ...windowLines(project.windows),
    ...(opens === null ? [] : [outside(opens, project.zone)]),
    ...(closes === null ? [] : [`at ${moment(closes, project.zone)} it ${then}`]),
  ];
}

/** `outside its hours: begins 2026-11-25 19:00 (Europe/Berlin)` */
export function outside(opens: Instant, zone: string): string {
  return `outside its hours: begins ${moment(opens, zone)}`;
}

/** The same as a sentence behind others; empty for a plan that may carry at once. */
export function outsideText({ window, project }: PassPlan, between: " " | "\n"): string {
  if (window === null || window.opens === null) return "";
  const text = outside(window.opens, project.zone);
  return `${between}${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** What a mailbox or a whole pass does outside its hours. */
export function waitsForHours(until: Instant, zone: string): string {
  return `waits for its hours, goes on at ${moment(until, zone)}`;
}

function daysText(days: Hours["days"]): string {
  switch (days.join("")) {
    case "1234567":
      return "daily";
    case "12345":
      return "weekdays";
    case "67":
      return "weekends";
    default:
      return days.map((day) => dayNames[day - 1]).join(",");
  }
}

function timeText(minutes: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
