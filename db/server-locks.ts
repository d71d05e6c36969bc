import pg from "pg";

/** A lock held until it is disposed or lost. */
export interface Hold extends AsyncDisposable {
  /** Aborts when the lock is lost. */
  readonly lost: AbortSignal;
}

/** Advisory locks of PostgreSQL on a connection kept for them. */
export interface ServerLocks extends AsyncDisposable {
  take(kind: number, id: number): Promise<Hold | null>;
}

/** How often the connection is asked whether it lives, and how long it may take to say so, in ms. */
const heartbeat = { every: 1_000, within: 5_000 };

/** One question at a time: the connection takes no second one meanwhile. */
type Ask = <Row extends pg.QueryResultRow>(
  text: string,
  values?: number[],
) => Promise<pg.QueryResult<Row>>;

function inTurns(client: pg.Client): Ask {
  let last: Promise<unknown> = Promise.resolve();
  return <Row extends pg.QueryResultRow>(text: string, values: number[] = []) => {
    const mine = last.then(() => client.query<Row>(text, values));
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** One connection with everything that hangs on it. */
interface Line {
  client: pg.Client;
  ask: Ask;
  lost: AbortController;
  /** This session may lock the same thing twice, so who has what is remembered here. */
  held: Set<string>;
}

/**
 * Locks that live as long as their connection: when it is lost, every lock is, and each `lost` aborts. The
 * next `take` connects anew.
 */
export function openServerLocks(url: string): ServerLocks {
  let line: Promise<Line> | null = null;

  const connected = (): Promise<Line> => {
    line ??= connect(url, () => {
      line = null;
    }).catch((error: unknown) => {
      line = null;
      throw error;
    });
    return line;
  };

  return {
    async take(kind, id) {
      const { ask, lost, held } = await connected();
      const name = `${kind}:${id}`;
      if (held.has(name)) return null;
      held.add(name);
      let taken = false;
      try {
        const { rows } = await ask<{ taken: boolean }>(
          "select pg_try_advisory_lock($1, $2) as taken",
          [kind, id],
        );
        taken = rows[0]?.taken === true;
      } finally {
        if (!taken) held.delete(name);
      }
      if (!taken) return null;
      let freed = false;
      return {
        lost: lost.signal,
        async [Symbol.asyncDispose]() {
          if (freed || lost.signal.aborted) return;
          freed = true;
          const unlock = ask("select pg_advisory_unlock($1, $2)", [kind, id]);
          // Where the connection dies meanwhile, the lock goes with it.
          await unlock.catch(() => undefined);
          held.delete(name);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      const last = await line?.catch(() => null);
      if (last === undefined || last === null) return;
      await last.client.end();
    },
  };
}

async function connect(url: string, onLost: () => void): Promise<Line> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "godwit locks",
    keepAlive: true,
  });
  const lost = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const lose = () => {
    clearTimeout(timer);
    if (lost.signal.aborted) return;
    onLost();
    lost.abort();
    // Not to wait for an answer that will not come.
    client.end().catch(() => undefined);
  };
  client.on("error", lose);
  client.on("end", lose);
  await client.connect();
  const ask = inTurns(client);
  const beat = () => {
    timer = setTimeout(async () => {
      const late = setTimeout(lose, heartbeat.within);
      try {
        await ask("select 1");
        if (!lost.signal.aborted) beat();
      } catch {
        lose();
      } finally {
        clearTimeout(late);
      }
    }, heartbeat.every);
    timer.unref();
  };
  beat();
  return { client, ask, lost, held: new Set() };
}
