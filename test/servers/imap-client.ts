import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { decodeName, encodeName, type Reply, replyReader, type Value } from "./imap-wire.ts";

/** How a command ended. */
export interface Answer {
  status: "OK" | "NO" | "BAD";
  /** What stands behind the status. */
  text: string;
  /** Untagged lines that came before it. */
  lines: Reply[];
}

/** A message to put into a folder. */
export interface Mail {
  body: Buffer | string;
  flags?: string[];
  /** Milliseconds since 1970. */
  date?: number;
}

/** A message as it stands in a folder. */
export interface StoredMail {
  uid: number;
  /** Sorted, without \Recent. */
  flags: string[];
  /** As the server wrote it. */
  internalDate: string;
  date: number;
  size: number;
  /** SHA-256 of the bytes. */
  exact: string;
  /** SHA-256 of the bytes with every line end made CRLF. */
  sha: string;
}

/** A folder as it stands. */
export interface StoredFolder {
  uidValidity: number;
  uidNext: number;
  highestModseq: number | null;
  messages: StoredMail[];
}

/** A whole mailbox, by decoded folder name. */
export type Dump = Map<string, StoredFolder>;

export interface ListedFolder {
  name: string;
  delimiter: string | null;
  attributes: string[];
}

/**
 * A small IMAP client that shares nothing with the engine, so that it can bear witness. Folder names
 * are as people read them. A command that fails throws unless it was sent by `command`.
 */
export interface RawClient extends AsyncDisposable {
  /** Sends one line; `onLine` takes untagged lines instead of the answer. */
  command(line: string, onLine?: (reply: Reply) => void): Promise<Answer>;
  create(folder: string): Promise<void>;
  list(): Promise<ListedFolder[]>;
  append(folder: string, mail: Mail): Promise<Answer>;
  /** Some hundreds in one command (MULTIAPPEND); throws when one of them is refused. */
  appendMany(folder: string, mails: Iterable<Mail>): Promise<void>;
  /** Every folder with every message, read without leaving a trace. */
  dump(): Promise<Dump>;
  /** The bytes of one message. */
  body(folder: string, uid: number): Promise<Buffer>;
  /** Changes flags: `+FLAGS (\Seen)`. */
  store(folder: string, uids: string, change: string): Promise<void>;
  /** Takes messages out of a folder for good. */
  expunge(folder: string, uids: string): Promise<void>;
}

/** Connects without TLS and logs in. */
export async function openClient(to: {
  host: string;
  port: number;
  user: string;
  password: string;
}): Promise<RawClient> {
  const wire = await openWire(to.host, to.port);
  const must = async (line: string, onLine?: (reply: Reply) => void) => {
    const answer = await wire.send([line], onLine);
    if (answer.status !== "OK") throw new Error(`${line}: ${answer.status} ${answer.text}`);
    return answer;
  };
  await must(`LOGIN ${quoted(to.user)} ${quoted(to.password)}`);

  const client: RawClient = {
    command: (line, onLine) => wire.send([line], onLine),
    async create(folder) {
      await must(`CREATE ${name(folder)}`);
    },
    async list() {
      const { lines } = await must('LIST "" "*"');
      return lines.filter(({ values }) => text(values[0]) === "LIST").map(asFolder);
    },
    append: (folder, mail) => wire.send(appendOf(folder, mail)),
    async appendMany(folder, mails) {
      for (const some of chunksOf(mails, 200)) {
        const parts = some.flatMap((mail, nth) => appendOf(nth === 0 ? folder : null, mail));
        const answer = await wire.send(parts);
        if (answer.status !== "OK") throw new Error(`APPEND: ${answer.status} ${answer.text}`);
      }
    },
    async dump() {
      const dump: Dump = new Map();
      for (const folder of await client.list()) {
        if (folder.attributes.some((attribute) => /^\\no(select|nexistent)$/i.test(attribute)))
          continue;
        dump.set(folder.name, await dumpFolder(folder.name, must));
      }
      return dump;
    },
    async body(folder, uid) {
      await must(`EXAMINE ${name(folder)}`);
      let bytes: Buffer | null = null;
      await must(`UID FETCH ${uid} (UID BODY.PEEK[])`, (reply) => {
        bytes = fetched(reply)?.get("BODY[]") as Buffer;
      });
      if (bytes === null) throw new Error(`there is no message ${uid} in ${folder}`);
      return bytes;
    },
    async store(folder, uids, change) {
      await must(`SELECT ${name(folder)}`);
      await must(`UID STORE ${uids} ${change}`);
    },
    async expunge(folder, uids) {
      await must(`SELECT ${name(folder)}`);
      await must(`UID STORE ${uids} +FLAGS.SILENT (\\Deleted)`);
      await must(`UID EXPUNGE ${uids}`);
    },
    [Symbol.asyncDispose]: () => wire.close(),
  };
  return client;
}

async function dumpFolder(
  folder: string,
  must: (line: string, onLine?: (reply: Reply) => void) => Promise<Answer>,
): Promise<StoredFolder> {
  // Asked for by name: Dovecot tells the HIGHESTMODSEQ of a folder only once somebody has.
  const opened = await must(`EXAMINE ${name(folder)} (CONDSTORE)`);
  const all = [...opened.lines.map(({ line }) => line)].join("\n");
  const number = (what: string) => {
    const found = new RegExp(`\\[${what} (\\d+)\\]`).exec(all);
    return found === null ? null : Number(found[1]);
  };
  const messages: StoredMail[] = [];
  await must("UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])", (reply) => {
    const values = fetched(reply);
    if (values?.has("BODY[]")) messages.push(asStored(values));
  });
  messages.sort((a, b) => a.uid - b.uid);
  return {
    uidValidity: number("UIDVALIDITY") ?? 0,
    uidNext: number("UIDNEXT") ?? 0,
    highestModseq: number("HIGHESTMODSEQ"),
    messages,
  };
}

