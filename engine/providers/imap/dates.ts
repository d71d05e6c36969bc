import type { Instant } from "../../domain/clock.ts";

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Before this, servers wrap around or refuse; the first day is left to time zones. */
const earliest = Date.UTC(1970, 0, 2);

/**
 * An INTERNALDATE. One that cannot be read is the beginning of 1970: never today, which would hide an old
 * message from a pre-stage. A target clamps that and says so.
 */
export function parseDate(text: string): Instant {
  const parts =
    /^\s*(\d{1,2})-([a-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/i.exec(text);
  if (parts === null) return 0;
  const [, day, month = "", year, hour, minute, second, sign, zoneHour, zoneMinute] = parts;
  const at = months.indexOf(month.toLowerCase());
  if (at === -1) return 0;
  const local = Date.UTC(
    Number(year),
    at,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000;
  return sign === "-" ? local + zone : local - zone;
}

/** The date as a server reads it, in UTC, to the second. */
export function formatDate(date: Instant): string {
  const at = new Date(date);
  const two = (number: number) => String(number).padStart(2, "0");
  const month = months[at.getUTCMonth()] ?? "";
  const day = `${two(at.getUTCDate())}-${month.charAt(0).toUpperCase()}${month.slice(1)}`;
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(":");
  return `${day}-${at.getUTCFullYear()} ${time} +0000`;
}

/** The nearest date that every server keeps as it is: not before 1970-01-02, not in the future. */
export function possibleDate(date: Instant, now: Instant): Instant {
  return Math.min(Math.max(date, earliest), now);
}
