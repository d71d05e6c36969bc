import { randomUUID } from "node:crypto";
import type { Instant } from "../domain/clock.ts";
import { domainName } from "../domain/dns.ts";
import type { Emptier, Emptiers, OpenEmptier } from "../domain/emptying.ts";
import { FolderError, UserError } from "../domain/errors.ts";
import {
  type Folder,
  type FolderRole,
  type FolderState,
  type Item,
  identityOf,
  type ListedItem,
} from "../domain/item.ts";
import type {
  Address,
  OpenSource,
  OpenTarget,
  Provider,
  Receipt,
  Source,
  Survey,
  Target,
  WantedFolder,
} from "../domain/provider.ts";

/** A message as the memory server keeps it. */
export interface Letter {
  uid: number;
  createdAt: Instant;
  flags: string[];
  modseq: number;
  /** The same wherever it is moved. */
  name: string;
  bytes: Buffer;
}

interface Box {
  segments: string[];
  role: FolderRole | null;
  uidValidity: number;
  uidNext: number;
  modseq: number;
  letters: Letter[];
}

/** A mail system in this process: the reference for what a provider promises, and quick to test against. */
export interface MemorySystem extends Provider, Emptiers {
  /** The folder, made where there is none. */
  folder(mailbox: string, path: string, role?: FolderRole): Box;
  deliver(
    mailbox: string,
    path: string,
    bytes: Buffer,
    facts?: { createdAt?: Instant; flags?: string[] },
  ): Letter;
  letters(mailbox: string, path: string): readonly Letter[];
  paths(mailbox: string): string[];
  remove(mailbox: string, path: string, uid: number): void;
  flag(mailbox: string, path: string, uid: number, flags: string[]): void;
  /** Moves a letter to another folder, where it gets another UID. */
  move(mailbox: string, path: string, uid: number, to: string): void;
  /** Gives the folder another UIDVALIDITY and its letters other UIDs. */
  renumber(mailbox: string, path: string): void;
}

/** An empty system. `maxItemSize` in bytes, as a server announces it. */
export function memorySystem(options: { maxItemSize?: number } = {}): MemorySystem {
  const mailboxes = new Map<string, Map<string, Box>>();
  let validity = 1000;

  const boxes = (mailbox: string) => {
    const key = mailbox.toLowerCase();
    let all = mailboxes.get(key);
    if (all === undefined) {
      all = new Map();
      mailboxes.set(key, all);
      all.set("INBOX", emptyBox(["INBOX"], "inbox", ++validity));
    }
    return all;
  };
  const box = (mailbox: string, path: string) => {
    const found = boxes(mailbox).get(path);
    if (found === undefined) throw new FolderError(`there is no folder ${path}`);
    return found;
  };
  const make = (mailbox: string, path: string, role: FolderRole | null) => {
    const all = boxes(mailbox);
    const made = all.get(path) ?? emptyBox(path.split("/"), role, ++validity);
    all.set(path, made);
    return made;
  };

  return {
    folder: (mailbox, path, role) => make(mailbox, path, role ?? null),
    deliver: (mailbox, path, bytes, facts = {}) =>
      put(make(mailbox, path, null), bytes, facts.createdAt ?? 0, facts.flags ?? []),
    letters: (mailbox, path) => boxes(mailbox).get(path)?.letters ?? [],
    paths: (mailbox) => [...boxes(mailbox).keys()],
    remove(mailbox, path, uid) {
      const at = box(mailbox, path);
      at.letters = at.letters.filter((letter) => letter.uid !== uid);
      at.modseq += 1;
    },
    flag(mailbox, path, uid, flags) {
      const at = box(mailbox, path);
      const letter = at.letters.find((one) => one.uid === uid);
      if (letter !== undefined) Object.assign(letter, { flags, modseq: ++at.modseq });
    },
    move(mailbox, path, uid, to) {
      const at = box(mailbox, path);
      const letter = at.letters.find((one) => one.uid === uid);
      if (letter === undefined) return;
      at.letters = at.letters.filter((one) => one !== letter);
      at.modseq += 1;
      const into = make(mailbox, to, null);
      into.letters.push({ ...letter, uid: into.uidNext++, modseq: ++into.modseq });
    },
    renumber(mailbox, path) {
      const at = box(mailbox, path);
      at.uidValidity = ++validity;
      at.letters = at.letters.map((letter, index) => ({ ...letter, uid: index + 1 }));
      at.uidNext = at.letters.length + 1;
    },
    emptier: (address) => Promise.resolve(memoryEmptier(boxes(known(address).mailbox))),
    source: (address) => Promise.resolve(memorySource(known(address), boxes(address.mailbox))),
    target: (address) =>
      Promise.resolve(
        memoryTarget(boxes(known(address).mailbox), options.maxItemSize ?? null, (path, role) =>
          make(address.mailbox, path, role),
        ),
      ),
  };
}

