/** Direction marks, invisible characters and those that move a cursor. */
const unseen = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/**
 * A text as it may stand in a text run: nothing that turns or hides what follows, no function that a card's
 * renderer would carry out (`{{DATE(…)}}`), cut to a length.
 */
export function plain(text: string, length = 200): string {
  const safe = text
    .replace(/[\t\r\n]+/g, " ")
    .replace(unseen, "")
    .toWellFormed();
  const cut = safe.length > length ? `${safe.slice(0, length - 1).toWellFormed()}…` : safe;
  return cut.replaceAll("{{", "{\u200a{");
}
