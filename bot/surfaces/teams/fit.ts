import type { Message } from "../../message.ts";
import { type Card, messageCard } from "../cards/render.ts";

/** Teams takes more than this, but not everywhere and not by its own count. */
const most = 25_000;

/** How much of each part of a message is shown. */
interface Kept {
  rows: number;
  notes: number;
  facts: number;
  lines: number;
  /** Of a line. */
  length: number;
}

/** The card of a message, small enough for Teams: rows go first, then notes, facts and lines. */
export function fittingCard(message: Message): Card {
  let kept: Kept = {
    rows: message.table?.rows.length ?? 0,
    notes: message.notes?.length ?? 0,
    facts: Object.keys(message.facts ?? {}).length,
    lines: message.text.split("\n").length,
    length: 2000,
  };
  for (;;) {
    const card = messageCard(cut(message, kept));
    if (Buffer.byteLength(JSON.stringify(card)) <= most || kept.length < 10) return card;
    kept = less(kept);
  }
}

function less(kept: Kept): Kept {
  // What a card shows at most, so that the first step is felt.
  if (kept.rows > 0) return { ...kept, rows: Math.floor(Math.min(kept.rows, 20) / 2) };
  if (kept.notes > 2) return { ...kept, notes: Math.floor(kept.notes / 2) };
  if (kept.facts > 4) return { ...kept, facts: Math.floor(kept.facts / 2) };
  if (kept.lines > 8) return { ...kept, lines: Math.floor(Math.min(kept.lines, 80) / 2) };
  return { ...kept, length: Math.floor(kept.length / 2) };
}

function cut(message: Message, kept: Kept): Message {
  const short = (text: string) =>
    text.length > kept.length ? `${text.slice(0, kept.length - 1).toWellFormed()}…` : text;
  const { text, table, facts, notes, buttons } = message;
  const lines = text.split("\n");
  const pairs = Object.entries(facts ?? {});
  const rows = table?.rows.slice(0, kept.rows) ?? [];
  const left = [
    ...(table === undefined || rows.length === table.rows.length
      ? []
      : [more(table.rows.length - rows.length)]),
    ...(pairs.length > kept.facts ? [more(pairs.length - kept.facts)] : []),
    ...(notes ?? []).slice(0, kept.notes).map(short),
    ...(notes !== undefined && notes.length > kept.notes ? [more(notes.length - kept.notes)] : []),
  ];
  return {
    ...message,
    text: [
      ...lines.slice(0, kept.lines).map(short),
      ...(lines.length > kept.lines ? [more(lines.length - kept.lines)] : []),
    ].join("\n"),
    ...(message.title === undefined ? {} : { title: short(message.title) }),
    ...(facts === undefined
      ? {}
      : { facts: Object.fromEntries(pairs.slice(0, kept.facts).map(([k, v]) => [k, short(v)])) }),
    ...(table === undefined || rows.length === 0
      ? {}
      : { table: { columns: table.columns, rows: rows.map((row) => row.map(short)) } }),
    ...(left.length === 0 ? {} : { notes: left }),
    // Teams draws six.
    ...(buttons === undefined ? {} : { buttons: buttons.slice(0, 6) }),
  };
}

function more(n: number): string {
  return `… and ${n} more`;
}
