import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

// A small IMAP server that does as it is told. A mailbox is called by its misdeed; every other one is honest.

/** One command as a misdeed meets it. */
export interface Talk {
  /** Without its tag, literals left out: `UID FETCH 1:3 (UID)`. */
  command: string;
  tag: string;
  /** How often this mailbox was asked for the like before, over all its connections. */
  nth: number;
  /** Ends when it was taken, or the client is gone. */
  send(bytes: string | Buffer): Promise<void>;
  /** False once the client is gone. */
  alive(): boolean;
  end(): void;
}

/** Answers a command its own way; false leaves it to the honest server. */
export type Misdeed = (talk: Talk) => Promise<boolean> | boolean;

export interface Letter {
  uid: number;
  body: Buffer;
  flags: string;
}

export interface HostileServer extends AsyncDisposable {
  host: string;
  port: number;
  /** Every command, with the mailbox before it: `anna: LIST "" "*"`. */
  commands: string[];
  /** What stands in a mailbox's folder. */
  letters(mailbox: string, folder: string): Letter[];
}

export interface HostileOptions {
  misdeeds?: Record<string, Misdeed>;
  /** Beside those an honest server needs. */
  capabilities?: string;
  /** In the place of the greeting. */
  greet?: (socket: Socket) => void;
}

/** Mailboxes have two folders with letters when they are first seen, unless they end in `.new`. */
export const standing = { INBOX: 3, Work: 2 };

/** The n-th letter of a mailbox's folder. */
export function letterOf(mailbox: string, folder: string, n: number): Buffer {
  return Buffer.from(`Subject: ${folder} ${n}\r\n\r\nletter ${n} of ${mailbox}\r\n`);
}

/** Starts it on a free port of the loopback address. Who logs in as `kind@host*master` has the mailbox `kind`. */
export async function startHostile(options: HostileOptions = {}): Promise<HostileServer> {
  const mailboxes = new Map<string, Map<string, Letter[]>>();
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const open = (mailbox: string) => {
    const there = mailboxes.get(mailbox) ?? filled(mailbox);
    mailboxes.set(mailbox, there);
    return there;
  };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    if (options.greet !== undefined) options.greet(socket);
    else void serve(socket, open, commands, options).catch(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    commands,
    letters: (mailbox, folder) => open(mailbox).get(folder) ?? [],
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

function filled(mailbox: string): Map<string, Letter[]> {
  if (mailbox.endsWith(".new")) return new Map([["INBOX", []]]);
  return new Map(
    Object.entries(standing).map(([folder, count]) => [
      folder,
      Array.from({ length: count }, (_, n) => ({
        uid: n + 1,
        body: letterOf(mailbox, folder, n + 1),
        flags: "",
      })),
    ]),
  );
}

async function serve(
  socket: Socket,
  open: (mailbox: string) => Map<string, Letter[]>,
  commands: string[],
  options: HostileOptions,
): Promise<void> {
  let mailbox = "";
  let folder = "INBOX";
  const alive = () => !socket.destroyed;
  const send = async (bytes: string | Buffer) => {
    if (alive()) await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  };
  await send("* OK ready\r\n");
  for await (const { line, literals } of lines(socket, send)) {
    const [, tag = "", command = ""] = /^(\S+) (.*)$/s.exec(line) ?? [];
    if (mailbox === "" && /^AUTHENTICATE|^LOGIN/i.test(command)) {
      mailbox = userOf(command, literals);
      commands.push(`${mailbox}: LOGIN`);
      await send(`${tag} OK in\r\n`);
      continue;
    }
    const like = `${mailbox}: ${command.split(" ").slice(0, 2).join(" ")}`;
    const nth = commands.filter((one) => one.startsWith(like)).length;
    commands.push(`${mailbox}: ${command}`);
    const talk: Talk = { command, tag, nth, send, alive, end: () => socket.destroy() };
    if ((await options.misdeeds?.[mailbox]?.(talk)) === true) continue;
    const [, opened] = /^(?:EXAMINE|SELECT) "([^"]*)"/.exec(command) ?? [];
    if (opened !== undefined) folder = opened;
    const offers = `IMAP4rev1 UIDPLUS AUTH=PLAIN SPECIAL-USE ${options.capabilities ?? ""}`;
    await send(
      honest(command, tag, mailbox === "" ? new Map() : open(mailbox), folder, literals, offers),
    );
    if (/^LOGOUT/i.test(command)) socket.end();
  }
}