function asStored(values: Map<string, Value>): StoredMail {
  const body = values.get("BODY[]") as Buffer;
  const flags = (values.get("FLAGS") as Buffer[]).map(String);
  const internalDate = text(values.get("INTERNALDATE"));
  return {
    uid: Number(text(values.get("UID"))),
    flags: flags.filter((flag) => flag.toLowerCase() !== "\\recent").sort(),
    internalDate,
    date: Date.parse(internalDate),
    size: Number(text(values.get("RFC822.SIZE"))),
    exact: createHash("sha256").update(body).digest("hex"),
    sha: createHash("sha256").update(withCrlf(body)).digest("hex"),
  };
}

/** Every line end as CRLF; a lone CR is no line end. */
function withCrlf(body: Buffer): Buffer {
  return Buffer.from(body.toString("latin1").replace(/\r?\n/g, "\r\n"), "latin1");
}

function fetched({ values }: Reply): Map<string, Value> | null {
  if (text(values[1]) !== "FETCH" || !Array.isArray(values[2])) return null;
  const pairs = new Map<string, Value>();
  for (let at = 0; at < values[2].length; at += 2) {
    pairs.set(text(values[2][at]).toUpperCase(), values[2][at + 1] ?? null);
  }
  return pairs;
}

function asFolder({ values }: Reply): ListedFolder {
  return {
    attributes: (values[1] as Buffer[]).map(String),
    delimiter: values[2] === null ? null : text(values[2]),
    name: decodeName(text(values[3])),
  };
}

function text(value: Value | undefined): string {
  return Buffer.isBuffer(value) ? value.toString("utf8") : "";
}

function name(folder: string): string {
  return quoted(encodeName(folder));
}

function quoted(word: string): string {
  return `"${word.replace(/["\\]/g, "\\$&")}"`;
}

/** The parts of an APPEND; without a folder, those of one more message of the same command. */
function appendOf(folder: string | null, mail: Mail): (string | Buffer)[] {
  const body = typeof mail.body === "string" ? Buffer.from(mail.body) : mail.body;
  const flags = mail.flags === undefined ? "" : `(${mail.flags.join(" ")}) `;
  const date = mail.date === undefined ? "" : `"${wireDate(mail.date)}" `;
  const start = folder === null ? "" : `APPEND ${name(folder)}`;
  return [`${start} ${flags}${date}{${body.length}+}`, body];
}

function* chunksOf(mails: Iterable<Mail>, most: number): Generator<Mail[]> {
  let chunk: Mail[] = [];
  for (const mail of mails) {
    chunk.push(mail);
    if (chunk.length < most) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function wireDate(date: number): string {
  const [, day, month, year, time] = /(\d\d) (\w+) (\d+) (\S+)/.exec(new Date(date).toUTCString())!;
  return `${day}-${month}-${year} ${time} +0000`;
}

interface Wire {
  /** Lines and literals of one command; the last line end is added. */
  send(parts: (string | Buffer)[], onLine?: (reply: Reply) => void): Promise<Answer>;
  close(): Promise<void>;
}

async function openWire(host: string, port: number): Promise<Wire> {
  const socket = connect({ host, port, noDelay: true });
  const reader = replyReader();
  const waiting: {
    tag: string;
    lines: Reply[];
    onLine?: (reply: Reply) => void;
    done(answer: Answer): void;
    fail(error: Error): void;
  }[] = [];
  let count = 0;
  const greeted = new Promise<void>((resolve, reject) => {
    socket.on("data", (bytes) => {
      reader.push(bytes);
      for (let reply = reader.next(); reply !== null; reply = reader.next()) {
        resolve();
        const first = waiting[0];
        if (reply.tag === "*" && first !== undefined)
          (first.onLine ?? ((one) => first.lines.push(one)))(reply);
        if (first === undefined || reply.tag !== first.tag) continue;
        waiting.shift();
        const [, status = "BAD", rest = ""] = /^\S+ (\S+) ?(.*)$/s.exec(reply.line) ?? [];
        first.done({ status: status as Answer["status"], text: rest, lines: first.lines });
      }
    });
    socket.on("error", reject);
    socket.on("close", () => {
      reject(new Error("the connection ended"));
      for (const one of waiting.splice(0)) one.fail(new Error("the connection ended"));
    });
  });
  await greeted;

  return {
    send(parts, onLine) {
      const tag = `t${++count}`;
      socket.cork();
      socket.write(`${tag} `);
      for (const part of parts) socket.write(typeof part === "string" ? `${part}\r\n` : part);
      if (Buffer.isBuffer(parts.at(-1))) socket.write("\r\n");
      socket.uncork();
      return new Promise((done, fail) => waiting.push({ tag, lines: [], onLine, done, fail }));
    },
    async close() {
      if (socket.destroyed) return;
      const closed = once(socket, "close");
      socket.end("bye LOGOUT\r\n");
      await closed;
    },
  };
}
