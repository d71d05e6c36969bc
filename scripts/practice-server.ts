/**
 * A mail server to practise on, in this process: nothing is written to disk, and it ends with us. Built on
 * hoodiecrow-imap, which knows one mailbox a server: each person has one of their own, without a port, and
 * a front with a port hands each connection over to its person's when they have logged in.
 */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import hoodiecrow, { type Connection, type Hoodiecrow } from "hoodiecrow-imap";

/** A folder and what is in it. Folder names from the top down. */
export interface PracticeFolder {
  names: string[];
  role?: "\\Sent" | "\\Drafts" | "\\Trash" | "\\Junk" | "\\Archive";
  mail: PracticeMail[];
}

export interface PracticeMail {
  date: Date;
  flags: string[];
  raw: Buffer;
}

/** One message as the server holds it now, for checking. */
export interface HeldMail {
  folder: string;
  uid: number;
  flags: string[];
  date: string;
  raw: Buffer;
}

export interface PracticeServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Puts new mail into a person's INBOX, as if it had just arrived. */
  deliver(address: string, mail: PracticeMail[]): void;
  /** All a person has, folder by folder, in the server's order. */
  held(address: string): HeldMail[];
  /** Folder states and messages as one text: two equal texts mean nothing was touched. */
  portrait(address: string): string;
}

export interface PracticeOptions {
  /** Logs in for everybody, as `<address>*<user>`. */
  master: { user: string; password: string };
  people: { address: string; password: string; folders: PracticeFolder[] }[];
}

/** Starts a server on a free port of the loopback address, with IMAP and no TLS. */
export async function startPracticeServer(options: PracticeOptions): Promise<PracticeServer> {
  const { master, people } = options;
  const own = new Map(people.map(({ address, folders }) => [address, mailbox(folders)]));
  const users: Record<string, { password: string }> = {};
  for (const { address, password } of people) {
    users[address] = { password };
    users[`${address}*${master.user}`] = { password: master.password };
  }

  const front = hoodiecrow({ plugins: [...plugins, handOver(own)], users });
  front.setMaxListeners(0);
  const sockets = new Set<Socket>();
  front.server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  front.server.listen(0, "127.0.0.1");
  await once(front.server, "listening");

  const of = (address: string): Hoodiecrow => {
    const found = own.get(address);
    if (found === undefined) throw new Error(`Nobody here is called ${address}.`);
    return found;
  };
  const held = (address: string): HeldMail[] =>
    Object.values(of(address).folderCache).flatMap((folder) =>
      folder.messages.map(({ uid, flags, internaldate, raw }) => ({
        folder: folder.path,
        uid,
        flags: [...flags],
        date: internaldate,
        raw: Buffer.from(raw, "latin1"),
      })),
    );

  return {
    host: "127.0.0.1",
    port: (front.server.address() as AddressInfo).port,
    held,
    deliver(address, mail) {
      for (const { date, flags, raw } of mail) {
        of(address).appendMessage("INBOX", flags, internalDate(date), raw.toString("latin1"));
      }
    },
    portrait(address) {
      const folders = Object.values(of(address).folderCache).map((folder) => [
        folder.path,
        folder.uidvalidity,
        folder.uidnext,
        folder.HIGHESTMODSEQ,
      ]);
      return JSON.stringify([folders, held(address)]);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      front.server.close();
      if (front.server.listening) await once(front.server, "close");
    },
  };
}

/** The modified UTF-7 of RFC 3501 5.1.3, in which servers keep folder names. */
export function modifiedUtf7(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (part) => {
    if (part === "&") return "&-";
    const wide = Buffer.from(part, "utf16le").swap16().toString("base64");
    return `&${wide.replaceAll("/", ",").replace(/=+$/, "")}-`;
  });
}

const plugins = [
  "ENABLE",
  "CONDSTORE",
  "NAMESPACE",
  "SPECIAL-USE",
  "CREATE-SPECIAL-USE",
  "UIDPLUS",
  "LITERALPLUS",
  "UNSELECT",
  "ID",
  "IDLE",
];

function mailbox(folders: PracticeFolder[]): Hoodiecrow {
  const storage = { INBOX: {}, "": { separator: "/" } };
  const server = hoodiecrow({ plugins: [...plugins, statesFromTheStart], storage });
  server.setMaxListeners(0);
  for (const { names, role, mail } of folders) {
    const path = names.map(modifiedUtf7).join("/");
    if (path !== "INBOX") server.createMailbox(path, role ? { "special-use": role } : {});
    for (const { date, flags, raw } of mail) {
      server.appendMessage(path, flags, internalDate(date), raw.toString("latin1"));
    }
  }
  return server;
}

/** Without it an empty folder has no HIGHESTMODSEQ to tell, and every folder the UIDVALIDITY 1. */
function statesFromTheStart(server: Hoodiecrow): void {
  const { processMailbox } = server;
  let uidValidity = 1_700_000_000;
  server.processMailbox = (path, folder, namespace) => {
    folder.uidvalidity ??= uidValidity++;
    folder.HIGHESTMODSEQ ??= 1;
    processMailbox.call(server, path, folder, namespace);
  };
}

function handOver(own: Map<string, Hoodiecrow>): (front: Hoodiecrow) => void {
  return (front) => {
    const login = front.getCommandHandler("LOGIN");
    front.setCommandHandler("LOGIN", (connection, parsed, data, done) => {
      login(connection, parsed, data, () => {
        // `<address>*<master>` is the address's mailbox.
        const [address = ""] = (parsed.attributes?.[0]?.value ?? "").split("*");
        const theirs = own.get(address);
        if (connection.state === "Authenticated" && theirs !== undefined) move(connection, theirs);
        done();
      });
    });
  };
}

function move(connection: Connection, to: Hoodiecrow): void {
  connection.server.removeListener("notify", connection._notificationCallback);
  connection.server = to;
  to.on("notify", connection._notificationCallback);
}

function internalDate(date: Date): string {
  const [, day, month, year, time] =
    /, (\d\d) (\w{3}) (\d{4}) ([\d:]{8})/.exec(date.toUTCString()) ?? [];
  return `${day}-${month}-${year} ${time} +0000`;
}
