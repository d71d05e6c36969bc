import type { Instant } from "../../engine/domain/clock.ts";
import { type Cutover, standing } from "../../engine/domain/cutover.ts";
import { duration, minuteOf, moment, number } from "./figures.ts";
import { hostsText, ownTtlText, sidesText } from "./mx.ts";
import { type Judged, lateLine, safeLine, withheldText } from "./verdict.ts";

/** What a cutover's message says under its title, name by name. */
export function cutoverFacts(
  shown: Judged & { zone: string },
  now: Instant,
): Record<string, string> {
  const { cutover } = shown;
  const rest = cutover.state === "watching" ? beforeFacts(shown, now) : afterFacts(shown, now);
  return { ...dnsFacts(cutover), ...rest };
}

function dnsFacts(cutover: Cutover): Record<string, string> {
  const { sight } = cutover.known;
  const [hosts, ttl] = [hostsText(sight), ownTtlText(sight)];
  return {
    ...(hosts === null ? {} : { MX: hosts }),
    ...(ttl === null ? {} : { "Time to live": ttl }),
    "Its own servers": sidesText(cutover, sight.authoritative),
    Resolvers: sidesText(cutover, sight.resolvers),
  };
}

function beforeFacts(
  { cutover, zone, mailboxes }: Judged & { zone: string },
  now: Instant,
): Record<string, string> {
  const { plannedAt } = cutover;
  const rest = plannedAt === null || plannedAt <= now ? "" : `, in ${duration(plannedAt - now)}`;
  return {
    ...(plannedAt === null ? {} : { Planned: `${moment(plannedAt, zone)}${rest}` }),
    Mailboxes: number(mailboxes),
  };
}

function afterFacts(shown: Judged & { zone: string }, now: Instant): Record<string, string> {
  const { cutover, late, zone } = shown;
  const until = cutover.known.oldUntil ?? 0;
  const { safe, why } = standing(cutover, late, now);
  const told = withheldText(shown, why, now, zone).join("; ");
  return {
    ...(until > now
      ? { "Old hosts": `may be remembered anywhere until ${minuteOf(until, now, zone)}` }
      : {}),
    "Late mail": late.mails === 0 ? "none" : lateLine(late, now, zone),
    "Old system": safe ? safeLine(shown, now) : `do not switch it off yet: ${told}`,
  };
}
