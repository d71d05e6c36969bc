/** What Slack would make of a message's `text`, were it read as markup; what it makes of nothing is not listed. */
export function aliveInText(text: string): string[] {
  // Slack formats nothing in code, and takes no marks of its own from there once they are escaped.
  const bare = text.replace(/`[^`\n]+`/g, "code");
  const edge = String.raw`(?<![\p{L}\p{N}])`;
  const kinds: [string, RegExp][] = [
    ["mark", /<[^>]*>?/],
    ["entity", /&(?!amp;|lt;|gt;)/],
    ["link", /\w:\/\/|\bwww\.|\b(mailto|tel|javascript):/i],
    ["mention", /@(here|channel|everyone)/i],
    ["emoji", /:[a-z0-9_+'-]+:/i],
    ["quote", /^\s*(&gt;|>)/m],
    ["fence", /```/],
    ["format", new RegExp(String.raw`${edge}([*_~])(?!\s)[^\n]*?\S\1(?![\p{L}\p{N}])`, "u")],
    ["hidden", hidden],
  ];
  return kinds.flatMap(([kind, sign]) => {
    const found = sign.exec(kind === "hidden" ? text : bare);
    return found === null ? [] : [`${kind} ${JSON.stringify(found[0])}`];
  });
}

const hidden =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** The kinds of Block Kit that show a text as it is. */
const inertKinds = new Set([
  "rich_text",
  "rich_text_section",
  "text",
  "table",
  "raw_text",
  "section",
  "plain_text",
  "actions",
  "button",
]);

/** What is alive in blocks: a kind that reads markup, a link that a client makes, what is not seen. */
export function aliveInBlocks(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(aliveInBlocks);
  if (typeof value !== "object" || value === null) return [];
  const block = value as Record<string, unknown>;
  const faults = Object.entries(block).flatMap(([name, inner]) => {
    // The value of a button is never shown.
    if (name === "value" || typeof inner !== "string") return aliveInBlocks(inner);
    const isCode = (block.style as { code?: boolean } | undefined)?.code === true;
    if (name !== "text") return [];
    if (!isCode && /\w:\/\/|\bwww\./i.test(inner)) return [`link ${inner}`];
    return hidden.test(inner) && inner !== "\n" ? [`hidden ${JSON.stringify(inner)}`] : [];
  });
  const kind = String(block.type);
  if (block.type !== undefined && !inertKinds.has(kind)) faults.push(`kind ${kind}`);
  if (kind === "plain_text" && block.emoji !== false) faults.push("emoji");
  return faults;
}
