import { createHash, type Hash } from "node:crypto";
import type { Instant } from "./clock.ts";

export const itemTypes = ["mail", "calendar", "contact", "task", "journal", "note"] as const;
export type ItemType = (typeof itemTypes)[number];

/** What a folder is for (RFC 6154, and INBOX). */
export type FolderRole =
  | "inbox"
  | "sent"
  | "drafts"
  | "trash"
  | "junk"
  | "archive"
  | "all"
  | "flagged";

/**
 * Where a folder stands. UIDs mean something only together with their `uidValidity` (RFC 9051 §2.3.1.1).
 * `highestModseq` is null where the server has no CONDSTORE (RFC 7162) or counts past 2^53.
 */
export interface FolderState {
  uidValidity: number;
  uidNext: number;
  count: number;
  highestModseq: number | null;
}

/** A folder as a server lists it. */
export interface Folder {
  /** The server's own name for it, decoded: the identity of the folder in the ledger. */
  path: string;
  /** The names from the top of the user's own namespace down, without prefix and delimiter. */
  segments: string[];
  role: FolderRole | null;
  /** Null where the server did not tell without opening the folder. */
  state: FolderState | null;
  /** Why it cannot be opened, where the listing shows that already. */
  refused?: string;
}

/** One line of a folder's listing: enough to decide, no body. */
export interface ListedItem {
  uid: number;
  /** INTERNALDATE: what the field calls the create date. */
  createdAt: Instant;
  /** Bytes, as the server counts them (RFC822.SIZE). */
  size: number;
  /** Marked \Deleted: left out and counted as filtered. */
  deleted: boolean;
  modseq: number | null;
}

/**
 * A source's own name for an item, the same wherever it is moved (EMAILID of RFC 8474, X-GM-MSGID, Dovecot's
 * X-GUID): 16 bytes of its SHA-256.
 */
export type Identity = Buffer;

/** The identity behind a name that a source gives. */
export function identityOf(name: string): Identity {
  return short(createHash("sha256").update(name));
}

/** One item as read. The body can be read once. */
export interface Item {
  uid: number;
  createdAt: Instant;
  /** IMAP flags and keywords as the source has them, without \Recent. */
  flags: string[];
  modseq: number | null;
  /** Null where the source has no such name. */
  identity: Identity | null;
  /** Bytes in `body`. */
  size: number;
  body: AsyncIterable<Uint8Array>;
  /** Asked right before bytes of it leave for the target; throws where they no longer may. */
  mayLeave?(): void;
  /** The target broke down over it, and was asked for it since: it may be given it in other ways as well. */
  wasAskedFor?: boolean;
}

/** 16 bytes of SHA-256. */
export type Fingerprint = Buffer;

/** A hash that takes bytes as they flow and ends in a fingerprint. */
export interface Fingerprinter {
  update(bytes: Uint8Array): void;
  end(): Fingerprint;
}

/** Of the bytes as read: the same server gives the same bytes again. */
export function exactFingerprinter(): Fingerprinter {
  const hash = createHash("sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    end: () => short(hash),
  };
}

/**
 * Of the bytes without what mail servers are known to change: `\r` dropped, NUL and bytes from 0x80 up
 * mapped to `X`, final `\n` dropped. Used where two servers are compared.
 */
export function tolerantFingerprinter(): Fingerprinter {
  const hash = createHash("sha256");
  // Line ends are held back until something else follows, so that the final ones can be left out.
  let lineEnds = 0;
  return {
    update(bytes) {
      const kept = Buffer.allocUnsafe(bytes.length);
      let length = 0;
      for (const byte of bytes) {
        if (byte === 0x0d) continue;
        if (byte === 0x0a) {
          lineEnds += 1;
          continue;
        }
        if (lineEnds > 0) {
          hash.update(kept.subarray(0, length));
          hash.update(Buffer.alloc(lineEnds, 0x0a));
          length = 0;
          lineEnds = 0;
        }
        kept[length++] = byte === 0 || byte >= 0x80 ? 0x58 : byte;
      }
      hash.update(kept.subarray(0, length));
    },
    end: () => short(hash),
  };
}

function short(hash: Hash): Fingerprint {
  return hash.digest().subarray(0, 16);
}
