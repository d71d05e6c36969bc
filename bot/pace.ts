import type { Clock, Instant } from "../engine/domain/clock.ts";
import type { Thread } from "../engine/domain/thread.ts";
import type { ChatError } from "./surface.ts";

/** How fast a narrator may speak and edit: by our own measure, and by what platforms ask for. */
export interface Pace {
  maySpeak(channel: Thread): boolean;
  /** Not sooner than the least time after the last edit there, nor more often than a workspace allows. */
  mayEdit(channel: Thread): boolean;
  edited(channel: Thread): void;
  /** An edit was not taken: the next one waits. */
  dropped(channel: Thread, error: ChatError): void;
  /** Something that must be said was not taken: how long the channel is left alone, in ms. */
  hold(channel: Thread, error: ChatError): number;
  /** The channel took what it was told. */
  spoke(channel: Thread): void;
}

/** The least time between two edits in a channel, in ms. */
export const editMs = 5_000;
/** Edits a minute in one workspace: the platforms allow 50. */
const editsAMinute = 40;
const minute = 60_000;
const longest = 5 * minute;

/** A pace by this clock, with so many ms between two edits in a channel. */
export function paceOf(clock: Clock, betweenMs: number): Pace {
  const silent = new Map<Thread, Instant>();
  const still = new Map<Thread, Instant>();
  const tries = new Map<Thread, number>();
  const edits = new Map<string, Instant[]>();
  const workspace = (channel: Thread) => channel.split(":", 1)[0] ?? "";
  const past = (until: Instant | undefined) => until === undefined || clock.now() >= until;
  return {
    maySpeak: (channel) => past(silent.get(channel)),
    mayEdit(channel) {
      const recent = (edits.get(workspace(channel)) ?? []).filter(
        (at) => clock.now() - at < minute,
      );
      edits.set(workspace(channel), recent);
      return past(still.get(channel)) && recent.length < editsAMinute;
    },
    edited(channel) {
      still.set(channel, clock.now() + betweenMs);
      edits.get(workspace(channel))?.push(clock.now());
    },
    dropped(channel, error) {
      still.set(channel, clock.now() + Math.max(betweenMs, error.retryAfterMs ?? 0));
    },
    hold(channel, error) {
      const before = tries.get(channel) ?? 0;
      tries.set(channel, before + 1);
      const ms = Math.max(error.retryAfterMs ?? 0, Math.min(longest, 1000 * 2 ** before));
      silent.set(channel, clock.now() + ms);
      return ms;
    },
    spoke(channel) {
      tries.delete(channel);
      silent.delete(channel);
    },
  };
}
