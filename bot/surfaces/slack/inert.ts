/** Direction marks, invisible characters and those that move a cursor; line ends are dealt with before. */
const unseen = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** Breaks a word without a trace, where a client would make something of it. */
const joint = "\u2060";

/**
 * A text for a place where Slack reads no markup: nothing that turns or hides what follows, and what clients
 * make links of by themselves is broken.
 */
export function still(text: string): string {
  return seen(text)
    .replace(/:\/\//g, `:${joint}//`)
    .replace(/\b(www)\./gi, `$1${joint}.`)
    .replace(/\b(mailto|tel|javascript|data):/gi, `$1${joint}:`);
}

/** One line without what is not seen. */
export function seen(text: string): string {
  return text
    .replace(/[\t\r\n\u2028\u2029\u0085]+/g, " ")
    .replace(unseen, "")
    .toWellFormed();
}

/**
 * A line for Slack's `text`, which is read as markup whatever is asked: the three signs are escaped, signs of
 * formatting that stand at the edge of a word are put in others that look like them.
 */
export function escaped(line: string): string {
  return still(line)
    .replace(/`/g, "\u02cb")
    .replace(/^(\s*)>/, "$1\u203a")
    .replace(/(?<![\p{L}\p{N}])[*_~]|[*_~](?![\p{L}\p{N}])/gu, (sign) => lookalike[sign] ?? sign)
    .replace(/:(?=[a-z0-9_+'-]+:)/gi, `:${joint}`)
    .replace(/@(?=here|channel|everyone|group)/gi, `@${joint}`)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;");
}

const lookalike: Record<string, string> = { "*": "\u2217", _: "\uff3f", "~": "\u223c" };

/** At most so many characters, whole ones. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}
