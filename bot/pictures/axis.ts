import { DateTime } from "luxon";
import type { Instant } from "../../engine/domain/clock.ts";

/** A place on an axis, and what stands there. */
export interface Tick {
  at: number;
  label: string;
}

/** From one measure to another, in a straight line; what has no length lies at its beginning. */
export function scale(
  from: number,
  to: number,
  start: number,
  end: number,
): (value: number) => number {
  const length = to - from;
  return (value) => (length === 0 ? start : start + ((value - from) / length) * (end - start));
}

/** Round values from 0 up to what holds `top`, at most `steps` apart. `unit`: 10, or 1024 for bytes. */
export function valueTicks(top: number, steps: number, unit: 10 | 1024): number[] {
  const least = Math.max(1, top) / steps;
  let whole = 1;
  while (whole * unit <= least) whole *= unit;
  const parts = unit === 10 ? [1, 2, 5, 10] : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1024];
  const step = whole * (parts.find((part) => whole * part >= least) ?? unit);
  const count = Math.max(1, Math.ceil(top / step));
  return Array.from({ length: count + 1 }, (_, n) => n * step);
}

const minute = 60_000;
const day = 24 * 60 * minute;
const lengths = [
  ...[1, 5, 15, 30, 60, 180, 360, 720].map((minutes) => ({ minutes, ms: minutes * minute })),
  ...[1, 2, 7, 14, 28, 91, 182, 365].map((days) => ({ days, ms: days * day })),
];

/** Round times of a zone from one instant to another, no more than `most`. */
export function timeTicks(from: Instant, to: Instant, zone: string, most: number): Tick[] {
  const length = lengths.find(({ ms }) => (to - from) / ms <= most) ?? lengths.at(-1)!;
  const midnight = DateTime.fromMillis(from, { zone, locale: "en" }).startOf("day");
  const ticks: Tick[] = [];
  for (let n = 0; ticks.length <= most; n += 1) {
    // Days are counted as days, whatever the clocks do on them.
    const at =
      "days" in length
        ? midnight.plus({ days: n * length.days })
        : midnight.plus({ minutes: n * length.minutes });
    if (at.toMillis() > to) break;
    if (at.toMillis() >= from) ticks.push({ at: at.toMillis(), label: labelOf(at, length.ms) });
  }
  return ticks;
}

function labelOf(at: DateTime, apart: number): string {
  if (apart >= 91 * day) return at.toFormat("d LLL yyyy");
  return apart >= day || at.hour + at.minute === 0 ? at.toFormat("d LLL") : at.toFormat("HH:mm");
}
