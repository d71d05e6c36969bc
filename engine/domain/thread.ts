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
