import { harmless, UserError } from "../engine/domain/errors.ts";

/** Checks a mailbox's name loosely: an address, or a bare user name. Answers what is wrong, or null. */
export function faultOfMailbox(name: string): string | null {
  if (name === "") return "is empty";
  if (name.length > 320) return "is longer than 320 characters";
  if (/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(name)) return "holds a control character";
  if (/\s/.test(name)) return "holds a space";
  if (/["*?%<>,;]/.test(name)) return 'holds one of " * ? % < > , ;';
  if (name.startsWith("@") || name.endsWith("@") || name.split("@").length > 2) {
    return "is not an address like anna@old.example";
  }
  return null;
}

/** A mailbox's name, or a refusal that says what is wrong with it. */
export function readAddress(name: string): string {
  const fault = faultOfMailbox(name);
  if (fault === null) return name;
  throw new UserError(
    `The name of the mailbox ${fault}; nothing was done. Write it like anna@new.example.`,
  );
}

/** Refuses words that can mean no mailbox, before they are repeated to anybody. */
export function refuseOdd(selection: string[]): void {
  const odd = selection.find((word) => word.length > 320 || harmless(word, 400) !== word);
  if (odd === undefined) return;
  throw new UserError(
    `${harmless(odd, 60)} is no mailbox; nothing was done. Type \`list\` to see them.`,
  );
}

/** Checks a project's or endpoint's name. */
export function readName(what: string, name: string | undefined, done = "made"): string {
  if (name !== undefined && /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u.test(name)) return name;
  throw new UserError(
    `A name for the ${what} is missing or unusable: letters, digits, dot, dash and underscore, at most 64; nothing was ${done}. Write it like acme.`,
  );
}
