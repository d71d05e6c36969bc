import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Dovecot, startDovecot } from "../servers/dovecot.ts";
import { startPostgres } from "../servers/postgres.ts";

/** What a row of the fault matrix stands on. */
export interface Ground extends AsyncDisposable {
  old: Dovecot;
  fresh: Dovecot;
  /** For a world of its own: of an empty database, or nothing where that is a file of the world's. */
  database(): Promise<{ databaseUrl?: string }>;
}

/**
 * Two mail servers, and a database server where one is asked for. The new one keeps maildirs unless told
 * otherwise: in two ways they meet more.
 */
export async function openGround(
  database: "sqlite" | "postgres",
  location: "maildir" | "sdbox" = "maildir",
): Promise<Ground> {
  await using stack = new AsyncDisposableStack();
  const [old, fresh] = [await startDovecot(), await startDovecot({ location })];
  stack.use(old);
  stack.use(fresh);
  const postgres = database === "postgres" ? stack.use(await startPostgres()) : null;
  const open = stack.move();
  return {
    old,
    fresh,
    database: async () => (postgres === null ? {} : { databaseUrl: await postgres.fresh() }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Removes a mailbox and all that was in it: thousands of letters are not kept to the end. */
export async function removeMailbox(server: Dovecot, user: string): Promise<void> {
  await rm(join(server.directory, "mail", user), { recursive: true, force: true, maxRetries: 5 });
}

/** Does the tasks two at a time: as many as a small machine has cores. */
export async function inLanes<Task, Result>(
  tasks: readonly Task[],
  work: (task: Task) => Promise<Result>,
  lanes = 2,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = tasks.entries();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const [at, task] of left) results[at] = await work(task);
    }),
  );
  return results;
}