function known(address: Address): Address {
  const { endpoint } = address;
  const password = endpoint.login === "master" ? endpoint.masterPassword : address.password;
  if (password?.reveal() === "wrong") {
    throw new UserError(`${endpoint.name} refused the login for ${address.mailbox}.`);
  }
  return address;
}

function emptyBox(segments: string[], role: FolderRole | null, uidValidity: number): Box {
  return { segments, role, uidValidity, uidNext: 1, modseq: 1, letters: [] };
}

function put(box: Box, bytes: Buffer, createdAt: Instant, flags: string[]): Letter {
  const name = randomUUID();
  const letter = { uid: box.uidNext++, createdAt, flags, modseq: ++box.modseq, name, bytes };
  box.letters.push(letter);
  return letter;
}

function state(box: Box): FolderState {
  const { uidValidity, uidNext, modseq } = box;
  return { uidValidity, uidNext, count: box.letters.length, highestModseq: modseq };
}

function folders(boxes: Map<string, Box>): Folder[] {
  return [...boxes]
    .map(([path, box]) => ({ path, segments: box.segments, role: box.role, state: state(box) }))
    .sort((a, b) => a.segments.length - b.segments.length);
}

function survey(boxes: Map<string, Box>): Survey {
  const all = [...boxes.values()].flatMap((box) => box.letters);
  const bytes = all.reduce((total, letter) => total + letter.bytes.length, 0);
  return { folders: boxes.size, items: all.length, bytes, types: ["mail"], free: null };
}

