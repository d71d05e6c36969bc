import type { ParsedComponents } from "chrono-node";
import { parse } from "chrono-node/en";
import { DateTime } from "luxon";
import type { Instant } from "../engine/domain/clock.ts";

/** A time somebody wrote in words, in pieces that our own grammar can read. */
export interface Friendly {
  /** `2026-11-25`; null where only a time of day was said. */
  day: string | null;
  /** `22:00` */
  time: string;
  /** Of a length like "in half an hour", which means a moment and no time on a clock; else empty. */
  offset: string;
}

const mostLetters = 60;

/**
 * Reads English words like `friday at 6pm` or `25 nov 10:30 pm`. Null where they could be meant in two ways, where no
 * time of day is said, and where a word is left that was not understood.
 */
export function readFriendly(text: string, zone: string, now: Instant): Friendly | null {
  if (text.length > mostLetters || couldBeEither(text)) return null;
  const today = DateTime.fromMillis(now, { zone });
  // The parser knows no zones, only this offset: its pieces are used, never the moment it makes of them.
  const found = parse(
    text,
    { instant: new Date(now), timezone: today.offset },
    { forwardDate: true },
  );
  const [one, more] = found;
  if (one === undefined || more !== undefined || one.end != null || one.text !== text) return null;
  const { start } = one;
  const read = piecesOf(start);
  if (one.tags().has("result/relativeDateAndTime")) return read;
  // Of zones we know the project's alone; the letters of others mean several.
  if (start.isCertain("timezoneOffset") || !start.isCertain("hour")) return null;
  if (!/\d:\d{2}|\d\s*[ap]\.?m\b|\bnoon\b/i.test(text)) return null;
  if (!start.isCertain("day") && !start.isCertain("weekday")) return { ...read, day: null };
  return isMeant(text, start, read.day, today) ? read : null;
}

/** A length (of a limit, or from now), a day and a month in either order, a week that is this or the next one. */
function couldBeEither(text: string): boolean {
  return (
    /^\d+\s*(?![ap]m$)[a-z]+$/i.test(text) ||
    (/\d\s*[./-]\s*\d/.test(text) &&
      !/^(\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4})\s[^./-]+$/.test(text)) ||
    /\bnext\s+(mon|tue|wed|thu|fri|sat|sun)|\bweekdays?\b|\bmidnight\b/i.test(text)
  );
}

/** Whether the day is the one that was written, and not one the parser chose. */
function isMeant(text: string, start: ParsedComponents, day: string, today: DateTime): boolean {
  const date = DateTime.fromISO(day, { zone: today.zone });
  const dotted = /^(\d{1,2})\./.exec(text);
  // With dots the day comes first; the parser tries the month first.
  if (dotted !== null && Number(dotted[1]) !== date.day) return false;
  if (start.isCertain("weekday") && date.weekday % 7 !== start.get("weekday")) return false;
  // A day that has just passed is not meant for next year.
  return start.isCertain("year") || date.diff(today, "days").days < 200;
}

function piecesOf(start: ParsedComponents): Friendly & { day: string } {
  const two = (value: number | null) => String(value ?? 0).padStart(2, "0");
  const offset = start.get("timezoneOffset") ?? 0;
  const sign = offset < 0 ? "-" : "+";
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const certain = start.isCertain("timezoneOffset");
  return {
    day: `${start.get("year")}-${two(start.get("month"))}-${two(start.get("day"))}`,
    time: `${two(start.get("hour"))}:${two(start.get("minute"))}`,
    offset: certain ? `${sign}${two(hours)}:${two(minutes)}` : "",
  };
}
