import type { Instant } from "./clock.ts";
import type { PassKind } from "./pass.ts";
import type { Entry, EntryId, Filters } from "./project.ts";

/** What a pass over one mailbox would meet now, by what both servers list. Nothing is read or written for it. */
export interface EntryForecast {
  entry: EntryId;
  /** To be carried, and their bytes by the old server's count; of a repair at most: what was moved is among it. */
  items: number;
  bytes: number;
  /** Carried before. */
  duplicates: number;
  /** Left out by a date, a folder or a size rule, or marked \Deleted. */
  filtered: number;
  /** More than the new server takes. */
  tooLarge: number;
  /** Of the items: carried before from another folder, and so a second copy; null where the source cannot tell. */
  moved: number | null;
  /** Carried, and changed since: not carried again. Null where the source cannot tell. */
  changed: number | null;
  /** Items of folders that were renumbered: they are compared with what was carried before anything is sent. */
  renumbered: number;
  /** Bytes the new mailbox has room for; null where it does not say. */
  free: number | null;
  /** Why it could not be asked, for people; null where it could, and then the figures hold. */
  problem: string | null;
}

/** A forecast over the entries of a plan; those there was no time for are not in it. */
export interface Forecast {
  entries: EntryForecast[];
  /** How many entries the plan has. */
  of: number;
}

/** What is to be forecast. */
export interface Question {
  kind: PassKind;
  limit: Instant | null;
  filters: Filters;
  entries: Entry[];
}

/** Asks both servers of each mailbox, several at a time. */
export interface Forecaster {
  /** Ends in good time, with what it knows by then. */
  ask(question: Question): Promise<Forecast>;
}

/** The figures of a forecast together. */
export interface ForecastSums {
  items: number;
  bytes: number;
  duplicates: number;
  filtered: number;
  tooLarge: number;
  renumbered: number;
  moved: number | null;
  changed: number | null;
  /** Mailboxes that have less room than they would get, and how much. */
  narrow: { entry: EntryId; free: number; bytes: number }[];
  problems: { entry: EntryId; problem: string }[];
}

export function sumsOf({ entries }: Forecast): ForecastSums {
  const sums: ForecastSums = {
    items: 0,
    bytes: 0,
    duplicates: 0,
    filtered: 0,
    tooLarge: 0,
    renumbered: 0,
    moved: 0,
    changed: 0,
    narrow: [],
    problems: [],
  };
  for (const one of entries) {
    const { entry, problem, free, bytes } = one;
    if (problem !== null) {
      sums.problems.push({ entry, problem });
      continue;
    }
    for (const key of [
      "items",
      "bytes",
      "duplicates",
      "filtered",
      "tooLarge",
      "renumbered",
    ] as const) {
      sums[key] += one[key];
    }
    for (const key of ["moved", "changed"] as const) {
      const [sum, its] = [sums[key], one[key]];
      sums[key] = sum === null || its === null ? null : sum + its;
    }
    if (free !== null && free < bytes) sums.narrow.push({ entry, free, bytes });
  }
  return sums;
}

/** A plan's figures hold to this part: mail goes on arriving while somebody reads it. */
const tolerance = 0.01;

/** What is not as it was when the plan was shown, of the entries asked both times. */
export interface Shift {
  what: "items" | "bytes" | "moved" | "renumbered" | "problem";
  was: number;
  is: number;
}

/** Compares two forecasts; empty while the older one holds to one part in a hundred. */
export function shifted(before: Forecast, after: Forecast): Shift[] {
  const asked = new Set(after.entries.map(({ entry }) => entry));
  const both = before.entries.filter(({ entry }) => asked.has(entry));
  const known = new Set(both.map(({ entry }) => entry));
  const was = sumsOf({ entries: both, of: both.length });
  const is = sumsOf({
    entries: after.entries.filter(({ entry }) => known.has(entry)),
    of: both.length,
  });
  const pairs: Shift[] = [
    { what: "items", was: was.items, is: is.items },
    { what: "bytes", was: was.bytes, is: is.bytes },
    { what: "moved", was: was.moved ?? 0, is: is.moved ?? 0 },
    { what: "renumbered", was: was.renumbered, is: is.renumbered },
    { what: "problem", was: was.problems.length, is: is.problems.length },
  ];
  return pairs.filter((pair) => {
    const slack = pair.what === "problem" ? 0 : tolerance * Math.max(pair.was, pair.is);
    return Math.abs(pair.is - pair.was) > slack;
  });
}
