import type { Thread } from "../../../engine/domain/thread.ts";

/** Slack's own name of a place: a channel, and the time stamp of the message a thread stands under. */
export interface SlackPlace {
  channel: string;
  ts: string | null;
}

/** `slack:C1` or `slack:C1:171.1`. */
export function threadOf(channel: string, ts?: string | null): Thread {
  return ts == null ? `slack:${channel}` : `slack:${channel}:${ts}`;
}

export function placeOf(thread: Thread): SlackPlace {
  const [, channel = "", ts] = thread.split(":");
  return { channel, ts: ts ?? null };
}

/** The message a thread stands under. Throws where a channel is given for a thread. */
export function rootOf(thread: Thread): { channel: string; ts: string } {
  const { channel, ts } = placeOf(thread);
  if (ts === null) throw new Error(`${thread} is no thread.`);
  return { channel, ts };
}

export function userOf(person: string): string {
  return person.replace(/^slack:/, "");
}

/** Whether it is a direct message with one person, where all is private. */
export function isDirect(channel: string): boolean {
  return channel.startsWith("D");
}
