import { DateTime } from "luxon";
import type { Instant } from "../engine/domain/clock.ts";
import { harmless, UserError } from "../engine/domain/errors.ts";
import type { Blackout, Hours, Windows, ZonedWindows } from "../engine/domain/window.ts";
import { windowAt } from "../engine/submit.ts";
import { dayNames } from "./wording/windows.ts";

const day = 24 * 60 * 60_000;

/** Longer than this is no pause any more. */
const mostClosedDays = 400;

/** So many ranges or dates are more than anybody means. */
const most = 100;

/** A key of `project set` that changes the windows: what its value makes of them. Each throws `UserError`. */
export const windowSettings: Record<string, (value: string, windows: Windows) => Windows> = {
  hours: (value, windows) => ({ ...windows, hours: readHours(value) }),
  blackout: (value, windows) => ({ ...windows, blackout: readBlackout(value) }),
};

/** Reads `weekdays 19:00-07:00, sat,sun 00:00-24:00`; without days, every day is meant. `none` for any hour. */
function readHours(text: string): Hours[] {
  if (isNone(text)) return [];
  const all: Hours[] = [];
  let words: string[] = [];
  for (const part of parts(text)) {
    const match = /^(.*?)(\d{1,2}:\d{2})\s*(?:--?|–|—)\s*(\d{1,2}:\d{2})$/.exec(part);
    words.push(...(match?.[1] ?? part).split(/\s+/).filter((word) => word !== ""));
    if (match === null) continue;
    if (words.length === 0 && all.length > 0) throw badHours(part, "does not say on which days");
    const [from, to] = [minutes(match[2] ?? "", part), minutes(match[3] ?? "", part)];
    // Midnight as an end is the one after.
    const end = to === 0 ? 1440 : to;
    if (from === 1440 || from === end) throw badHours(part, "is no stretch of time");
    all.push({ days: daysOf(words, part), from, to: end });
    words = [];
  }
  if (words.length > 0 || all.length === 0) throw badHours(words.join(" "), "has no hours");
  return all;
}

/** Reads `2026-12-24..2026-12-26, 2027-01-01`; `none` for no date. */
function readBlackout(text: string): Blackout[] {
  if (isNone(text)) return [];
  const all = parts(text).map((part): Blackout => {
    const match = /^(\d{4}-\d{2}-\d{2})(?:\s*(?:\.{2,3}|…|to)\s*(\d{4}-\d{2}-\d{2}))?$/i.exec(part);
    const [from = "", to = from] = [match?.[1], match?.[2]];
    if (match === null) throw badBlackout(part, "is neither a date nor two with `..` between");
    if (![from, to].every((date) => DateTime.fromISO(date).isValid && date >= "1970")) {
      throw badBlackout(part, "is not in the calendar we can use (1970 to 9999)");
    }
    if (to < from) throw badBlackout(part, "ends before it begins");
    return { from, to };
  });
  return all.toSorted((a, b) => (a.from < b.from ? -1 : 1));
}

/** Throws `UserError` where no pass could carry for more than 400 days, from now or from a blackout's first day on. */
export function refuseNeverOpen(project: ZonedWindows, now: Instant): void {
  const { windows, zone } = project;
  const begins = windows.blackout.map(({ from }) => DateTime.fromISO(from, { zone }).toMillis());
  for (const at of [now, ...begins.filter((begin) => begin > now)]) {
    const opens = windowAt(project, at)?.opens ?? at;
    if (opens - at <= mostClosedDays * day) continue;
    throw new UserError(
      `With that no pass could carry from ${DateTime.fromMillis(at, { zone }).toFormat("yyyy-MM-dd")} until ${DateTime.fromMillis(opens, { zone }).toFormat("yyyy-MM-dd")}, and ${mostClosedDays} days are the most; nothing was changed. Type shorter dates, like \`project set blackout "2026-12-24..2026-12-26"\`, or \`project close\` to end the project.`,
    );
  }
}

function daysOf(words: string[], part: string): number[] {
  if (words.length === 0) return [1, 2, 3, 4, 5, 6, 7];
  const days = words.flatMap((word) => named(word.toLowerCase(), part));
  return [...new Set(days)].toSorted((a, b) => a - b);
}

function named(word: string, part: string): number[] {
  switch (word) {
    case "daily":
      return [1, 2, 3, 4, 5, 6, 7];
    case "weekdays":
      return [1, 2, 3, 4, 5];
    case "weekends":
      return [6, 7];
  }
  const [from = 0, to = from, ...more] = word.split(/-|–|—/).map(numberOf);
  if (from === 0 || to === 0 || more.length > 0) {
    throw badHours(part, `names a day there is not, “${harmless(word, 20)}”`);
  }
  // From Friday to Monday goes over the end of the week.
  return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, n) => ((from - 1 + n) % 7) + 1);
}

/** 1 for Monday to 7 for Sunday, 0 for what is no day. */
function numberOf(word: string): number {
  const name = /^(mon|tues|tue|wednes|wed|thurs|thur|thu|fri|satur|sat|sun)(day)?s?$/.exec(word);
  return dayNames.indexOf(name?.[1]?.slice(0, 3) ?? "") + 1;
}

function minutes(time: string, part: string): number {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  if (minute <= 59 && hour * 60 + minute <= 1440) return hour * 60 + minute;
  throw badHours(part, `names a time there is not, ${time}`);
}

function parts(text: string): string[] {
  const all = text.split(",").map((one) => one.trim());
  if (all.length <= most && text.length <= 4000) return all;
  throw new UserError(
    `That is a list of more than ${most}; nothing was changed. Type a shorter one, or \`none\`.`,
  );
}

function isNone(value: string): boolean {
  return value.trim().toLowerCase() === "none";
}

function badHours(part: string, why: string): UserError {
  return new UserError(
    `“${harmless(part, 40)}” ${why}; nothing was changed. Write the hours in which passes may carry like \`project set hours "weekdays 19:00-07:00, sat,sun 00:00-24:00"\`, or \`none\` for any hour.`,
  );
}

function badBlackout(part: string, why: string): UserError {
  return new UserError(
    `“${harmless(part, 40)}” ${why}; nothing was changed. Write the days on which no pass may carry like \`project set blackout "2026-12-24..2026-12-26, 2027-01-01"\`, or \`none\`.`,
  );
}