function memorySource(_address: Address, boxes: Map<string, Box>): Source {
  return {
    folders: () => Promise.resolve(folders(boxes)),
    survey: () => Promise.resolve(survey(boxes)),
    open(path) {
      const box = boxes.get(path);
      if (box === undefined) throw new FolderError(`there is no folder ${path}`);
      return Promise.resolve(openSource(box));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function openSource(box: Box): OpenSource {
  const opened = state(box);
  return {
    state: opened,
    async *list(uids) {
      const wanted = uids === undefined ? null : new Set(uids);
      const all = box.letters.filter((letter) => wanted?.has(letter.uid) ?? true);
      for (let start = 0; start < all.length; start += 1000) {
        yield all.slice(start, start + 1000).map(
          (letter): ListedItem => ({
            uid: letter.uid,
            createdAt: letter.createdAt,
            size: letter.bytes.length,
            deleted: letter.flags.includes("\\Deleted"),
            modseq: letter.modseq,
          }),
        );
      }
    },
    async *read(uids) {
      for (const uid of uids) {
        const letter = box.letters.find((one) => one.uid === uid);
        if (letter !== undefined) yield asItem(letter);
      }
    },
    async identities(uids) {
      const wanted = new Set(uids);
      const all = box.letters.filter((letter) => wanted.has(letter.uid));
      return new Map(all.map((letter) => [letter.uid, identityOf(letter.name)]));
    },
    async senders(uids) {
      const wanted = new Set(uids);
      const all = box.letters.filter((letter) => wanted.has(letter.uid));
      return new Map(all.map(({ uid, bytes }) => [uid, senderOf(bytes)]));
    },
  };
}

function senderOf(bytes: Buffer): string | null {
  const [head = ""] = bytes.toString("latin1").split(/\r?\n\r?\n/, 1);
  const address = /^From:.*?@([^\s>,;]+)/im.exec(head)?.[1];
  return address === undefined ? null : domainName(address);
}

function asItem(letter: Letter): Item {
  const { uid, createdAt, flags, modseq, name, bytes } = letter;
  const identity = identityOf(name);
  return { uid, createdAt, flags, modseq, identity, size: bytes.length, body: stream(bytes) };
}

async function* stream(bytes: Buffer): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

function memoryTarget(
  boxes: Map<string, Box>,
  maxItemSize: number | null,
  make: (path: string, role: FolderRole | null) => Box,
): Target {
  return {
    maxItemSize,
    tellsUids: true,
    folders: () => Promise.resolve(folders(boxes)),
    survey: () => Promise.resolve(survey(boxes)),
    ensure: (wanted, taken) => Promise.resolve(ensure(wanted, taken, boxes, make)),
    open(path) {
      const box = boxes.get(path);
      if (box === undefined) throw new FolderError(`there is no folder ${path}`);
      return Promise.resolve(openTarget(box));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function ensure(
  wanted: WantedFolder,
  taken: ReadonlySet<string>,
  boxes: Map<string, Box>,
  make: (path: string, role: FolderRole | null) => Box,
): string {
  if (wanted.role !== null) {
    for (const [path, box] of boxes) if (box.role === wanted.role) return path;
  }
  const last = wanted.segments.at(-1) ?? "";
  const plain = wanted.parent === null ? wanted.segments.join("/") : `${wanted.parent}/${last}`;
  let path = plain;
  for (let n = 2; taken.has(path); n += 1) path = `${plain}_${n}`;
  make(path, wanted.role);
  return path;
}

function openTarget(box: Box): OpenTarget {
  return {
    state: state(box),
    async *add(items) {
      for await (const item of items) {
        const parts: Uint8Array[] = [];
        for await (const bytes of item.body) parts.push(bytes);
        yield store(box, item, Buffer.concat(parts));
      }
    },
    async *look(fromUid, only) {
      for (const { uid, bytes } of box.letters) {
        if (uid >= fromUid && only?.has(uid) !== false) yield { uid, body: stream(bytes) };
      }
    },
    uids: () => Promise.resolve(new Set(box.letters.map((letter) => letter.uid))),
  };
}

function memoryEmptier(boxes: Map<string, Box>): Emptier {
  return {
    folders: () => Promise.resolve(folders(boxes)),
    async open(path) {
      const box = boxes.get(path);
      if (box === undefined) throw new FolderError(`there is no folder ${path}`);
      return openEmptier(box);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function openEmptier(box: Box): OpenEmptier {
  return {
    state: state(box),
    async *read(uids) {
      for (const { uid, flags, modseq, bytes } of box.letters) {
        if (uids.includes(uid)) yield { uid, flags, modseq, body: stream(bytes) };
      }
    },
    async remove(items) {
      const gone = new Set<number>();
      box.letters = box.letters.filter((letter) => {
        const wanted = items.some(
          ({ uid, modseq }) =>
            uid === letter.uid && letter.modseq <= (modseq ?? Number.POSITIVE_INFINITY),
        );
        if (wanted) gone.add(letter.uid);
        return !wanted;
      });
      box.modseq += 1;
      return gone;
    },
  };
}

function store(box: Box, item: Item, bytes: Buffer): Receipt {
  if (bytes.length === 0) {
    return { outcome: "refused", uid: item.uid, reason: "an empty message", full: false };
  }
  const letter = put(box, bytes, item.createdAt, item.flags);
  return { outcome: "added", uid: item.uid, targetUid: letter.uid, notes: [] };
}
