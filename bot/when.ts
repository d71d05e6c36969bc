import { DateTime } from "luxon";
import type { Instant } from "../engine/domain/clock.ts";
import { harmless, UserError } from "../engine/domain/errors.ts";
import { readFriendly } from "./friendly-when.ts";
import { readDate } from "./limit.ts";

const units = { min: 60_000, h: 3_600_000, d: 86_400_000 };

/** The words a time takes, from the front of these; `--at` takes all of them as one. */
export const whenExample = '"2026-11-25 22:00", "in 2h" or "tomorrow 18:00"';

/**
 * Reads a time in the zone: `2026-11-25 22:00`, `in 2h`, `in 90min`, `today 22:00`, `tomorrow 18:00`, `18:00` (the
 * next one), `mon 07:30` (the next one); failing these, plain English like `friday at 6pm`. Throws `UserError` for
 * what is no time, lies in the past, does not exist or comes twice where the clocks change.
 */
export function readWhen(text: string, zone: string, now: Instant): Instant {
  const at = instantOf(text.trim(), zone, now);
  if (at > now) return at;
  throw new UserError(
    `${harmless(text, 40)} has passed; nothing was scheduled. Write it like ${whenExample}.`,
  );
}

const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

function instantOf(text: string, zone: string, now: Instant): Instant {
  const length = /^in\s+(\d{1,5})\s*(min|h|d)(?:\w*)$/i.exec(text);
  if (length !== null) {
    const unit = length[2]?.toLowerCase() as keyof typeof units;
    // To the minute, as it is told.
    return Math.floor((now + Number(length[1]) * units[unit]) / 60_000) * 60_000;
  }
  const named = /^(?:(today|tomorrow|mon|tue|wed|thu|fri|sat|sun)\w*\s+)?(\d{1,2}:\d{2})$/i.exec(
    text,
  );
  if (named !== null) return onDay(named[1]?.toLowerCase() ?? null, named[2] ?? "", zone, now);
  if (/^\d{4}-/.test(text) && /\d:\d{2}/.test(text)) return readDate(text, zone, "time");
  const friendly = readFriendly(text, zone, now);
  if (friendly !== null) {
    const { day, time, offset } = friendly;
    return day === null
      ? onDay(null, time, zone, now)
      : readDate(`${day} ${time}${offset}`, zone, "time");
  }
  throw new UserError(
    `“${harmless(text, 40)}” is not a time; nothing was scheduled. Write it like ${whenExample}.`,
  );
}

/** The next time of day on the day named; without one, today or tomorrow. */
function onDay(day: string | null, time: string, zone: string, now: Instant): Instant {
  const today = DateTime.fromMillis(now, { zone });
  const at = (days: number) =>
    readDate(`${today.plus({ days }).toFormat("yyyy-MM-dd")} ${time}`, zone, "time");
  switch (day) {
    case "today":
      return at(0);
    case "tomorrow":
      return at(1);
    case null: {
      const soon = at(0);
      return soon > now ? soon : at(1);
    }
    default: {
      const ahead = (weekdays.indexOf(day) + 1 - today.weekday + 7) % 7;
      const next = at(ahead);
      return next > now ? next : at(ahead + 7);
    }
  }
}
