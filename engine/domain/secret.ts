/** Values that must never be seen, in the forms they travel in. */
const known = new Set<string>();

/** A secret value that shows itself to nobody who does not ask: not to logs, JSON or string templates. */
export class Secret {
  readonly #value: string;
  /** `looked: false` for what a person typed that is no password: logs are not searched for it. */
  constructor(value: string, { looked = true }: { looked?: boolean } = {}) {
    this.#value = value;
    // Shorter ones would make holes in ordinary words, and no password is longer.
    if (!looked || value.length < 6 || value.length > 8192) return;
    known.add(value);
    known.add(encodeURIComponent(value));
    known.add(JSON.stringify(value).slice(1, -1));
    known.add(Buffer.from(value).toString("base64"));
    for (const part of withinBase64(value)) known.add(part);
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return "[secret]";
  }
  toJSON(): string {
    return "[secret]";
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

/** What of it stands in Base64 whatever is in front of it and behind, as in a SASL answer. */
function withinBase64(value: string): string[] {
  if (value.length < 8) return [];
  const bytes = Buffer.from(value);
  return [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "")
      .slice(before === 0 ? 0 : 4, -1),
  );
}

/**
 * The passwords in an address, as they stand there and as they are meant, are never to be seen from now on. Answers where
 * it leads: the address without its user, and without what stands behind a `?`. That of a file is left as it is.
 */
export function hidePassword(url: string): string {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(url) ?? [];
  if (scheme === undefined || rest === undefined) return url;
  const readable = URL.canParse(url);
  const [authority = ""] = /^[^/?#]*/.exec(rest) ?? [];
  // In what cannot be read a password may hold any sign: it is taken to go on to the last @.
  const asParsed = URL.parse(url)?.password ?? "";
  const passwords = [...passwordOf(readable ? authority : rest), ...passwordsAsked(rest), asParsed];
  for (const password of passwords) {
    for (const form of [password, unescapedIn(password)]) new Secret(form);
  }
  if (!readable) return scheme;
  const [path = ""] = rest.slice(authority.length).split(/[?#]/);
  return `${scheme}${authority.slice(authority.lastIndexOf("@") + 1)}${path}`;
}

/** Of `user:password@host`. */
function passwordOf(authority: string): string[] {
  const [, password] = /^[^:@]*:(.*)@/s.exec(authority) ?? [];
  return password === undefined ? [] : [password];
}

/** Of `?user=…&password=…`. */
function passwordsAsked(rest: string): string[] {
  const asked = rest.matchAll(/[?&#]([^=&#]*)=([^&#]*)/g);
  return [...asked].flatMap(([, name = "", value = ""]) =>
    /pass|pwd|secret|token/i.test(unescapedIn(name)) ? [value, value.replaceAll("+", " ")] : [],
  );
}

function unescapedIn(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The text without any secret this process has held: the last guard in front of logs and errors. */
export function scrub(text: string): string {
  let clean = text;
  for (const value of known) if (clean.includes(value)) clean = clean.replaceAll(value, "[secret]");
  return clean;
}

/** Seals secrets for the database: AES-256-GCM, with the key's id in the text and `place` as associated data. */
export interface Sealer {
  /** `place` says whose secret it is, like `endpoint/3/master`: a sealed text moved elsewhere does not open. */
  seal(secret: Secret, place: string): string;
  /** Throws `UserError` when the key is not there, the text was changed or it stands in another place. */
  open(sealed: string, place: string): Secret;
}
