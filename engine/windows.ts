import { DateTime } from "luxon";
import type { Instant } from "./domain/clock.ts";
import { UserError } from "./domain/errors.ts";
import { blackoutOn, isAlwaysOpen, openMinutes, type Windows } from "./domain/window.ts";

/** Days outside blackouts that are looked through for the next opening or the next edge. */
const daysAhead = 400;

/**
 * When a pass that may not carry now may do so next; null where it may now. By the clock of the zone: what the
 * clocks leave out is left out of the hours, and what comes twice begins and ends the first time it comes.
 */
export function closedUntil(windows: Windows, zone: string, now: Instant): Instant | null {
  if (isAlwaysOpen(windows)) return null;
  for (const [from, to] of openings(windows, zone, now)) {
    if (now < to) return from <= now ? null : from;
  }
  throw new UserError(
    `With these hours and dates no pass could carry within ${daysAhead} days; nothing was changed. Type others, or \`none\`.`,
  );
}

/** When a pass that may carry now may do so no longer; null where it may not now, or the end is out of sight. */
export function closesAt(windows: Windows, zone: string, now: Instant): Instant | null {
  if (isAlwaysOpen(windows)) return null;
  let end = now;
  for (const [from, to] of openings(windows, zone, now)) {
    if (to <= now) continue;
    if (from > end) return end > now ? end : null;
    end = to;
  }
  return null;
}

/** Spans of time that are open, in order, from the day of `now` on. */
function* openings(windows: Windows, zone: string, now: Instant): Generator<[Instant, Instant]> {
  // The calendar alone, without any zone's changes of the clocks.
  let day = DateTime.fromMillis(now, { zone }).setZone("utc", { keepLocalTime: true });
  day = day.startOf("day");
  for (let n = 0; n < daysAhead; n += 1) {
    const blackout = blackoutOn(day.toFormat("yyyy-MM-dd"), windows);
    if (blackout !== null) {
      day = DateTime.fromISO(blackout.to, { zone: "utc" }).plus({ days: 1 });
      continue;
    }
    for (const [from, to] of openMinutes(windows, day.toFormat("yyyy-MM-dd"), day.weekday)) {
      const span: [Instant, Instant] = [instantOf(day, from, zone), instantOf(day, to, zone)];
      if (span[0] < span[1]) yield span;
    }
    day = day.plus({ days: 1 });
  }
}

/** The moment a zone's clock shows this, the first time; where it never does, the moment it goes past it. */
function instantOf(day: DateTime, minutes: number, zone: string): Instant {
  const wall = day.plus({ minutes });
  let at = wall.setZone(zone, { keepLocalTime: true });
  if (at.toFormat("dd HH:mm") === wall.toFormat("dd HH:mm")) {
    return Math.min(...at.getPossibleOffsets().map((one) => one.toMillis()));
  }
  while (at.minus({ minutes: 1 }).offset === at.offset) at = at.minus({ minutes: 1 });
  return at.toMillis();
}
