import { harmless } from "../engine/domain/errors.ts";
import { scrub } from "../engine/domain/secret.ts";

export const hidden = "[secret]";

/** How much of one text is looked at for what is named like a secret; the rest of it is cut off. */
const looked = 64_000;

/**
 * A text as a log may hold it, at most `limit` characters: without any secret this process has held, without what is
 * named like one or has the form of one, harmless, and its lines kept where `lines` says so.
 */
export function redactText(text: string, { limit = 2_000, lines = 1 } = {}): string {
  // Before anything is cut or folded: half a secret is not found any more.
  const plain = withoutNamed(withoutFormed(scrub(text).slice(0, looked)));
  const kept = lines === 1 ? [plain] : plain.split("\n").slice(0, lines);
  return cut(kept.map((line) => indented(line, limit)).join("\n"), limit);
}

/** Whether a value under this name is nobody's to read: `password`, `apiKey`, `set-cookie`, `connectionString`, … */
export function isSecretName(name: string): boolean {
  return secretName.test(name.replace(/[^a-z0-9]/gi, ""));
}

const secretName =
  /pass(?:word|wd|phrase|code)?$|passw|^pwd|^pw$|secret|token$|^tokens?|authorization|^auth$|cookie|credential|keys?$|keymaterial|^pfx$|^sig$|connectionstring|^dsn$|(?:database|queue|redis|postgres|connection)ur[il]$|assertion|jwt|bearer|sasl|signature$|^sealed$/i;

/** What is a secret by its form, whatever it is called. */
const forms: [form: RegExp, instead: string][] = [
  // A user's password in an address, up to the last @ of the word.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/?#@"'<>]*:)[^\s"'<>]{1,512}@/gi, `$1${hidden}@`],
  [/\b(Bearer\s+)[\w.~+/=-]{6,}/gi, `$1${hidden}`],
  // “Basic authentication” is a word of mail servers; Base64 has a figure or a sign in it.
  [/\b(Basic\s+)(?=[A-Za-z]*[\d+/=])[A-Za-z0-9+/=]{8,}/gi, `$1${hidden}`],
  [
    /\b(AUTH(?:ENTICATE)?\s+(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5|SCRAM-SHA-\d+)\s+)[A-Za-z0-9+/=]{12,}/gi,
    `$1${hidden}`,
  ],
  [/\b(LOGIN\s+(?:"[^"]{0,300}"|[^\s"]{1,300})\s+)"(?:[^"\\]|\\.){0,600}"/g, `$1${hidden}`],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, hidden],
  [/\b(?:xox[a-z]|xapp)-[\w-]{8,}/g, hidden],
  [
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
    hidden,
  ],
  [/(<[\w:]*(?:password|secret|token)\w*>)[^<]*/gi, `$1${hidden}`],
  // What our own sealer made.
  [/\bv1\.[\w-]{1,40}\.[\w-]{16}\.[\w-]*\.[\w-]{22}/g, hidden],
];

function withoutFormed(text: string): string {
  return forms.reduce((left, [form, instead]) => left.replace(form, instead), text);
}

/** A name, quoted or not and however often escaped, and the sign before its value. */
const named = /(?<!\w)([A-Za-z][\w.-]{1,60})(\\*["'])?\s{0,4}(?:[:=]|=>)\s{0,4}/g;

/** `password=…`, `"token": "…"`, `Cookie: …`: the name stays, the value goes. */
function withoutNamed(text: string): string {
  let left = "";
  let from = 0;
  for (const match of text.matchAll(named)) {
    const [all, name = ""] = match;
    const begins = match.index + all.length;
    if (match.index < from || !isSecretName(name)) continue;
    const ends = endOfValue(text, begins, /cookie|authorization/i.test(name));
    if (ends === begins) continue;
    left += text.slice(from, begins) + hidden;
    from = ends;
  }
  return left + text.slice(from);
}

/** Of a quoted value behind its closing quote; of a header behind its line; else before the next blank or sign. */
function endOfValue(text: string, from: number, wholeLine: boolean): number {
  if (/[[{(]/.test(text[from] ?? "")) return endOfGroup(text, from);
  const opening = /^(\\*)(["'`])/.exec(text.slice(from, from + 40));
  if (opening === null) {
    const rest = (wholeLine ? /[^\r\n"'\\]*/y : /[^\s"'`,;&{}[\]()<>\\]*/y) satisfies RegExp;
    rest.lastIndex = from;
    return from + (rest.exec(text)?.[0].length ?? 0);
  }
  const [whole, escapes = "", quote = ""] = opening;
  let at = from + whole.length;
  for (;;) {
    at = text.indexOf(quote, at);
    if (at === -1) return text.length;
    let slashes = 0;
    while (text[at - 1 - slashes] === "\\") slashes += 1;
    at += 1;
    // More of them than before the opening quote: it belongs to the value.
    if (slashes <= escapes.length) return at;
  }
}

/** Behind the bracket that closes this one; the rest of the text where none does. */
function endOfGroup(text: string, from: number): number {
  let open = 0;
  for (let at = from; at < text.length; at += 1) {
    if (/[[{(]/.test(text[at] ?? "")) open += 1;
    if (/[\]})]/.test(text[at] ?? "")) open -= 1;
    if (open === 0) return at + 1;
  }
  return text.length;
}

/** As `harmless`, and with the blanks at its beginning: a stack is read by them. */
function indented(line: string, limit: number): string {
  const [blanks = ""] = /^ {0,8}/.exec(line) ?? [];
  return blanks + harmless(line, limit);
}

function cut(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}
