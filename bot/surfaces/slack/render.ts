import type { types } from "@slack/bolt";
import { type Button, type Message, spans } from "../../message.ts";
import { cut, escaped, seen, still } from "./inert.ts";

type Block = types.Block | types.KnownBlock;

/**
 * How much of Block Kit is used: `modern` has rich text and tables, `plain` only what every workspace knows,
 * `text` no blocks at all.
 */
export type Level = "modern" | "plain" | "text";

/** The level to fall back to when a workspace refuses one. */
export const lesser = { modern: "plain", plain: "text", text: null } as const;

/** What Slack takes at most, and what people read at most. */
const most = {
  lines: 60,
  line: 1000,
  rows: 10,
  cells: 20,
  cell: 120,
  /** Of a cell that stays on one line. */
  narrow: 20,
  /** Of all lines, and of a table: Slack refuses blocks of some eleven thousand letters together. */
  together: 5000,
  table: 3500,
  label: 75,
  value: 2000,
  buttons: 25,
  section: 2900,
  /** An edit over 4,000 characters is refused whole. */
  text: 3800,
} as const;

/** A message as Slack takes it. `text` is what notifications say, and all there is where blocks are refused. */
export interface Drawn {
  text: string;
  blocks?: Block[];
}

/** Draws a message. Nothing in it is read as markup on any level; words to be typed are set as code. */
export function draw(message: Message, level: Level): Drawn {
  const parts = partsOf(message);
  const text = fallback(level === "text" ? parts : [{ lines: message.text.split("\n") }]);
  const { link } = message;
  if (level === "text") return { text: link === undefined ? text : `${text}\n${marked(link)}` };
  const body =
    level === "modern"
      ? fitted(parts).map(modern)
      : plain(fitted(parts.map((part) => ({ lines: linesOf(part) }))));
  const opens = link === undefined ? [] : [linkBlock(link, level)];
  return { text, blocks: [...body, ...opens, ...actions(message.buttons ?? [])] };
}

function linkBlock(link: NonNullable<Message["link"]>, level: Level): Block {
  if (level === "plain") {
    return { type: "section", text: { type: "mrkdwn", text: marked(link), verbatim: true } };
  }
  const run = { type: "link" as const, url: link.url, text: link.label };
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements: [run] }] };
}

/** In Slack's own markup. */
function marked({ label, url }: NonNullable<Message["link"]>): string {
  return `<${url.replaceAll("&", "&amp;")}|${escaped(label)}>`;
}

/** A piece of a message: lines, or a table. */
type Part = { lines: string[]; bold?: boolean } | { rows: string[][]; more: number };

/** In the order they are read. */
function partsOf({ text, title, bar, facts, table, notes = [] }: Message): Part[] {
  const told = Object.entries(facts ?? {}).map(([name, value]) => `${name}: ${value}`);
  const all: (Part | null)[] = [
    title === undefined ? { lines: text.split("\n") } : { lines: [title], bold: true },
    bar === undefined ? null : { lines: [barText(bar)] },
    title === undefined || told.length === 0 ? null : { lines: told },
    table === undefined
      ? null
      : {
          rows: [table.columns, ...table.rows.slice(0, most.rows)],
          more: Math.max(0, table.rows.length - most.rows),
        },
    notes.length === 0 ? null : { lines: notes.flatMap((note) => note.split("\n")) },
  ];
  return all.filter((part) => part !== null);
}

/** The lines that have room together, and how many have none. */
function fitted(parts: Part[]): Part[] {
  let left: number = most.together;
  return parts.map((part) => {
    if (!("lines" in part)) return part;
    const lines = shown(part.lines.map((line) => cut(seen(line), most.line)));
    const kept = lines.findIndex((line) => {
      left -= line.length + 1;
      return left < 0;
    });
    if (kept === -1) return { ...part, lines };
    left = 0;
    return {
      ...part,
      lines: [...lines.slice(0, kept), `${andMore(part.lines.length - kept)} lines`],
    };
  });
}

