import type { SlackMessage, SlackState } from "./slack-state.ts";

type Json = Record<string, unknown>;

/** Slack says nowhere how long blocks may be together; messages a little over this have been refused. */
const mostTogether = 11_000;

/** Slack's word for blocks of a message that are too long together; null where they are taken. */
export function lengthFault(blocks: Json[]): string | null {
  return lettersIn(blocks) > mostTogether ? "msg_blocks_too_long" : null;
}

/** The letters of all texts, however deep. */
function lettersIn(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + lettersIn(one), 0);
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [name, one]) =>
      sum + (name === "text" && typeof one === "string" ? one.length : lettersIn(one)),
    0,
  );
}

/** Slack's word for what is wrong with blocks; null where they are taken. */
export function faultOf(blocks: Json[], state: SlackState): string | null {
  if (blocks.length > 50) return "invalid_blocks";
  const ids = blocks.flatMap((block) => list(block.elements)).map((one) => one.action_id);
  const named = ids.filter((id) => id !== undefined);
  if (new Set(named).size !== named.length) return "invalid_blocks";
  if (blocks.filter((block) => block.type === "table").length > 1) return "invalid_blocks";
  return blocks.every((block) => isTaken(block, state)) ? null : "invalid_blocks";
}

function isTaken(block: Json, state: SlackState): boolean {
  if (state.unknownBlocks.has(String(block.type))) return false;
  switch (block.type) {
    case "section":
      return between(textOf(block.text), 1, 3000);
    case "actions":
      return (
        between("x".repeat(list(block.elements).length), 1, 25) &&
        list(block.elements).every(isButton)
      );
    case "rich_text":
      return list(block.elements).length > 0 && runs(block).every((run) => textOf(run) !== "");
    case "table": {
      const rows = block.rows as Json[][];
      const all = rows.flat().map(textOf);
      return (
        rows.length <= 100 &&
        rows.every((row) => row.length <= 20) &&
        all.every((text) => text !== "") &&
        all.join("").length <= 10_000
      );
    }
    case "input":
      return between(textOf(block.label), 1, 2000);
    default:
      return false;
  }
}

function isButton(element: Json): boolean {
  const style =
    element.style === undefined || ["primary", "danger"].includes(String(element.style));
  return (
    element.type === "button" &&
    between(textOf(element.text), 1, 75) &&
    String(element.value).length <= 2000 &&
    style
  );
}

/** Everything a person reads in a message, as a client shows it. */
export function readIn({ text, blocks }: Pick<SlackMessage, "text" | "blocks">): string {
  if (blocks.length === 0) return unescaped(text).replace(/`/g, "").replaceAll("\u2060", "");
  return blocks
    .map((block) => {
      if (block.type === "rich_text") return runs(block).map(textOf).join("");
      if (block.type === "section") return textOf(block.text);
      if (block.type === "table") {
        return (block.rows as Json[][]).map((row) => row.map(textOf).join(" ")).join("\n");
      }
      return "";
    })
    .join("\n")
    .replaceAll("\u2060", "");
}

/** The buttons of a message. */
export function buttonsIn({
  blocks,
}: Pick<SlackMessage, "blocks">): { id: string; label: string; value: string }[] {
  return blocks
    .filter((block) => block.type === "actions")
    .flatMap((block) => list(block.elements))
    .map((one) => ({
      id: String(one.action_id),
      label: textOf(one.text),
      value: String(one.value),
    }));
}

/** The leaves of a rich text block. */
function runs(block: Json): Json[] {
  return list(block.elements).flatMap((element) =>
    element.elements === undefined ? [element] : runs(element),
  );
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function textOf(value: unknown): string {
  return typeof value === "object" && value !== null && "text" in value ? String(value.text) : "";
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value : [];
}

function between(text: string, least: number, most: number): boolean {
  return text.length >= least && text.length <= most;
}
