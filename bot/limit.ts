import { DateTime } from "luxon";
import { harmless, UserError } from "../engine/domain/errors.ts";

/** A pre-stage's limit as typed: a length before the start, or an instant. */
export type Limit = { at: number } | { days: number };

/** Reads `90d`, `2026-08-01` or `2026-08-01 18:00` in the zone. Throws `UserError` that says what to type. */
export function readLimit(text: string, zone: string): Limit {
  const days = /^(\d+)d$/i.exec(text);
  if (days !== null) {
    const count = Number(days[1]);
    if (count >= 1 && count <= 36_500) return { days: count };
    throw new UserError(
      `A limit of ${harmless(text, 20)} makes no sense: between 1d and 36500d can be chosen. Nothing was started. Write it like 90d.`,
    );
  }
  return { at: readDate(text, zone, "limit") };
}

/** Whether a word is the time of day that belongs to the date before it. */
export function isTimeOfDay(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,2}:\d{2}$/.test(text);
}

/** Reads a date, or a date and time, in the zone. `what` names it in the refusal. */
export function readDate(text: string, zone: string, what: string): number {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{1,2}):(\d{2}))?(Z|[+-]\d{2}:\d{2})?$/i.exec(
    text.trim(),
  );
  if (match === null || (match[6] !== undefined && match[4] === undefined)) {
    const example = what === "limit" ? "90d, or a date like 2026-08-01" : "2026-08-01";
    throw new UserError(`“${harmless(text, 40)}” is not a ${what}. Write it like ${example}.`);
  }
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const timed = match[4] !== undefined;
  const [hour, minute] = [Number(match[4] ?? 0), Number(match[5] ?? 0)];
  const parts = { year, month, day, hour, minute };
  const at =
    match[6] === undefined
      ? DateTime.fromObject(parts, { zone })
      : DateTime.fromObject(parts, {
          zone: match[6].toUpperCase() === "Z" ? "utc" : `utc${match[6]}`,
        });
  if (!at.isValid || year < 1970) {
    throw new UserError(
      `There is no ${harmless(text, 40)} in the calendar we can use (1970 to 9999). Write it like 2026-08-01.`,
    );
  }
  if (match[6] !== undefined) return at.toMillis();
  if (!timed) return at.startOf("day").toMillis();
  if (at.hour !== hour || at.minute !== minute) {
    throw new UserError(
      `There was no ${clock(hour, minute)} on ${match[1]}-${match[2]}-${match[3]} in ${zone}: the clocks went forward. Write it like ${at.toFormat("yyyy-MM-dd HH:mm")}.`,
    );
  }
  const twice = at.getPossibleOffsets();
  if (twice.length > 1) {
    const both = twice.map((one) => one.toFormat("yyyy-MM-dd'T'HH:mmZZ")).join(" or ");
    throw new UserError(
      `${harmless(text, 40)} came twice in ${zone}, because the clocks went back. Write ${both}.`,
    );
  }
  return at.toMillis();
}

function clock(hour: number, minute: number): string {
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}
