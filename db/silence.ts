import type { Knex } from "knex";
import pg from "pg";

/** How often it is looked for questions that wait, and how long the server may take to say what it works at, in ms. */
export interface Patience {
  every: number;
  within: number;
}

const usualPatience: Patience = { every: 10_000, within: 5_000 };

/** Connections that are watched. */
export interface Watch extends Disposable {
  /** A connection of knex's, and the process of the server that serves it. */
  add(connection: pg.Client, process: number): void;
}

/** A question that has no answer yet. */
interface Question {
  connection: string;
  /** How often it was looked at, and how often in a row the server knew nothing of it. */
  looks: number;
  unknown: number;
}

/**
 * Ends connections whose server does not work at what it was asked any more: a machine that lost its power says
 * nothing, and TCP believes in it for a quarter of an hour. What the server does work at may take as long as it likes.
 * That is asked on a connection of its own, of questions that wait for two looks, and twice.
 */
export function endSilent(knex: Knex, url: string, patience = usualPatience): Watch {
  const connections = new Map<string, { client: pg.Client; process: number }>();
  const waiting = new Map<string, Question>();
  knex.on("query", ({ __knexUid: connection, __knexQueryUid: question }: Asked) => {
    waiting.set(question, { connection, looks: 0, unknown: 0 });
  });
  knex.on("query-response", (_, { __knexQueryUid: question }: Asked) => waiting.delete(question));
  knex.on("query-error", (_, { __knexQueryUid: question }: Asked) => waiting.delete(question));

  const look = async () => {
    for (const [name, question] of waiting) {
      // Of one that knex gave up by a time-out of its own it tells no end.
      if (connections.has(question.connection)) question.looks += 1;
      else waiting.delete(name);
    }
    if (![...waiting.values()].some(({ looks }) => looks > 2)) return;
    const busy = await busyProcesses(url, patience.within);
    for (const question of waiting.values()) {
      const asked = connections.get(question.connection);
      if (question.looks <= 2 || asked === undefined) continue;
      question.unknown = busy === null || busy.has(asked.process) ? 0 : question.unknown + 1;
      if (question.unknown === 2) void asked.client.end().catch(() => undefined);
    }
  };
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }, patience.every);
  timer.unref();

  return {
    add(client, process) {
      const { __knexUid: name } = client as pg.Client & { __knexUid: string };
      connections.set(name, { client, process });
      client.once("end", () => connections.delete(name));
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** What knex tells of a query; both names are its own. */
interface Asked {
  __knexUid: string;
  __knexQueryUid: string;
}

/** The processes of the server that work at something; none where it says nothing, null where it says it cannot tell. */
async function busyProcesses(url: string, within: number): Promise<Set<number> | null> {
  const client = new pg.Client({
    ...{ connectionString: url, application_name: "godwit looking" },
    ...{ connectionTimeoutMillis: within, query_timeout: within },
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(
      "select pid from pg_stat_activity where state = 'active'",
    );
    return new Set(rows.map(({ pid }) => pid));
  } catch (error) {
    return error instanceof pg.DatabaseError ? null : new Set();
  } finally {
    void client.end().catch(() => undefined);
  }
}
