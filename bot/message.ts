/**
 * What the bot says, before a surface draws it. `text` alone always suffices; the rest is for surfaces that
 * can. Words between backticks are meant to be typed. Nothing in it is markup: a renderer escapes all of it.
 */
export interface Message {
  text: string;
  tone?: "good" | "warning" | "bad";
  /** Where there is one, surfaces that draw show title, bar, facts, table and notes in place of the text. */
  title?: string;
  facts?: Record<string, string>;
  table?: { columns: string[]; rows: string[][] };
  /** How much is done, from 0 to 1. */
  bar?: number;
  /** Lines under the facts: what it waits for, what to type next. */
  notes?: string[];
  buttons?: Button[];
  /** An address of our own to be opened, the one link there is. It is for one person, and `text` holds it too. */
  link?: { label: string; url: string };
  /** Something to keep, like a report. Surfaces that cannot hand over files leave it out and say so. */
  file?: { name: string; content: string };
  /** Drawn under the rest, in order. `text` says what they show; where one cannot be shown, its `alt` is said. */
  pictures?: Picture[];
}

export interface Picture {
  /** Of its file, with `.png`. */
  name: string;
  title: string;
  /** What it shows, in words; at most 1,000 characters. */
  alt: string;
  /** In base64, at most 1024 pixels each way and 70 KB. */
  png: string;
  /** As it is shown, in pixels; the PNG may be finer. */
  width: number;
  height: number;
}

/** A button does what its command does when typed. */
export interface Button {
  label: string;
  command: string;
  style?: "primary" | "danger";
}

/**
 * Questions whose answers must not stand in a chat. Sending it handles `command` as if it was typed, with the
 * answers beside it; so that whoever may type the command may send the form, checked when it is sent.
 */
export interface Form {
  /** At most 24 characters. */
  title: string;
  intro?: string;
  fields: Field[];
  /** On the button that sends it; at most 24 characters. */
  submit: string;
  command: string;
  /** What to do where forms cannot be shown. */
  otherwise: string;
}

export interface Field {
  /** Of the answer, in `Incoming.values`. */
  name: string;
  label: string;
  /**
   * `secret`: hidden while it is typed. `text`: a line. `file`: the text of a file, at most 5 MB; a surface
   * that takes no files shows room to paste it.
   */
  kind: "secret" | "text" | "file";
  hint?: string;
  optional?: boolean;
}

/** A message whose pictures cannot be shown: what they show is said. */
export function inWords({ pictures = [], ...message }: Message): Message {
  if (pictures.length === 0) return message;
  return { ...message, notes: [...(message.notes ?? []), ...pictures.map(({ alt }) => alt)] };
}

/** A text cut where words to be typed begin and end, the backticks gone. */
export function spans(text: string): { text: string; typed: boolean }[] {
  return text
    .split(/`([^`\n]+)`/)
    .map((part, at) => ({ text: part, typed: at % 2 === 1 }))
    .filter((span) => span.text !== "");
}
