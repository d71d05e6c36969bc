import { harmless, UserError } from "../engine/domain/errors.ts";
import type { Command, Option, Words } from "./command.ts";
import { nearest } from "./nearest.ts";

/** A line understood as far as the table goes: the command, and the words it is to make sense of. */
export interface Parsed {
  command: Command;
  words: Words;
}

/**
 * Finds the command a line means and sorts its words. Undoes what chat clients do while people type.
 * Throws `UserError` that says what to type instead, and never repeats what looks like a secret.
 */
export function parse(text: string, commands: Command[]): Parsed {
  const typed = withoutAddress(tokenise(text));
  refuseSecrets(typed);
  if (typed.length === 0) typed.push({ text: "help", quoted: false });
  const { command, rest } = find(typed, commands);
  return { command, words: sort(rest, command) };
}

/** A word, and whether quotes stood around it: then it is no option. */
export interface Token {
  text: string;
  quoted: boolean;
}

/** Splits a line into words: quotes, smart quotes, long dashes, links and entities as chat clients make them. */
export function tokenise(text: string): Token[] {
  const line = unwrap(text);
  const tokens: Token[] = [];
  let at = 0;
  while (at < line.length) {
    const here = line[at] ?? "";
    if (/\s/.test(here)) {
      at += 1;
      continue;
    }
    let word = "";
    const quoted = quote(here) !== null;
    while (at < line.length && !/\s/.test(line[at] ?? "")) {
      const closing = quote(line[at] ?? "");
      // An apostrophe inside a word is a letter; a quote after = or at the start opens.
      const opens = closing !== null && (closing === '"' || word === "" || word.endsWith("="));
      if (!opens) {
        word += line[at];
        at += 1;
        continue;
      }
      const end = closed(line, at + 1, closing);
      if (end < 0) {
        throw new UserError(
          'A quotation mark is opened and not closed; nothing was done. Type both, as in `--note "order 4711"`.',
        );
      }
      word += line.slice(at + 1, end);
      at = end + 1;
    }
    tokens.push({ text: quoted ? word : word.replace(/^[—–](?=\p{L})/u, "--"), quoted });
  }
  return tokens;
}

/** Links, entities and invisible characters back to what the person typed. */
function unwrap(text: string): string {
  const plain = text
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu, "")
    .replace(/<((?:https?|imaps?|mailto|tel):[^<>|\s]*)(?:\|([^<>]*))?>/gi, (_, link, label) =>
      label === undefined || label === "" ? link.replace(/^(mailto|tel):/i, "") : label,
    )
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, "&");
  if (/[^\P{Cc}\t\n\r]/u.test(plain)) {
    throw new UserError(
      "The line holds a control character; nothing was done. Type it by hand instead of pasting it.",
    );
  }
  if (plain.length > 20_000) {
    throw new UserError(
      "The line is too long; nothing was done. For many mailboxes type `import <file.csv>`.",
    );
  }
  return plain;
}

