import type { EntryId } from "./project.ts";

/** Proof of owning an entry: every write of a run carries it and is refused with `FencedError` once it is out of date. */
export interface Fence {
  entry: EntryId;
  token: number;
}

/** The locks of entries: one owner each, freed by the owner's death. */
export interface Owners {
  /** Null when another process (or run) owns it. */
  take(entry: EntryId): Promise<Owned | null>;
}

export interface Owned extends AsyncDisposable {
  readonly fence: Fence;
  /**
   * Aborts when the lock is lost: nothing more may be sent. Whoever asks whether it is `aborted` is told so as well
   * when the lock was not known to be held for so long that another may own the entry: a process that was frozen
   * hears it here before any message reaches it.
   */
  readonly lost: AbortSignal;
}

/** Jobs that one process at a time does for a whole database: `engine` on SQLite, a narrator for each surface. */
export type Seat = "engine" | `narrator-${string}`;

export interface Seats {
  /** Null while another process has it. Freed by the holder's death. */
  take(seat: Seat): Promise<Seated | null>;
}

/** A seat that is held; `lost` as of an owner. */
export type Seated = Pick<Owned, "lost"> & AsyncDisposable;
