import type { Instant } from "../../engine/domain/clock.ts";
import { type Pace, places } from "../../engine/domain/pace.ts";
import { count, isoMoment } from "./figures.ts";

/** What holds at a mail server, after its address; empty where nothing does. */
export function paceOf(pace: Pace, now: Instant): string {
  const { atOnce, heldUntil } = pace;
  const set = atOnce === null ? "" : `, at most ${mailboxes(atOnce)} at once`;
  if (heldUntil !== null && heldUntil > now) {
    return `${set}; it asked for a pause, so none is begun before ${isoMoment(heldUntil)}`;
  }
  const most = places(pace, now);
  if (most === null || most === atOnce) return set;
  return `${set}; it asked to wait, so ${mailboxes(most)} at once for now, one more each minute`;
}

export function paceSet(name: string, atOnce: number | null): string {
  return atOnce === null
    ? `Endpoint ${name}: as many mailboxes at once as the engines have room for. Where it asks to wait, Godwit goes slower by itself.`
    : `Endpoint ${name}: at most ${mailboxes(atOnce)} at once, by all engines together. What is carried now is not interrupted.`;
}

function mailboxes(n: number): string {
  return count(n, "mailbox", "mailboxes");
}
