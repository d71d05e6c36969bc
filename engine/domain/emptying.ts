import type { Folder, FolderState } from "./item.ts";
import type { Entry } from "./project.ts";
import type { Address } from "./provider.ts";

/**
 * The only way anything is ever removed: opened by an approved emptying and by nothing else. Errors as for
 * `Source`; throws `UserError` where the server cannot remove single messages (UIDPLUS, RFC 4315).
 */
export interface Emptier extends AsyncDisposable {
  folders(): Promise<Folder[]>;
  open(path: string): Promise<OpenEmptier>;
}

/** Opens mailboxes of one kind of system to remove from them. */
export interface Emptiers {
  emptier(address: Address): Promise<Emptier>;
}

export interface OpenEmptier {
  readonly state: FolderState;
  /** Those of these that stand there, each once. */
  read(uids: readonly number[]): AsyncIterable<Standing>;
  /**
   * Removes these and no other, but for those that changed after they were read where the server can tell
   * (CONDSTORE, RFC 7162). Answers the UIDs that are gone.
   */
  remove(items: readonly Pick<Standing, "uid" | "modseq">[]): Promise<Set<number>>;
}

export interface Standing {
  uid: number;
  /** Without \Recent. */
  flags: string[];
  modseq: number | null;
  /** Can be read once. */
  body: AsyncIterable<Uint8Array>;
}

/** What becomes of a mailbox that is emptied. */
export interface Emptied {
  removed: number;
  /** Kept: no longer at the old place, so that the copy is the only one. */
  onlyHere: number;
  /** Kept: moved, read, flagged or changed there since it was carried, or not known to be as it was. */
  touched: number;
  /** What stands there afterwards, whoever put it there. */
  left: number;
}

/**
 * Removes from a target mailbox what the ledgers of an entry and of those whose place it took say was written
 * there, and nobody has touched since. Both throw `UserError` where the mailbox is busy or cannot be emptied.
 */
export interface Emptying {
  /** What `empty` would do now; removes nothing. */
  look(entry: Entry): Promise<Emptied>;
  /** What was removed stays removed, whatever happens later. */
  empty(entry: Entry): Promise<Emptied>;
}