function honest(
  command: string,
  tag: string,
  mailbox: Map<string, Letter[]>,
  folder: string,
  literals: Buffer[],
  offers: string,
): string {
  const ok = `${tag} OK done\r\n`;
  const [verb = ""] = command.toUpperCase().split(" ");
  const [, name = "INBOX"] = /"([^"]*)"/.exec(command) ?? [];
  const named = mailbox.get(name);
  const next = (letters: Letter[]) => (letters.at(-1)?.uid ?? 0) + 1;
  switch (verb) {
    case "CAPABILITY":
      return `* CAPABILITY ${offers}\r\n${ok}`;
    case "LIST":
      return `${[...mailbox.keys()].map((one) => `* LIST () "/" "${one}"\r\n`).join("")}${ok}`;
    case "STATUS":
      if (named === undefined) return `${tag} NO none\r\n`;
      return `* STATUS "${name}" (MESSAGES ${named.length} UIDNEXT ${next(named)} UIDVALIDITY 7)\r\n${ok}`;
    case "EXAMINE":
    case "SELECT":
      if (named === undefined) return `${tag} NO none\r\n`;
      return `* ${named.length} EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT ${next(named)}] n\r\n${ok}`;
    case "CREATE":
      mailbox.set(name, []);
      return ok;
    case "APPEND": {
      if (named === undefined) return `${tag} NO [TRYCREATE] none\r\n`;
      const uid = next(named);
      const [, flags = ""] = /\(([^)]*)\)/.exec(command) ?? [];
      named.push({ uid, body: literals.at(-1) ?? Buffer.alloc(0), flags });
      return `${tag} OK [APPENDUID 7 ${uid}] done\r\n`;
    }
    case "UID":
      return `${fetched(command, mailbox.get(folder) ?? [])}${ok}`;
    default:
      return ok;
  }
}

/** The answers to `UID FETCH`. */
export function fetched(command: string, letters: Letter[]): string {
  const [, set = "", items = ""] = /^UID FETCH (\S+) (.*)$/i.exec(command) ?? [];
  const [, from, length] = /<(\d+)\.(\d+)>/.exec(items) ?? [];
  return letters
    .map(({ uid, body, flags }, at) => {
      if (!within(set, uid)) return "";
      const part = from === undefined ? body : body.subarray(+from, +from + Number(length));
      const origin = from === undefined ? "" : `<${from}>`;
      const content = items.includes("BODY")
        ? ` BODY[]${origin} {${part.length}}\r\n${part.toString("latin1")}`
        : "";
      return `* ${at + 1} FETCH (UID ${uid} FLAGS (${flags}) INTERNALDATE "20-Nov-2026 12:00:00 +0000" RFC822.SIZE ${body.length}${content})\r\n`;
    })
    .join("");
}

function within(set: string, uid: number): boolean {
  return set.split(",").some((run) => {
    const [first = "", last = first] = run.split(":");
    return uid >= Number(first) && (last === "*" || uid <= Number(last));
  });
}

function userOf(command: string, literals: Buffer[]): string {
  const plain = Buffer.from(literals[0]?.toString() ?? "", "base64").toString();
  const user = /^AUTHENTICATE/i.test(command)
    ? plain.split("\0")[1]
    : /"([^"]*)"/.exec(command)?.[1];
  const [, name = "", side = ""] = /^([^@*]*)(?:@(\w+))?/.exec(user ?? "") ?? [];
  return side === "new" ? `${name}.new` : name;
}

/** Command lines with their literals; a literal, and what AUTHENTICATE waits for, is asked for with `+`. */
async function* lines(
  socket: Socket,
  send: (text: string) => Promise<void>,
): AsyncGenerator<{ line: string; literals: Buffer[] }> {
  let held: Buffer = Buffer.alloc(0);
  let line = "";
  let literals: Buffer[] = [];
  let wanted = 0;
  let answer = false;
  for await (const chunk of socket) {
    held = Buffer.concat([held, chunk as Buffer]);
    for (;;) {
      if (wanted > 0) {
        if (held.length < wanted) break;
        literals.push(held.subarray(0, wanted));
        held = held.subarray(wanted);
        wanted = 0;
      }
      const end = held.indexOf("\r\n");
      if (end === -1) break;
      const text = held.toString("latin1", 0, end);
      held = held.subarray(end + 2);
      if (answer) {
        literals.push(Buffer.from(text));
        answer = false;
      } else line += text;
      const [mark, size] = / ?~?\{(\d+)\}$/.exec(line) ?? [];
      answer = literals.length === 0 && /^\S+ AUTHENTICATE \S+$/i.test(line);
      if (mark !== undefined) {
        line = line.slice(0, -mark.length);
        wanted = Number(size);
      }
      if (mark !== undefined || answer) {
        await send("+ go on\r\n");
        continue;
      }
      yield { line, literals };
      line = "";
      literals = [];
    }
  }
}
