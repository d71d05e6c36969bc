/** A value in a server's answer: an atom or string (literals too, byte for byte), NIL, or a list. */
export type Value = Buffer | null | Value[];

/** One line of a server with the literals it held. */
export interface Reply {
  /** The line's bytes, literals left out. */
  line: string;
  /** `*`, `+` or the tag. */
  tag: string;
  values: Value[];
}

/** Cuts a stream into replies. `push` takes bytes as they come, `next` gives what is whole. */
export function replyReader(): { push(bytes: Buffer): void; next(): Reply | null } {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = 0;
  let scanned = 0;

  return {
    push(bytes) {
      chunks.push(bytes);
      held += bytes.length;
    },
    next() {
      if (held < needed || held === 0) return null;
      const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      chunks = [all];
      for (;;) {
        const end = all.indexOf("\r\n", scanned, "latin1");
        if (end === -1) {
          needed = held + 1;
          return null;
        }
        const literal = /\{(\d+)\}$/.exec(all.toString("latin1", Math.max(0, end - 24), end));
        if (literal === null) {
          chunks = all.length > end + 2 ? [all.subarray(end + 2)] : [];
          held -= end + 2;
          needed = 0;
          scanned = 0;
          return parse(all.subarray(0, end));
        }
        scanned = end + 2 + Number(literal[1]);
        if (scanned >= held) {
          needed = scanned + 2;
          return null;
        }
      }
    },
  };
}

function parse(bytes: Buffer): Reply {
  const space = bytes.indexOf(" ", 0, "latin1");
  const tag = bytes.toString("latin1", 0, space === -1 ? bytes.length : space);
  const firstLine = bytes.indexOf("\r\n", 0, "latin1");
  const line = bytes.toString("utf8", 0, firstLine === -1 ? bytes.length : firstLine);
  // Human text may hold anything: only untagged data is taken apart.
  if (tag !== "*" || /^\* (OK|NO|BAD|BYE|PREAUTH)\b/.test(line)) return { line, tag, values: [] };
  return { line, tag, values: list(bytes, space + 1).values };
}

function list(bytes: Buffer, from: number): { values: Value[]; at: number } {
  const values: Value[] = [];
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === 0x20) at += 1;
    else if (byte === 0x29) return { values, at: at + 1 };
    else if (byte === 0x28) {
      const inner = list(bytes, at + 1);
      values.push(inner.values);
      at = inner.at;
    } else if (byte === 0x22) {
      const end = closingQuote(bytes, at + 1);
      values.push(
        Buffer.from(bytes.toString("latin1", at + 1, end).replace(/\\(.)/g, "$1"), "latin1"),
      );
      at = end + 1;
    } else if (byte === 0x7b) {
      const brace = bytes.indexOf("}", at, "latin1");
      const length = Number(bytes.toString("latin1", at + 1, brace));
      values.push(bytes.subarray(brace + 3, brace + 3 + length));
      at = brace + 3 + length;
    } else {
      const end = atomEnd(bytes, at);
      const atom = bytes.subarray(at, end);
      values.push(atom.toString("latin1").toUpperCase() === "NIL" ? null : atom);
      at = end;
    }
  }
  return { values, at };
}

function closingQuote(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
  return at;
}

/** `BODY[HEADER.FIELDS (DATE)]` is one atom: spaces and parentheses inside brackets belong to it. */
function atomEnd(bytes: Buffer, from: number): number {
  let depth = 0;
  let at = from;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === 0x5b) depth += 1;
    else if (byte === 0x5d) depth -= 1;
    else if (depth <= 0 && (byte === 0x20 || byte === 0x28 || byte === 0x29)) break;
  }
  return at;
}

/** A folder name as it goes over the wire (RFC 3501 §5.1.3). */
export function encodeName(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === "&") return "&-";
    const utf16 = Buffer.from(run, "utf16le").swap16();
    return `&${utf16.toString("base64").replace(/=+$/, "").replaceAll("/", ",")}-`;
  });
}

/** A folder name as people read it; one that is no modified UTF-7 is left as it is. */
export function decodeName(wire: string): string {
  return wire.replace(/&([A-Za-z0-9+,]*)-/g, (_, run: string) => {
    if (run === "") return "&";
    const bytes = Buffer.from(run.replaceAll(",", "/"), "base64");
    return bytes
      .subarray(0, bytes.length & ~1)
      .swap16()
      .toString("utf16le");
  });
}
