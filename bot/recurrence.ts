import { Cron } from "croner";
import type { Instant } from "../engine/domain/clock.ts";
import { harmless, UserError } from "../engine/domain/errors.ts";

const days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/**
 * Reads `weekdays 18:00`, `daily 18:00`, `every day 18:00`, `every mon,thu 07:30` as five fields of cron. Null for
 * what does not recur; throws `UserError` for a day or a time that there is not.
 */
export function readRecurrence(text: string): { cron: string; typed: string } | null {
  const match =
    /^(?:(weekdays|daily)|every\s+([a-z]+(?:\s*,\s*[a-z]+)*))\s+(\d{1,2}):(\d{2})$/i.exec(
      text.trim(),
    );
  if (match === null) return null;
  const [hour, minute] = [Number(match[3]), Number(match[4])];
  if (hour > 23 || minute > 59) {
    throw new UserError(
      `There is no ${match[3]}:${match[4]} in a day; nothing was set. Write it like \`weekdays 18:00\`.`,
    );
  }
  const on = daysOf(match[1]?.toLowerCase() ?? match[2]?.toLowerCase() ?? "");
  return { cron: `${minute} ${hour} * * ${on}`, typed: text.trim().toLowerCase() };
}

function daysOf(words: string): string {
  if (words === "daily" || words === "day") return "*";
  if (words === "weekdays" || words === "weekday") return "1-5";
  return words
    .split(",")
    .map((word) => {
      const name = word.trim();
      const day = days.findIndex((one) => one === name || one.slice(0, 3) === name);
      if (day >= 0) return day;
      throw new UserError(
        `“${harmless(word, 20)}” is no day of the week; nothing was set. Write it like \`every mon,thu 07:30\`.`,
      );
    })
    .join(",");
}

/** When it comes next, in the zone; where the clocks leave that time out, at the first moment there is. */
export function nextTime(cron: string, zone: string, after: Instant): Instant | null {
  return new Cron(cron, { timezone: zone }).nextRun(new Date(after))?.getTime() ?? null;
}