/** Rich text takes runs of words as they are: there is nothing in it to escape. */
function modern(part: Part): Block {
  if ("rows" in part) return tableBlock(part);
  const elements = part.lines.flatMap((line, at) => {
    const runs = spans(line).map((span) => {
      const style = {
        ...(span.typed ? { code: true } : {}),
        ...(part.bold === true ? { bold: true } : {}),
      };
      const text = span.typed ? span.text : still(span.text);
      return { type: "text" as const, text, ...(Object.keys(style).length > 0 ? { style } : {}) };
    });
    return at === 0 ? runs : [{ type: "text" as const, text: "\n" }, ...runs];
  });
  return {
    type: "rich_text",
    elements: [
      {
        type: "rich_text_section",
        elements: elements.length === 0 ? [{ type: "text", text: " " }] : elements,
      },
    ],
  };
}

function tableBlock({ rows, more }: { rows: string[][]; more: number }): Block {
  const width = Math.min(most.cells, Math.max(1, ...rows.map((row) => row.length)));
  const cell = Math.min(most.cell, Math.floor(most.table / (width * (rows.length + 1))));
  const cells = (row: string[]) =>
    Array.from({ length: width }, (_, at) => ({
      type: "raw_text" as const,
      text: still(cut(seen(row[at] ?? ""), cell)) || " ",
    }));
  const last = more === 0 ? [] : [cells([andMore(more)])];
  // What is longer than its column is cut unless the column is told to wrap.
  const settings = Array.from({ length: width }, (_, at) => ({
    is_wrapped: rows.some((row) => (row[at] ?? "").length > most.narrow),
  }));
  return { type: "table", rows: [...rows.map(cells), ...last], column_settings: settings };
}

/** Sections of plain text, which is shown as it is; as few as can hold it. */
function plain(parts: Part[]): Block[] {
  const sections: string[] = [];
  for (const line of shown(parts.flatMap(linesOf)).map((one) => still(unmarked(one)))) {
    const last = sections.at(-1);
    if (last === undefined || last.length + line.length >= most.section) sections.push(line);
    else sections[sections.length - 1] = `${last}\n${line}`;
  }
  return sections.map((text) => ({
    type: "section",
    text: { type: "plain_text", text: text.trim() === "" ? " " : text, emoji: false },
  }));
}

/** Everything as lines of Slack's own markup, with nothing in it that means anything but code. */
function fallback(parts: Part[]): string {
  const done: string[] = [];
  let length = 0;
  for (const line of shown(parts.flatMap(linesOf))) {
    const marked = spans(cut(seen(line), most.line))
      .map((span) => (span.typed ? `\`${escaped(span.text)}\`` : escaped(span.text)))
      .join("");
    length += marked.length + 1;
    // Cut between lines, so that no sign of Slack's is cut in two.
    if (length > most.text) return [...done, "…"].join("\n");
    done.push(marked);
  }
  return done.join("\n").trim() || " ";
}

function linesOf(part: Part): string[] {
  if ("lines" in part) return part.lines;
  const rows = part.rows.map((row) => row.map((cell) => cut(cell, most.cell)).join(" · "));
  return part.more === 0 ? rows : [...rows, andMore(part.more)];
}

function actions(buttons: Button[]): Block[] {
  // A command that was cut would be another one.
  const whole = buttons.filter(({ command }) => command.length <= most.value);
  if (whole.length === 0) return [];
  return [
    {
      type: "actions",
      elements: whole.slice(0, most.buttons).map(({ label, command, style }, at) => ({
        type: "button",
        action_id: `command-${at}`,
        text: { type: "plain_text", text: cut(still(label), most.label) || " ", emoji: false },
        value: command,
        ...(style === undefined ? {} : { style }),
      })),
    },
  ];
}

/** A bar of text: Block Kit has none of its own. */
function barText(part: number): string {
  const done = Math.max(0, Math.min(1, part));
  const full = Math.floor(done * 20);
  return `${"▓".repeat(full)}${"░".repeat(20 - full)} ${Math.floor(done * 100)} %`;
}

function unmarked(line: string): string {
  return spans(cut(seen(line), most.line))
    .map((span) => span.text)
    .join("");
}

function shown(lines: string[]): string[] {
  if (lines.length <= most.lines) return lines;
  return [...lines.slice(0, most.lines), `${andMore(lines.length - most.lines)} lines`];
}

function andMore(n: number): string {
  return `… and ${n} more`;
}
