import { DateTime } from "luxon";
import type { Instant } from "../../engine/domain/clock.ts";

/** 18230 as `18 230`, with a thin space that does not break. */
export function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/** `1 license`, `2 licenses`, `2 mailboxes`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

export function size(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const rounded = unit === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
  return `${number(rounded)} ${units[unit]}`.replace(/(\d)\u202f(\d{3}\.)/, "$1$2");
}

/** An instant in a zone, the zone named: `2026-08-01 18:00 (Europe/Berlin)`. */
export function moment(at: Instant, zone: string): string {
  return `${DateTime.fromMillis(at, { zone }).toFormat("yyyy-MM-dd HH:mm")} (${zone})`;
}

/** An instant that reads the same in every zone. */
export function isoMoment(at: Instant): string {
  return DateTime.fromMillis(at, { zone: "utc" }).toFormat("yyyy-MM-dd'T'HH:mm'Z'");
}

/** The time of day alone, with the day where it is not the same. */
export function timeOfDay(at: Instant, now: Instant, zone: string): string {
  const then = DateTime.fromMillis(at, { zone });
  const same = then.hasSame(DateTime.fromMillis(now, { zone }), "day");
  return then.toFormat(same ? "HH:mm:ss" : "yyyy-MM-dd HH:mm");
}

/** The same to the minute: `14:02`. */
export function minuteOf(at: Instant, now: Instant, zone: string): string {
  return timeOfDay(at, now, zone).replace(/^(\d\d:\d\d):\d\d$/, "$1");
}

/** A length of time in one or two units: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return "less than 1 s";
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return pair(hours, "h", minutes % 60, "min");
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** Names up to ten, then how many more. */
export function names(all: string[], most = 10): string {
  if (all.length <= most) return all.join(", ");
  return `${all.slice(0, most).join(", ")} and ${number(all.length - most)} more`;
}

/** Rows under each other in columns, for text that stands alone. */
export function columns(rows: string[][]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
