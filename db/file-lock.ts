import { mkdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import sqlite3 from "sqlite3";

/** Locks of this process, by real path: closing a second descriptor on a file would drop the first's lock. */
const held = new Set<string>();

/**
 * Takes a lock that the kernel frees at this process's death; null when anybody has it, this process included.
 * The file is a small SQLite database in a transaction that excludes all others, and stays when the lock goes.
 */
export async function lockFile(path: string): Promise<AsyncDisposable | null> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const real = join(await realpath(dirname(path)), path.slice(dirname(path).length));
  if (held.has(real)) return null;
  held.add(real);
  try {
    const lock = await exclusive(real);
    if (lock === null) {
      held.delete(real);
      return null;
    }
    let freed: Promise<void> | null = null;
    return {
      [Symbol.asyncDispose]() {
        freed ??= close(lock).finally(() => held.delete(real));
        return freed;
      },
    };
  } catch (error) {
    held.delete(real);
    throw error;
  }
}

async function exclusive(path: string): Promise<sqlite3.Database | null> {
  const database = await open(path);
  try {
    // The driver waits a second by default.
    database.configure("busyTimeout", 0);
    // Two that try at the same moment can refuse each other: one of them has to come back.
    for (let tries = 0; tries < 3; tries += 1) {
      if (await begin(database)) return database;
      await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));
    }
  } catch (error) {
    await close(database);
    throw error;
  }
  await close(database);
  return null;
}

function open(path: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(path, (error) => {
      if (error === null) resolve(database);
      else reject(error);
    });
  });
}

function begin(database: sqlite3.Database): Promise<boolean> {
  return new Promise((resolve, reject) => {
    database.exec("begin exclusive", (error) => {
      if (error === null) resolve(true);
      else if ("code" in error && error.code === "SQLITE_BUSY") resolve(false);
      else reject(error);
    });
  });
}

function close(database: sqlite3.Database): Promise<void> {
  return new Promise((resolve, reject) => {
    database.close((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
