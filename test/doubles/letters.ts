/** A letter for a test mailbox. `flags` without \Recent. */
export interface Letter {
  /** What is special about it, or its number. */
  name: string;
  /** Names from the top down. */
  folder: string[];
  date: Date;
  flags: string[];
  raw: Buffer;
}

export interface Wishes {
  seed?: number;
  count?: number;
  /** Letters are spread over these, first to last. */
  folders?: string[][];
  from?: Date;
  until?: Date;
  /** Bytes of a letter, about. */
  size?: { min: number; max: number };
}

/** Ordinary letters, no two alike. The same wishes give the same letters, for ever. */
export function letters(wishes: Wishes = {}): Letter[] {
  const random = dice(wishes.seed ?? 1);
  const folders = wishes.folders ?? [["INBOX"]];
  const from = (wishes.from ?? new Date("2025-11-01T00:00:00Z")).getTime();
  const until = (wishes.until ?? new Date("2026-11-01T00:00:00Z")).getTime();
  const size = wishes.size ?? { min: 400, max: 4000 };

  return Array.from({ length: wishes.count ?? 10 }, (_, number) => {
    const folder = folders[number % folders.length] ?? ["INBOX"];
    // Servers keep whole seconds.
    const date = new Date(Math.floor((from + random() * (until - from)) / 1000) * 1000);
    const body = words(random, size.min + Math.floor(random() * (size.max - size.min)));
    return letter(`letter ${number + 1}`, compose(number, wishes.seed ?? 1, date, body), {
      folder,
      date,
      flags: flagsBy(random),
    });
  });
}

/** A letter of exactly these bytes. */
function letter(
  name: string,
  raw: Buffer,
  rest: Partial<Omit<Letter, "name" | "raw">> = {},
): Letter {
  return {
    name,
    raw,
    folder: ["INBOX"],
    date: new Date("2026-03-01T12:00:00Z"),
    flags: [],
    ...rest,
  };
}

/**
 * Letters that mail servers and programs are known to stumble over; every one may be refused by a target,
 * none may be lost or spoil another. Without the 50 MB one: that is `hugeLetter`.
 */
export function extremes(folder: string[] = ["INBOX"]): Letter[] {
  const head = (subject: string) =>
    `From: a@old.example\r\nTo: b@old.example\r\nSubject: ${subject}\r\n`;
  const made: [string, string][] = [
    ["NUL in the body", `${head("nul in the body")}\r\nbefore\0after\r\n`],
    ["NUL in the header", `${head("nul\0in the header")}\r\nbody\r\n`],
    ["bare CR in the middle", `${head("bare cr")}\r\none\rtwo\r\n`],
    ["bare CR at the end", `${head("cr at the end")}\r\nlast line\r`],
    ["bare LF line ends", `${`${head("lf")}\r\n`.replaceAll("\r", "")}one\ntwo\n`],
    ["CR CR LF", `${head("crcrlf")}\r\none\r\r\ntwo\r\r\n`],
    ["no line end at the end", `${head("no line end")}\r\nthe end`],
    ["empty lines at the end", `${head("empty lines")}\r\nthe end\r\n\r\n\r\n\r\n`],
    ["a line of 200 KB", `${head("long line")}\r\n${"x".repeat(200 * 1024)}\r\n`],
    [
      "a header of 300 KB",
      `${head("long header")}X-Long: ${longHeader(300 * 1024)}\r\n\r\nbody\r\n`,
    ],
    [
      "one header line of 64 KB",
      `${head("long header line")}X-Long: ${"y".repeat(64 * 1024)}\r\n\r\nbody\r\n`,
    ],
    ["an empty body", `${head("empty body")}\r\n`],
    ["header only", head("header only")],
    ["no header", "\r\nonly a body, and no header before it\r\n"],
    ["no header and no empty line", "neither header nor empty line\r\n"],
    ["a body of 1 MB", `${head("1 MB")}\r\n${block(1024 * 1024)}`],
    ["eight-bit bytes that are no UTF-8", `${head("caf\xe9")}\r\n\xff\xfe\x80 caf\xe9\r\n`],
    [
      "a From line as in an mbox",
      `From a@old.example Thu Jan  1 00:00:00 1970\r\n${head("from line")}\r\nFrom here\r\n`,
    ],
    [
      "what looks like the end of a literal",
      `${head("literal")}\r\n)\r\nA1 OK done\r\n* BYE {12}\r\n+ go\r\n`,
    ],
    ["a single dot", `${head("dot")}\r\n.\r\n..\r\n.\r\n`],
    [
      "identical, the first",
      `${head("identical")}Message-ID: <twin@old.example>\r\n\r\nthe same twice\r\n`,
    ],
    [
      "identical, the second",
      `${head("identical")}Message-ID: <twin@old.example>\r\n\r\nthe same twice\r\n`,
    ],
  ];
  return made.map(([name, text]) => letter(name, Buffer.from(text, "latin1"), { folder }));
}

/** A message of no bytes at all, which most servers refuse. */
export function emptyLetter(folder: string[] = ["INBOX"]): Letter {
  return letter("no bytes at all", Buffer.alloc(0), { folder });
}

/** A letter with a body of so many megabytes (50), made when it is asked for. */
export function hugeLetter(megabytes = 50, folder: string[] = ["INBOX"]): Letter {
  const head = Buffer.from("From: a@old.example\r\nTo: b@old.example\r\nSubject: huge\r\n\r\n");
  return letter(
    `a body of ${megabytes} MB`,
    Buffer.concat([head, Buffer.from(block(megabytes * 1024 * 1024))]),
    {
      folder,
    },
  );
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const vocabulary =
  "offer invoice meeting Tuesday contract delivery thanks attached question garden lunch train report budget draft signature server weather".split(
    " ",
  );

function compose(number: number, seed: number, date: Date, body: string): Buffer {
  const head = [
    `From: Sender ${number % 7} <sender${number % 7}@old.example>`,
    "To: Reader <reader@old.example>",
    `Subject: Letter ${number + 1} of series ${seed}`,
    `Date: ${date.toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${number + 1}.${seed}@old.example>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}\r\n`);
}

function words(random: () => number, length: number): string {
  const lines: string[] = [];
  for (let written = 0; written < length; ) {
    let line = "";
    while (line.length < 64) line += `${vocabulary[Math.floor(random() * vocabulary.length)]} `;
    lines.push(line.trimEnd());
    written += line.length + 2;
  }
  return lines.join("\r\n");
}

function flagsBy(random: () => number): string[] {
  const flags: string[] = [];
  if (random() < 0.7) flags.push("\\Seen");
  if (random() < 0.2) flags.push("\\Answered");
  if (random() < 0.1) flags.push("\\Flagged");
  if (random() < 0.1) flags.push("$Forwarded");
  return flags;
}

function longHeader(length: number): string {
  const line = `${"h".repeat(70)}\r\n `;
  return `${line.repeat(Math.ceil(length / line.length))}end`;
}

function block(length: number): string {
  const line = `${"0123456789abcdef".repeat(4)}ABCDEFGHIJKL\r\n`;
  return line
    .repeat(Math.ceil(length / line.length))
    .slice(0, length - 2)
    .concat("\r\n");
}
