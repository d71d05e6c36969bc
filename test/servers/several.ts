import pg from "pg";
import { compare } from "./checker.ts";
import type { Variables } from "./command-line.ts";
import { type Dovecot, startDovecot } from "./dovecot.ts";
import { person, text } from "./person.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { type RedisServer, startRedis } from "./redis.ts";

/** What several processes of Godwit share: two mail servers, a database and a queue. */
export interface Several extends AsyncDisposable {
  old: Dovecot;
  fresh: Dovecot;
  postgres: Postgres;
  redis: RedisServer;
}

export async function startSeveral(): Promise<Several> {
  const [old, fresh, postgres, redis] = await Promise.all([
    startDovecot(),
    startDovecot(),
    startPostgres(),
    startRedis(),
  ]);
  return {
    ...{ old, fresh, postgres, redis },
    async [Symbol.asyncDispose]() {
      await Promise.all([old, fresh, postgres, redis].map((one) => one[Symbol.asyncDispose]()));
    },
  };
}

/** Puts so many letters into each old mailbox. Answers the variables of the processes on a database of their own. */
export async function setUp(
  { old, fresh, postgres, redis }: Several,
  people: string[],
  letters: number,
): Promise<Variables & { DATABASE_URL: string }> {
  const deliver = (name: string) => {
    const mails = Array.from({ length: letters }, (_, n) => text(`${name} ${n}`));
    return person(name, old, fresh).deliver("INBOX", ...mails);
  };
  await Promise.all(people.map(deliver));
  // What a killed process was rung for may still stand in the queue: none of it is for another database.
  await redis.ask("FLUSHALL");
  return {
    DATABASE_URL: await postgres.fresh(),
    QUEUE_URL: redis.url,
    GODWIT_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
    MASTER: "masterpass",
  };
}

/** What is typed until a pass over all of them begins. The new mailboxes are reached by this port. */
export function fullPass({ old, fresh }: Several, people: string[], port = fresh.port): string[] {
  const endpoint = (name: string, at: { host: string; port: number }) =>
    `endpoint new ${name} imap://${at.host}:${at.port} --login master --user master --password-env MASTER --insecure`;
  return [
    endpoint("old", old),
    endpoint("new", { host: fresh.host, port }),
    "project new acme --from old --to new",
    `licenses add ${people.length} --note "order 1"`,
    ...people.map((one) => `add ${one}@old.example ${one}@new.example`),
    "full --yes",
  ];
}

/** Of each: what is missing at the new place, what stands there twice, how many are as they should be. */
export async function verdicts({ old, fresh }: Several, people: string[]) {
  const found = people.map(async (name) => {
    const who = person(name, old, fresh);
    const { lost, duplicated, present } = compare(await who.source(), await who.target());
    return { name, lost, duplicated, present };
  });
  return Promise.all(found);
}

/** The first column of what the database answers. */
export async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
    return rows.map(([first]) => first);
  } finally {
    await client.end();
  }
}
