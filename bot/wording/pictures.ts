import { DateTime } from "luxon";
import type { Instant } from "../../engine/domain/clock.ts";
import { harmless } from "../../engine/domain/errors.ts";
import type { Balance } from "../../engine/domain/license.ts";
import type { PassKind } from "../../engine/domain/pass.ts";
import type { HeatMap, HeatRow, HeatState } from "../pictures/heat-rows.ts";
import type { Outlook } from "../pictures/outlook.ts";
import { count, moment, names, number, size } from "./figures.ts";
import { kindWords } from "./plan.ts";

const mailboxes = (value: number) => count(value, "mailbox", "mailboxes");

/** What stands before the pictures, and all there is where pictures cannot be shown. */
export function picturesTitle(project: string): string {
  return `${project} in pictures`;
}

export function heatMapTitle(project: string): string {
  return `Passes of ${project}, mailbox by mailbox`;
}

export function heatMapHint({ rows, rest }: HeatMap): string {
  const all = rows.length + (rest?.count ?? 0);
  const which =
    rest === null
      ? mailboxes(all)
      : `${number(rows.length)} of ${mailboxes(all)}, those that need looking at first`;
  return `${which}; the figures are items migrated in that pass`;
}

/** Beside the signs of the heat map. */
export const heatStates: Record<HeatState, string> = {
  completed: "completed (darker: more of it was new)",
  failures: "with failures",
  failed: "failed",
  stopped: "stopped",
  running: "under way (bar: how far)",
};

export const notIn = "not in that pass";

export function more(others: number): string {
  return `and ${number(others)} more (sum, worst state)`;
}

export function passWord(pass: number): string {
  return `pass ${pass}`;
}

export function kindWord(kind: PassKind): string {
  return kindWords[kind].toLowerCase().replace(" pass", "");
}

/** `21 Nov`, in a zone. */
export function day(at: Instant, zone: string): string {
  return DateTime.fromMillis(at, { zone, locale: "en" }).toFormat("d LLL");
}

/** A figure in full, then shorter. */
export function figures(value: number): string[] {
  if (value < 1000) return [number(value)];
  const thousands = `${number(Math.round(value / 1000))}k`;
  return [number(value), thousands, `${number(Math.round(value / 100_000) / 10)}M`];
}

/** The heat map in words. */
export function heatMapAlt(map: HeatMap): string {
  const last = map.columns.at(-1);
  const those = (wanted: HeatState, what: string) => {
    const found = map.rows.filter(({ outcome }) => outcome === wanted);
    if (found.length === 0) return [];
    return [
      `${what}: ${names(
        found.map(({ name }) => harmless(name, 60)),
        5,
      )}`,
    ];
  };
  const runs = ({ cells }: HeatRow) => cells.at(-1)?.state === "running";
  const told = (rows: HeatRow[], what: string) =>
    rows.length === 0 ? [] : [`${number(rows.length)} ${what}`];
  const settled = map.rows.filter((row) => !runs(row));
  const states = [
    ...those("failed", "failed"),
    ...those("failures", "with failures"),
    ...those("stopped", "stopped"),
    ...told(map.rows.filter(runs), "under way"),
    ...told(
      settled.filter(({ outcome }) => outcome === "completed"),
      "completed",
    ),
    ...told(
      settled.filter(({ outcome }) => outcome === null),
      "in none of these passes",
    ),
  ];
  const all = map.rows.length + (map.rest?.count ?? 0);
  const shown =
    map.rest === null ? "" : `, of the ${number(map.rows.length)} that need looking at first`;
  return [
    `Passes by mailbox: ${mailboxes(all)}, ${count(map.columns.length, "pass", "passes")}`,
    last === undefined ? "" : `, the last of them pass ${last.pass}, ${kindWord(last.kind)}`,
    `. By the latest pass of each${shown}: ${states.join("; ")}.`,
  ].join("");
}

export function overTimeTitle(project: string): string {
  return `What ${project} has carried`;
}

export function overTimeHint(zone: string): string {
  return `all passes added up; times of ${zone}`;
}

export const carriedWord = "carried";
export const expectedWord = "what is left, at the pace of the passes so far";

export function nowWord(now: Instant, zone: string): string {
  return `now, ${moment(now, zone).replace(/ \(.*/, "")}`;
}

export function panelTitle(what: "items" | "bytes", carried: number, left: number): string {
  const told = (value: number) => (what === "items" ? number(value) : size(value));
  const rest = left === 0 ? "" : `, ${told(left)} left`;
  return `${what === "items" ? "Items" : "Size"}: ${told(carried)} carried${rest}`;
}

export function axisFigure(what: "items" | "bytes", value: number): string {
  if (what === "bytes") return value === 0 ? "0" : size(value).replace("bytes", "B");
  return value >= 1_000_000 ? `${value / 1_000_000}M` : number(value);
}

/** What is left, in a sentence. */
export function outlookText(outlook: Outlook, zone: string): string {
  switch (outlook.type) {
    case "nothing left":
      return "Nothing is left to carry, by what both servers list now.";
    case "left": {
      const { items, bytes, doneAt } = outlook;
      const left = `${count(items, "item")} (${size(bytes)}) ${items === 1 ? "is" : "are"} left`;
      return doneAt === null
        ? `${left}; no pass has shown a pace yet to reckon the end from.`
        : `${left}; a pass that carries them now would be done about ${moment(doneAt, zone)}, at the pace of the passes so far.`;
    }
    case "at least":
      return `At least ${count(outlook.items, "item is", "items are")} left (${size(outlook.bytes)}): only ${number(outlook.asked)} of ${mailboxes(outlook.of)} could be asked in time, so no end is reckoned.`;
    case "unknown":
      return "What is left is not known: the mail servers could not be asked.";
  }
}

/** The picture over time in words. */
export function overTimeAlt(
  carried: { items: number; bytes: number },
  since: Instant,
  outlook: Outlook,
  zone: string,
): string {
  return `Carried over time: ${count(carried.items, "item")} (${size(carried.bytes)}) since ${moment(since, zone)}. ${outlookText(outlook, zone)}`;
}

export function licenseTitle(project: string): string {
  return `Licenses of ${project}`;
}

export function licenseHint(owned: number): string {
  return `${number(owned)} owned`;
}

/** Parts of the bar, as its legend says them. */
export const licenseParts = {
  consumed: (value: number) => `${number(value)} used`,
  reserved: (value: number) => `${number(value)} reserved by passes under way`,
  free: (value: number) => `${number(value)} free`,
};

export function usedTitle(zone: string): string {
  return `Used over time (${zone})`;
}

export const usedWord = "used";
export const ownedWord = "owned";

/** The picture of licenses in words. */
export function licenseAlt({ owned, reserved, consumed, free }: Balance): string {
  return `Licenses: ${number(owned)} owned, ${number(consumed)} used, ${number(reserved)} reserved, ${number(free)} free.`;
}
