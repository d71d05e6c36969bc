import type {
  Folder,
  FolderRole,
  FolderState,
  Identity,
  Item,
  ItemType,
  ListedItem,
} from "./item.ts";
import type { Secret } from "./secret.ts";

/**
 * One mailbox of the old system, open for reading. There is no way to write here: no flag, no date and
 * no item differs after a pass (semantics 10).
 *
 * Every method may throw `UserError` (a login refused for good), `TransientError` (the connection is
 * gone, the server wants a pause): after either the source is to be closed. `open` and `ensure` throw
 * `FolderError` where the server refuses one folder: others may go on.
 */
export interface Source extends AsyncDisposable {
  /** Folders of the user's own namespace that can hold items, parents before children. */
  folders(): Promise<Folder[]>;
  /** Opens a folder to read. One is open at a time: opening another ends this one. */
  open(path: string): Promise<OpenSource>;
  survey(): Promise<Survey>;
}

export interface OpenSource {
  /** Where the folder stood when it was opened: items that arrive later have a UID from `uidNext` up. */
  readonly state: FolderState;
  /** The folder's items in pages of at most 1,000, by rising UID; `uids` limits it to those. */
  list(uids?: readonly number[]): AsyncIterable<ListedItem[]>;
  /** The items of these UIDs, in any order. One that is not yielded has vanished. */
  read(uids: readonly number[]): AsyncIterable<Item>;
  /** The identities of these; null where the source has none. */
  identities(uids: readonly number[]): Promise<Map<number, Identity> | null>;
  /** The domains of the From addresses of these; null where there is none that can be read. */
  senders(uids: readonly number[]): Promise<Map<number, string | null>>;
}

/** One mailbox of the new system. Items can only be added (semantics 5 to 7, 10). Errors as for `Source`. */
export interface Target extends AsyncDisposable {
  /** The largest item the server takes, in bytes; null where it does not say (RFC 7889). */
  readonly maxItemSize: number | null;
  /** Whether its receipts carry the UIDs it gave (UIDPLUS, RFC 4315). */
  readonly tellsUids: boolean;
  folders(): Promise<Folder[]>;
  /**
   * The target's own name for a folder, made where it is missing. Where the server refuses the name, a
   * near one is made. Never answers with a path of `taken`, except for a role both sides know.
   */
  ensure(wanted: WantedFolder, taken: ReadonlySet<string>): Promise<string>;
  open(path: string): Promise<OpenTarget>;
  survey(): Promise<Survey>;
}

export interface WantedFolder {
  segments: string[];
  role: FolderRole | null;
  /** Where the parent went, when it was mapped before; null at the top. */
  parent: string | null;
}

export interface OpenTarget {
  /** Where the folder stands now: what is added later gets a UID from `uidNext` up. */
  readonly state: FolderState;
  /**
   * Adds the items as they come and answers for each. When it throws, every item given to it and not yet
   * answered for is in doubt: it may or may not have been stored.
   */
  add(items: AsyncIterable<Item>): AsyncIterable<Receipt>;
  /** The items from this UID up, with their bodies: to find out what was stored; `only` limits it to those. */
  look(
    fromUid: number,
    only?: ReadonlySet<number>,
  ): AsyncIterable<{ uid: number; body: AsyncIterable<Uint8Array> }>;
  /** The UIDs that stand there now, from this one up. Throws `FolderError` where not all of them are told. */
  uids(fromUid?: number): Promise<Set<number>>;
}

/** What the target said of one item. `uid` is the source's. */
export type Receipt =
  | {
      outcome: "added";
      uid: number;
      /** The UID it got (UIDPLUS), null where the server does not tell. */
      targetUid: number | null;
      /** What could not be kept, in few words: `date clamped`, `keywords dropped`. */
      notes: string[];
    }
  | {
      outcome: "refused";
      uid: number;
      /** The server's own words, made harmless. */
      reason: string;
      /** The mailbox is full: what follows will be refused as well. */
      full: boolean;
      /** The server broke down over it, by its own words: it may stand there all the same, and be shown later. */
      mayStand?: boolean;
    };

/** What a verify shows of one side. */
export interface Survey {
  folders: number;
  items: number;
  /** Null where the server cannot sum sizes cheaply. */
  bytes: number | null;
  types: ItemType[];
  /** Free bytes by its quota; null where there is none or it does not say (RFC 9208). */
  free: number | null;
}

/** How to reach one mailbox. */
export interface Address {
  endpoint: Endpoint;
  /** The mailbox, as the list of entries names it. */
  mailbox: string;
  /** Its own login name and password; null where a master logs in for it. */
  user: string | null;
  password: Secret | null;
}

/** One side's mail system. */
export interface Endpoint {
  id: number;
  name: string;
  provider: "imap" | "memory";
  host: string;
  port: number;
  /** `tls` from the first byte, `starttls` demanded before the login, `none` for loopback alone. */
  security: "tls" | "starttls" | "none";
  login: "master" | "user" | "xoauth2";
  /** The master's own name. */
  masterUser: string | null;
  /** `star` (`<address>*<master>`), `authzid` (SASL PLAIN), or a template with `{address}` and `{master}`. */
  masterFormat: string;
  masterPassword: Secret | null;
  /** PEM of the only authority trusted for it; null for the system's. */
  ca: string | null;
  /** SHA-256 of the certificate, hex pairs joined by colons; replaces the authority. */
  fingerprint: string | null;
  /**
   * May lead to this machine and to private networks: somebody at the machine named it, or whoever runs Godwit
   * listed its host.
   */
  inward: boolean;
}

/** Opens mailboxes of one kind of system. */
export interface Provider {
  source(address: Address): Promise<Source>;
  target(address: Address): Promise<Target>;
}
