import { type Forecast, sumsOf } from "../../engine/domain/forecast.ts";
import type { PassPlan } from "../../engine/domain/plan.ts";
import { count, names, number, size } from "./figures.ts";

/** What both servers list, the expected first; nothing where they were not asked. */
export function forecastLines(plan: PassPlan, forecast: Forecast): string[] {
  if (forecast.of === 0) return [];
  const sums = sumsOf(forecast);
  const asked = forecast.entries.length - sums.problems.length;
  const some =
    asked === forecast.of
      ? ""
      : ` in ${number(asked)} of ${count(forecast.of, "mailbox", "mailboxes")}`;
  const unasked = forecast.of - forecast.entries.length;
  const known = sums.duplicates === 0 ? "" : `, ${number(sums.duplicates)} already there`;
  const lines = [
    `expected: ${plan.kind === "repair" ? "up to " : ""}${count(sums.items, "item")}, ${size(sums.bytes)}${known}${some}`,
    ...again(plan, sums.moved),
  ];
  if (sums.changed !== null && sums.changed > 0) {
    lines.push(`changed since they were carried, and not carried again: ${number(sums.changed)}`);
  }
  if (sums.filtered > 0) lines.push(`left out by filters or the limit: ${number(sums.filtered)}`);
  if (sums.tooLarge > 0) lines.push(`too large for the new server: ${number(sums.tooLarge)}`);
  if (sums.renumbered > 0) {
    lines.push(
      `${count(sums.renumbered, "item")} in folders that were renumbered: they are compared with what was carried before anything is sent`,
    );
  }
  if (unasked > 0) {
    lines.push(`${count(unasked, "mailbox", "mailboxes")} could not be asked in time`);
  }
  const one = (id: number) => plan.entries.find(({ entry }) => entry.id === id)?.entry;
  const name = (id: number) => one(id)?.source ?? "";
  for (const { entry, free, bytes } of sums.narrow.slice(0, 5)) {
    lines.push(
      `${one(entry)?.target ?? ""} has room for ${size(free)} and would get ${size(bytes)}`,
    );
  }
  for (const { entry, problem } of sums.problems.slice(0, 5)) {
    lines.push(`${name(entry)} cannot be looked into: ${problem}`);
  }
  const more = sums.problems.slice(5).map(({ entry }) => name(entry));
  if (more.length > 0) lines.push(`nor can ${names(more)}`);
  return lines;
}

/** What stands in two folders afterwards. */
function again({ kind }: PassPlan, moved: number | null): string[] {
  if (kind === "verify" || kind === "trial" || kind === "repair") return [];
  if (moved === null) {
    return [
      "what was moved since it was carried is carried again; the old server cannot tell how many",
    ];
  }
  if (moved === 0) return [];
  return [
    `moved since they were carried, and carried again into their new folder: ${number(moved)}`,
  ];
}
