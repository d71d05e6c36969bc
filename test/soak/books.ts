import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

/** The database as somebody sees it who is not Godwit. It may be away: whoever asks waits for it. */
export interface Books {
  rows<Row extends pg.QueryResultRow>(query: string, values?: unknown[]): Promise<Row[]>;
  /** The only number of the only row. */
  number(query: string, values?: unknown[]): Promise<number>;
  /** The same; null where it is away. */
  tryNumber(query: string): Promise<number | null>;
  /** Ends sessions of this database, as an administrator or a failing network does. */
  terminate(application: string): Promise<number>;
}

export function openBooks(databaseUrl: string): Books {
  const once = async <Row extends pg.QueryResultRow>(query: string, values: unknown[]) => {
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: "soak",
      connectionTimeoutMillis: 10_000,
      query_timeout: 60_000,
    });
    // What ends the session ends the question under way.
    client.on("error", () => {});
    try {
      await client.connect();
      return (await client.query<Row>(query, values)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const rows = async <Row extends pg.QueryResultRow>(query: string, values: unknown[] = []) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await once<Row>(query, values);
      } catch (error) {
        if (tries >= 300 || isWrong(error)) throw error;
        await delay(1_000);
      }
    }
  };
  const first = (found: pg.QueryResultRow[]) => Number(Object.values(found[0] ?? {})[0]);
  return {
    rows,
    number: async (query, values) => first(await rows(query, values)),
    tryNumber: async (query) => {
      try {
        return first(await once(query, []));
      } catch {
        return null;
      }
    },
    async terminate(application) {
      const ended = await rows(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = $1",
        [application],
      );
      return ended.length;
    },
  };
}

/** A question that no waiting makes right: PostgreSQL's classes of wrong words and wrong data. */
function isWrong(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^(22|23|42)/.test(code);
}
