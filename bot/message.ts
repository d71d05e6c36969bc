/** What the bot says, before a surface draws it. `text` alone always suffices; the rest is for surfaces that can. */
export interface Message {
  text: string;
  tone?: "good" | "warning" | "bad";
  facts?: Record<string, string>;
  table?: { columns: string[]; rows: string[][] };
  /** How much is done, from 0 to 1. */
  bar?: number;
  buttons?: Button[];
}

/** A button does what its command does when typed. */
export interface Button {
  label: string;
  command: string;
}
