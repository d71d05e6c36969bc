/** Minutes of a day, from 0 to 1440, up to and without `to`. */
export type Minutes = [from: number, to: number];

/** Hours of the day on days of the week. */
export interface Hours {
  /** 1 for Monday to 7 for Sunday. */
  days: number[];
  /** Minutes after midnight. Where `to` is not after `from`, they reach into the next day and belong to this one. */
  from: number;
  to: number;
}

/** Whole days of a project's zone, the last one included, as `yyyy-MM-dd`. */
export interface Blackout {
  from: string;
  to: string;
}

/** When passes of a project may carry: at any hour where no hours are given, and never on a day of a blackout. */
export interface Windows {
  hours: Hours[];
  blackout: Blackout[];
}

/** A project's windows, with the zone they are meant in (IANA name). */
export interface ZonedWindows {
  windows: Windows;
  zone: string;
}

export const noWindows: Windows = { hours: [], blackout: [] };

export function isAlwaysOpen({ hours, blackout }: Windows): boolean {
  return hours.length === 0 && blackout.length === 0;
}

/** The blackout this day lies in; null for none. */
export function blackoutOn(date: string, { blackout }: Windows): Blackout | null {
  return blackout.find(({ from, to }) => from <= date && date <= to) ?? null;
}

/**
 * The minutes of a day that are open by the clock, in order and without overlaps. `weekday` is the date's, 1 for
 * Monday to 7 for Sunday.
 */
export function openMinutes(windows: Windows, date: string, weekday: number): Minutes[] {
  if (blackoutOn(date, windows) !== null) return [];
  const { hours } = windows;
  if (hours.length === 0) return [[0, 1440]];
  const before = weekday === 1 ? 7 : weekday - 1;
  const pieces = hours.flatMap(({ days, from, to }): Minutes[] => {
    const over = to <= from;
    const evening: Minutes[] = days.includes(weekday) ? [[from, over ? 1440 : to]] : [];
    const morning: Minutes[] = over && days.includes(before) ? [[0, to]] : [];
    return [...morning, ...evening];
  });
  return merged(pieces.filter(([from, to]) => from < to));
}

function merged(pieces: Minutes[]): Minutes[] {
  const whole: Minutes[] = [];
  for (const [from, to] of pieces.toSorted(([a], [b]) => a - b)) {
    const last = whole.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else whole.push([from, to]);
  }
  return whole;
}
