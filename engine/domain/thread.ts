import type { Instant } from "./clock.ts";

/**
 * Where a conversation goes on: `<surface>:<channel>` is a channel, `<surface>:<channel>:<message>` a thread
 * under one of its messages. Only the surface named first takes it apart.
 */
export type Thread = string;

/** A line of a channel that has no platform of its own (the local page and terminal): kept here, shown by whoever looks. */
export interface TranscriptLine {
  id: number;
  at: Instant;
  kind: "private" | "post" | "edit" | "reply" | "pass";
  /** Of the root message for post, edit and reply; the channel for private. */
  thread: Thread;
  /** The private line's reader; null for all. */
  for: string | null;
  text: string;
  /** The rest of the line as a surface wrote it: plain JSON. */
  extra: Record<string, unknown>;
}

/** Lines in order. Several processes may write and follow. */
export interface Transcript {
  write(line: Omit<TranscriptLine, "id" | "at">): Promise<TranscriptLine>;
  after(id: number, limit: number): Promise<TranscriptLine[]>;
  last(): Promise<number>;
}

/**
 * How a surface reaches a conversation again, on platforms where its name is not enough: kept as the surface
 * wrote it, the newest for each place.
 */
export interface Contacts {
  keep(place: Thread, how: string): Promise<void>;
  of(place: Thread): Promise<string | null>;
}

/** Where a message with a key was posted, so that it can be rewritten. */
export interface Posts {
  note(key: string, thread: Thread): Promise<void>;
  thread(key: string): Promise<Thread | null>;
}

/** The ids of events that were handled, so that one delivered again, to any process, is one command. */
export interface Inbox {
  /** True the first time an id is seen; false for a week after. */
  first(event: string): Promise<boolean>;
}
