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
export interface Heartbeat {
  every: number;
  within: number;
  /** After so long without a question the server ends the session, and its locks are free. */
  freed?: number;
}

const usualHeartbeat: Heartbeat = { every: 1_000, within: 5_000 };

/**
 * So long after the last question that was answered an owner may go on: 11 s, for the next may be asked late and take
 * as long again. The server frees nothing before `freed`, 20 s after the last question that reached it, be the
 * process frozen or its machine without power. The 9 s between are for what is on its way to a mail server; what
 * takes longer than that is the quiet time's, which the next owner waits before it judges what this one may have sent.
 */
export function trustedMs({ every, within } = usualHeartbeat): number {
  return every + 2 * within;
}

const usuallyFreed = 20_000;

/** What the server is asked to do with a session it hears nothing of. Before version 14 it waits for the network. */
function farewell({ freed = usuallyFreed }: Heartbeat): string[] {
  return [
    `select set_config(name, '${freed}', false) from pg_settings where name = 'idle_session_timeout'`,
    "set tcp_keepalives_idle = 10",
    "set tcp_keepalives_interval = 5",
    "set tcp_keepalives_count = 3",
  ];
}

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
  lost: AbortSignal;
  /** This session may lock the same thing twice, so who has what is remembered here. */
  held: Set<string>;
}

/**
 * Locks that live as long as their connection: when it is lost, every lock is, and each `lost` aborts. The
 * next `take` connects anew.
 */
export function openServerLocks(url: string, heartbeat = usualHeartbeat): ServerLocks {
  let line: Promise<Line> | null = null;

  const connected = (): Promise<Line> => {
    line ??= connect(url, heartbeat, () => {
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
        lost,
        async [Symbol.asyncDispose]() {
          if (freed || lost.aborted) return;
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

async function connect(url: string, heartbeat: Heartbeat, onLost: () => void): Promise<Line> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "godwit locks",
    keepAlive: true,
    connectionTimeoutMillis: heartbeat.within,
  });
  const lost = new AbortController();
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const lose = () => {
    clearTimeout(timer);
    if (over) return;
    over = true;
    onLost();
    lost.abort();
    // Not to wait for an answer that will not come.
    client.end().catch(() => undefined);
  };
  client.on("error", lose);
  client.on("end", lose);
  await client.connect();
  const ask = inTurns(client);
  let known = moment();
  for (const setting of farewell(heartbeat)) await ask(setting);
  const beat = () => {
    timer = setTimeout(async () => {
      const late = setTimeout(lose, heartbeat.within);
      const asked = moment();
      try {
        await ask("select 1");
        known = asked;
        if (!over) beat();
      } catch {
        lose();
      } finally {
        clearTimeout(late);
      }
    }, heartbeat.every);
    timer.unref();
  };
  beat();
  const trusted = trustedMs(heartbeat);
  const signal = askedFirst(lost.signal, () => {
    if (since(known) > trusted) lose();
  });
  return { client, ask, lost: signal, held: new Set() };
}

/** The signal, with something done before it is asked whether it aborted. */
function askedFirst(signal: AbortSignal, look: () => void): AbortSignal {
  const aborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted")!.get!;
  return Object.defineProperty(signal, "aborted", {
    get(): boolean {
      if (!aborted.call(signal)) look();
      return aborted.call(signal);
    },
  });
}

interface Moment {
  ticks: number;
  time: number;
}

function moment(): Moment {
  return { ticks: performance.now(), time: Date.now() };
}

/** By the clock that goes on while the process is frozen, and by the one that does while the machine is. */
function since({ ticks, time }: Moment): number {
  return Math.max(performance.now() - ticks, Date.now() - time);
}
