import type { Block, KnownBlock } from "@slack/types";
import { type Button, type Message, spans } from "../../message.ts";

/**
 * How much of Block Kit is used: `modern` has rich text and tables, `plain` only what every workspace knows,
 * `text` no blocks at all.
 */
export type Level = "modern" | "plain" | "text";

/** The level to fall back to when a workspace refuses one. */
export const lesser = { modern: "plain", plain: "text", text: null } as const;

/** What Slack takes at most, and what people read at most. */
const most = {
  lines: 40,
  line: 2000,
  rows: 20,
  cell: 120,
  label: 75,
  value: 2000,
  blocks: 45,
} as const;

/** An edit over 4,000 characters is refused whole; a post is cut by Slack without a word. */
const textLimit = 3800;

/** A message as Slack takes it. `text` is what notifications say, and all there is where blocks are refused. */
export interface Drawn {
  text: string;
  blocks?: (KnownBlock | Block)[];
}

/** Draws a message. Nothing in it is read as markup on any level. */
export function draw(message: Message, level: Level): Drawn {
  const text = inert(shortened(message.text, textLimit));
  if (level === "text") return { text };
  const body = level === "modern" ? modern(message) : plain(message);
  return { text, blocks: [...body.slice(0, most.blocks), ...actions(message.buttons ?? [])] };
}

/**
 * Text for Slack's `text`, which is read as markup whatever is asked: the three signs are escaped, and what
 * clients make links of is broken by an invisible joint, as are the signs of formatting.
 */
export function inert(text: string): string {
  return text
    .replace(/:\/\//g, ":\u2060//")
    .replace(/\b(www)\./gi, "$1\u2060.")
    .replace(/(^|[\s(["'])([*_~])/gm, "$1\u2060$2\u2060")
    .replace(/@(?=here|channel|everyone)/gi, "@\u2060")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;");
}

function modern(message: Message): (KnownBlock | Block)[] {
  const { title, bar, facts, table, notes } = message;
  const blocks: (KnownBlock | Block)[] = [];
  if (title === undefined) blocks.push(rich(lines(message.text)));
  else blocks.push(rich([title], true));
  if (bar !== undefined) blocks.push(rich([barText(bar)]));
  if (title !== undefined && facts !== undefined) {
    blocks.push(rich(Object.entries(facts).map(([name, value]) => `${name}: ${value}`)));
  }
  if (table !== undefined) blocks.push(tableBlock(table));
  if (table !== undefined && table.rows.length > most.rows) blocks.push(rich([more(table)]));
  if (notes !== undefined && notes.length > 0) blocks.push(rich(lines(notes.join("\n"))));
  return blocks;
}

function plain(message: Message): KnownBlock[] {
  const { title, bar, facts, table, notes } = message;
  const parts =
    title === undefined
      ? [message.text]
      : [
          title,
          ...(bar === undefined ? [] : [barText(bar)]),
          ...Object.entries(facts ?? {}).map(([name, value]) => `${name}: ${value}`),
        ];
  const rows = table === undefined ? [] : [table.columns, ...table.rows.slice(0, most.rows)];
  const all = [
    ...parts,
    ...rows.map((row) => row.join(" · ")),
    ...(table !== undefined && table.rows.length > most.rows ? [more(table)] : []),
    ...(notes ?? []),
  ];
  const text = shortened(lines(all.join("\n")).join("\n"), 2900).replaceAll("`", "");
  // Plain text is shown as it is, but clients make links of addresses in it.
  return [
    { type: "section", text: { type: "plain_text", text: joined(text) || " ", emoji: false } },
  ];
}

function rich(all: string[], bold = false): Block {
  const elements = all.flatMap((line, at) => {
    const runs = spans(line.slice(0, most.line)).map((span) => ({
      type: "text",
      text: span.typed ? span.text : joined(span.text),
      ...(span.typed || bold
        ? { style: { ...(span.typed && { code: true }), ...(bold && { bold }) } }
        : {}),
    }));
    return at === 0 ? runs : [{ type: "text", text: "\n" }, ...runs];
  });
  const section = elements.length === 0 ? [{ type: "text", text: " " }] : elements;
  return {
    type: "rich_text",
    elements: [{ type: "rich_text_section", elements: section }],
  } as Block;
}

function tableBlock({ columns, rows }: NonNullable<Message["table"]>): Block {
  const cells = (row: string[]) =>
    row
      .slice(0, 20)
      .map((text) => ({ type: "raw_text", text: joined(text.slice(0, most.cell)) || " " }));
  return {
    type: "table",
    rows: [cells(columns), ...rows.slice(0, most.rows).map(cells)],
  } as Block;
}

function more({ rows }: NonNullable<Message["table"]>): string {
  return `… and ${rows.length - most.rows} more`;
}

/** What a client would make a link of, broken by an invisible joint. */
function joined(text: string): string {
  return text.replace(/:\/\//g, ":\u2060//").replace(/\b(www)\./gi, "$1\u2060.");
}

function actions(buttons: Button[]): KnownBlock[] {
  if (buttons.length === 0) return [];
  return [
    {
      type: "actions",
      elements: buttons.slice(0, 5).map(({ label, command, style }, at) => ({
        type: "button",
        action_id: `command-${at}`,
        text: { type: "plain_text", text: label.slice(0, most.label), emoji: false },
        value: command.slice(0, most.value),
        ...(style === undefined ? {} : { style }),
      })),
    },
  ];
}

/** A bar of text: Block Kit has none of its own. */
function barText(part: number): string {
  const full = Math.max(0, Math.min(20, Math.floor(part * 20)));
  return `${"▓".repeat(full)}${"░".repeat(20 - full)} ${Math.floor(part * 100)} %`;
}

function lines(text: string): string[] {
  const all = text.split("\n");
  if (all.length <= most.lines) return all;
  return [...all.slice(0, most.lines), `… and ${all.length - most.lines} more lines`];
}

function shortened(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 2)} …`;
}
