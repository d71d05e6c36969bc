import { type Button, type Field, type Form, type Message, spans } from "../../message.ts";
import { plain } from "./plain.ts";

/** An Adaptive Card 1.5, or a part of one, as plain JSON. */
export type Card = Record<string, unknown>;

/** What a card takes at most; what is left over is said to be. Teams refuses cards over some ten kilobytes. */
const most = { rows: 20, cell: 120, fact: 400, line: 2000, lines: 80 } as const;

/**
 * The card of a message. Everything stands in text runs, which nothing reads as markup; words to be typed are
 * set in a fixed width. A press on a button brings `{ command }`.
 */
export function messageCard(message: Message): Card {
  const body = [
    ...(message.title === undefined ? lines(message.text) : [heading(message.title)]),
    ...(message.bar === undefined ? [] : [bar(message.bar, message.tone)]),
    ...(message.title === undefined || message.facts === undefined ? [] : facts(message.facts)),
    ...(message.table === undefined ? [] : table(message.table)),
    ...(message.notes ?? []).flatMap((note) => lines(note, { isSubtle: true })),
  ];
  const { buttons = [], link } = message;
  const opens =
    link === undefined
      ? []
      : [{ type: "Action.OpenUrl", title: plain(link.label), url: link.url, style: "positive" }];
  return card(toned(body, message.tone), [...opens, ...buttons.map(action)]);
}

/**
 * The card of a form. Sending it brings `{ command, form: true }` and the answers by the names of their fields.
 * A file is room to paste its text, for surfaces that take no files.
 */
export function formCard(form: Form): Card {
  const intro = form.intro === undefined ? [] : lines(form.intro);
  return card(
    [heading(form.title), ...intro, ...form.fields.map(input)],
    [
      {
        type: "Action.Submit",
        title: plain(form.submit),
        style: "positive",
        data: { command: form.command, form: true },
      },
    ],
  );
}

function card(body: Card[], actions: Card[]): Card {
  return {
    type: "AdaptiveCard",
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    version: "1.5",
    body,
    ...(actions.length === 0 ? {} : { actions }),
  };
}

const styles = { good: "good", warning: "warning", bad: "attention" } as const;

function toned(body: Card[], tone: Message["tone"]): Card[] {
  const [first, ...rest] = body;
  if (tone === undefined || first === undefined) return body;
  // The first line alone: what tables have under them is the client's to choose.
  return [{ type: "Container", style: styles[tone], items: [first] }, ...rest];
}

function heading(title: string): Card {
  return block(title, { weight: "Bolder", size: "Medium" });
}

/** A block a line, so that no client has to be trusted with line ends. */
function lines(text: string, look: Card = {}): Card[] {
  const all = text.split("\n");
  const shown = all.slice(0, most.lines).map((line, at) => ({
    ...block(line, look),
    ...(at === 0 ? { spacing: "Small" } : { spacing: "None" }),
  }));
  return all.length > shown.length ? [...shown, block(more(all.length - shown.length))] : shown;
}

function block(text: string, look: Card = {}): Card {
  const safe = plain(text, most.line);
  // Clients drop blanks in front, and a block without words.
  const kept = safe.replace(/^ +/, (blanks) => "\u00a0".repeat(blanks.length)) || "\u00a0";
  const inlines = spans(kept).map((span) => ({
    type: "TextRun",
    text: span.text,
    ...look,
    ...(span.typed ? { fontType: "Monospace" } : {}),
  }));
  return { type: "RichTextBlock", inlines };
}

function bar(part: number, tone: Message["tone"]): Card {
  const percent = Math.floor(Math.min(1, Math.max(0, part)) * 100);
  const piece = (width: number, style: string): Card[] =>
    width === 0 ? [] : [{ type: "Column", width, style, minHeight: "8px", items: [] }];
  const drawn = {
    type: "ColumnSet",
    spacing: "None",
    columns: [
      ...piece(percent, tone === undefined ? "accent" : styles[tone]).map(spaceless),
      ...piece(100 - percent, "emphasis").map(spaceless),
    ],
  };
  return {
    type: "ColumnSet",
    spacing: "Small",
    columns: [
      { type: "Column", width: "stretch", verticalContentAlignment: "Center", items: [drawn] },
      { type: "Column", width: "auto", items: [block(`${percent} %`, { isSubtle: true })] },
    ],
  };
}

function spaceless(column: Card): Card {
  return { ...column, spacing: "None" };
}

function facts(given: Record<string, string>): Card[] {
  const rows = Object.entries(given).map(([name, value]) => [
    block(plain(name, most.cell), { isSubtle: true }),
    block(plain(value, most.fact)),
  ]);
  if (rows.length === 0) return [];
  const name = shareOf(Object.keys(given), 8, 20);
  const value = shareOf(Object.values(given), name * 2, name * 3);
  return [grid([name, value], rows, { firstRowAsHeaders: false })];
}

function table({ columns, rows }: NonNullable<Message["table"]>): Card[] {
  const cells = (row: string[], look: Card = {}) =>
    columns.map((_, at) => block(plain(row[at] ?? "", most.cell), look));
  const drawn = grid(
    columns.map((name, at) =>
      // A heading may wrap between its words, which are bold and so take more room.
      shareOf(
        [...name.split(" ").map((word) => `${word} `), ...rows.map((row) => row[at] ?? "")],
        5,
        26,
      ),
    ),
    [cells(columns, { weight: "Bolder" }), ...rows.slice(0, most.rows).map((row) => cells(row))],
    { firstRowAsHeaders: true },
  );
  return rows.length > most.rows ? [drawn, ...lines(more(rows.length - most.rows))] : [drawn];
}

/** How wide a column is beside the others: by its longest cell, so that short ones leave room to long ones. */
function shareOf(cells: string[], least: number, largest: number): number {
  return Math.min(largest, Math.max(least, ...cells.map(({ length }) => length))) + 1;
}

function grid(widths: number[], rows: Card[][], look: Card): Card {
  return {
    type: "Table",
    showGridLines: false,
    ...look,
    columns: widths.map((width) => ({ width })),
    rows: rows.map((cells) => ({
      type: "TableRow",
      cells: cells.map((item) => ({ type: "TableCell", items: [item] })),
    })),
  };
}

function more(n: number): string {
  return `… and ${n} more`;
}

function action({ label, command, style }: Button): Card {
  const look = {
    title: plain(label),
    ...(style === undefined ? {} : { style: style === "primary" ? "positive" : "destructive" }),
    data: { command },
  };
  return {
    type: "Action.Execute",
    verb: "command",
    ...look,
    fallback: { type: "Action.Submit", ...look },
  };
}

function input({ name, label, kind, hint, optional }: Field): Card {
  const required = optional !== true;
  return {
    type: "Input.Text",
    id: name,
    label: plain(label),
    isRequired: required,
    ...(required ? { errorMessage: `${plain(label)} is needed.` } : {}),
    ...(hint === undefined ? {} : { placeholder: plain(hint) }),
    ...(kind === "secret" ? { style: "Password" } : {}),
    ...(kind === "file" ? { isMultiline: true } : {}),
  };
}