/** What closes the quote that this character opens; null when it opens none. */
function quote(character: string): '"' | "'" | null {
  if (/["“”„«»]/.test(character)) return '"';
  if (/['‘’‚]/.test(character)) return "'";
  return null;
}

function closed(line: string, from: number, closing: '"' | "'"): number {
  for (let at = from; at < line.length; at += 1) {
    if (quote(line[at] ?? "") !== closing) continue;
    // In 'it's here' the middle one is an apostrophe.
    if (closing === '"' || /^(\s|$)/.test(line.slice(at + 1, at + 2))) return at;
  }
  return -1;
}

/** Without the name we are called by: `/migrate`, `@migrate`, `migrate`, a mention. */
function withoutAddress(tokens: Token[]): Token[] {
  const first = tokens[0]?.text ?? "";
  return /^[/@]?migrate$/i.test(first) || /^<@[\w|.-]+>$/.test(first) ? tokens.slice(1) : tokens;
}

const secretWord = /pass|pwd|secret|token|kennwort|credential/i;

function refuseSecrets(tokens: Token[]): void {
  const found = tokens.some(({ text, quoted }) => {
    const option = quoted ? null : /^--?([^=\s]+)/.exec(text);
    if (option !== null)
      return secretWord.test(option[1] ?? "") && !/^password-env$/i.test(option[1] ?? "");
    return (
      /^[\w.-]*(pass(word|wd|wort)?|pwd|secret|token|kennwort)\s*[=:]\s*\S/i.test(text) ||
      /^[a-z][\w+.-]*:\/\/[^/?#]*:[^/?#]*@/i.test(text)
    );
  });
  if (!found) return;
  throw new UserError(
    "That looks like a password, and passwords are never typed into a chat. It is not repeated here and nothing was done; others may have seen it, so change it. On the machine Godwit runs on, type `--password-env NAME` with the name of a variable that holds it.",
  );
}

function find(tokens: Token[], commands: Command[]): { command: Command; rest: Token[] } {
  const [first = "", second = ""] = tokens.map((token) => token.text.toLowerCase());
  for (const [name, length] of [
    [`${first} ${second}`, 2],
    [first, 1],
  ] as const) {
    const command = commands.find((one) => one.name === name);
    if (command !== undefined) return { command, rest: tokens.slice(length) };
  }
  const family = commands.filter((one) => one.name.startsWith(`${first} `));
  if (family.length > 0) {
    const names = family.map((one) => one.name);
    const near = nearest(`${first} ${second}`, names);
    const all = names.map((name) => `\`${name}\``).join(", ");
    if (second === "" || !/^[a-z-]{1,20}$/.test(second)) {
      throw new UserError(
        `\`${first}\` needs one more word; nothing was done. Type one of ${all}.`,
      );
    }
    throw new UserError(
      near === null
        ? `There is no \`${first} ${second}\`; nothing was done. Type one of ${all}.`
        : `Did you mean \`${near}\`? Nothing was done. \`help ${first}\` shows all of them.`,
    );
  }
  const near = nearest(first, [...new Set(commands.map((one) => one.name.split(" ")[0] ?? ""))]);
  if (near !== null) {
    throw new UserError(
      `Did you mean \`${near}\`? Nothing was done. Type \`help\` to see all commands.`,
    );
  }
  // What is no plain word may be something pasted by mistake: it is not repeated.
  const said = /^[a-z-]{1,20}$/.test(first)
    ? `“${first}” is not a command`
    : "That is not a command";
  throw new UserError(`${said}; nothing was done. Type \`help\` to see all of them.`);
}

function sort(tokens: Token[], command: Command): Words {
  const args: string[] = [];
  const options = new Map<string, string>();
  for (let at = 0; at < tokens.length; at += 1) {
    const { text, quoted } = tokens[at] ?? { text: "", quoted: true };
    const match = quoted ? null : /^--?([\p{L}][^=]*)(?:=(.*))?$/su.exec(text);
    if (match === null) {
      if (text.startsWith("--") && !quoted) throw unknownOption(text, command);
      args.push(text);
      continue;
    }
    const name = (match[1] ?? "").toLowerCase();
    const option = text.startsWith("--") ? command.options[name] : undefined;
    if (option === undefined) throw unknownOption(name, command);
    if (option.later !== undefined) throw new UserError(option.later);
    if (options.has(name)) {
      throw new UserError(`\`--${name}\` is given twice; nothing was done. Type it once.`);
    }
    if (option.value === null) {
      if (match[2] !== undefined) {
        throw new UserError(`\`--${name}\` takes no value; nothing was done. Type it alone.`);
      }
      options.set(name, "");
      continue;
    }
    options.set(name, match[2] ?? valueAfter(tokens, at, name, option, command));
    if (match[2] === undefined) at += 1;
    if (options.get(name) === "") throw missing(name, option, command);
  }
  return { args, options };
}

function valueAfter(
  tokens: Token[],
  at: number,
  name: string,
  option: Option,
  command: Command,
): string {
  const next = tokens[at + 1];
  if (next === undefined || (!next.quoted && next.text.startsWith("--"))) {
    throw missing(name, option, command);
  }
  return next.text;
}

function missing(name: string, option: Option, command: Command): UserError {
  return new UserError(
    `\`--${name}\` needs a value: \`--${name} ${option.value}\`. Nothing was done. \`help ${command.name}\` shows how it is typed.`,
  );
}

function unknownOption(name: string, command: Command): UserError {
  const names = Object.keys(command.options);
  const near = nearest(name.replace(/^-+/, ""), names);
  if (near !== null) {
    return new UserError(
      `Did you mean \`--${near}\`? Nothing was done. \`help ${command.name}\` shows the options.`,
    );
  }
  const known = names.map((one) => `\`--${one}\``).join(", ");
  return new UserError(
    `\`${command.name}\` does not know the option ${harmless(name, 30).replace(/^-*/, "--")}; nothing was done. ${known === "" ? "It has none" : `It knows ${known}`}.`,
  );
}
