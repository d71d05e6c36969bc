import { createHash } from "node:crypto";
import type { Fence, Owned, Owners, Seat, Seats } from "../engine/domain/owner.ts";
import type { EntryId } from "../engine/domain/project.ts";
import { available } from "./available.ts";
import { lockFile } from "./file-lock.ts";
import type { Database } from "./open.ts";
import { type Heartbeat, type Hold, openServerLocks } from "./server-locks.ts";
import { write } from "./transaction.ts";

/** Takes a lock by its name; null while anybody has it. */
interface Locks extends AsyncDisposable {
  take(name: LockName): Promise<Hold | null>;
}

type LockName = { type: "entry"; id: number } | { type: "seat"; name: Seat };

/**
 * The owners of entries: a lock file each beside an SQLite database, an advisory lock on one connection to
 * PostgreSQL. Each owner gets a fence of its own, newer than all before. Disposing frees what it holds.
 */
export function openOwners(database: Database, heartbeat?: Heartbeat): Owners & AsyncDisposable {
  const locks = openLocks(database, heartbeat);
  const owners: Owners = {
    async take(entry): Promise<Owned | null> {
      const lock = await locks.take({ type: "entry", id: entry });
      if (lock === null) return null;
      try {
        const fence = await nextFence(database, entry);
        return {
          fence,
          lost: lock.lost,
          [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
        };
      } catch (error) {
        await lock[Symbol.asyncDispose]();
        throw error;
      }
    },
  };
  return { ...available(owners), [Symbol.asyncDispose]: () => locks[Symbol.asyncDispose]() };
}

/** The seats of this database. Disposing frees those it holds. */
export function openSeats(database: Database): Seats & AsyncDisposable {
  const locks = openLocks(database);
  const seats: Seats = { take: (name) => locks.take({ type: "seat", name }) };
  return { ...available(seats), [Symbol.asyncDispose]: () => locks[Symbol.asyncDispose]() };
}

function nextFence(database: Database, entry: EntryId): Promise<Fence> {
  return write(database, async (trx) => {
    await trx("owners")
      .insert({ entry_id: entry, token: 1 })
      .onConflict("entry_id")
      .merge({ token: trx.raw("owners.token + 1") });
    const row = await trx("owners").where({ entry_id: entry }).first("token");
    return { entry, token: row!.token };
  });
}

function openLocks(database: Database, heartbeat?: Heartbeat): Locks {
  return database.file === null ? serverLocks(database, heartbeat) : fileLocks(database.file);
}

function fileLocks(file: string): Locks {
  const holds = new Set<Hold>();
  return {
    async take(name) {
      const path = name.type === "entry" ? `entry-${name.id}` : `seat-${name.name}`;
      const lock = await lockFile(`${file}.locks/${path}.lock`);
      if (lock === null) return null;
      const hold: Hold = {
        // The kernel takes it back at our death and never before.
        lost: new AbortController().signal,
        async [Symbol.asyncDispose]() {
          holds.delete(hold);
          await lock[Symbol.asyncDispose]();
        },
      };
      holds.add(hold);
      return hold;
    },
    async [Symbol.asyncDispose]() {
      for (const hold of [...holds]) await hold[Symbol.asyncDispose]();
    },
  };
}

/** Two numbers name an advisory lock: what it is for, and which. */
function serverLocks(database: Database, heartbeat?: Heartbeat): Locks {
  const locks = openServerLocks(database.url, heartbeat);
  return {
    take: (name) =>
      name.type === "entry"
        ? locks.take(0x60d301, name.id)
        : locks.take(0x60d302, numberOf(name.name)),
    [Symbol.asyncDispose]: () => locks[Symbol.asyncDispose](),
  };
}

/** A number of its own for each seat there is, in any process the same. */
function numberOf(seat: Seat): number {
  return createHash("sha256").update(seat).digest().readInt32BE(0);
}
