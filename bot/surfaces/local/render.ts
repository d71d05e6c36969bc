import type { TranscriptLine } from "../../../engine/domain/thread.ts";

const marks = { private: "  ", post: "# ", edit: "~ ", reply: "    " } as const;

/**
 * A line of a channel for a terminal: posts begin with `#`, their edits with `~`, replies are set in. Null
 * for lines that are for scripts. Nothing in it can move a terminal's cursor or colour it.
 */
export function plainLine({ kind, text }: TranscriptLine): string | null {
  if (kind === "pass") return null;
  const safe = text.replace(/[^\P{Cc}\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "");
  return safe.replace(/^/gm, marks[kind]);
}
