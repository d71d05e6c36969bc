import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openCommandLine, type Working } from "../servers/command-line.ts";
import { startDovecot } from "../servers/dovecot.ts";
import { type Person, person } from "../servers/person.ts";
import { freePort, type Postgres, startPostgres } from "../servers/postgres.ts";
import { type ImapProxy, startProxy } from "../servers/proxy.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";
import { keysFor } from "../servers/world.ts";
import { type Books, openBooks } from "./books.ts";
import { type RestlessDovecot, restless } from "./restless-dovecot.ts";
import type { Measured } from "./samples.ts";
import { type Turns, turns } from "./turns.ts";

/** A process of Godwit. */
export interface Resident extends Measured {
  working: Working;
}

/** One side's mail server: Godwit reaches it by the proxy, the witness itself. */
export interface Side extends RestlessDovecot {
  proxy: ImapProxy;
}

/** Everything the soak lives in. */
export interface House extends AsyncDisposable {
  old: Side;
  fresh: Side;
  postgres: Postgres;
  redis: RedisServer;
  databaseUrl: string;
  books: Books;
  /** Each with its people. */
  projects: { name: string; people: Person[] }[];
  bot: Resident;
  /** Lives all the time. */
  steady: Resident;
  /** Dies and is told to stop; null while there is none. */
  restless: Resident | null;
  /** Starts an engine in the place of the restless one, and answers when it carries. */
  startRestless(): Promise<void>;
  /** Every process there was. */
  all: Resident[];
  /** Nobody types while the database is at fault. */
  turns: Turns;
  /** Where the samples lie; it stays. */
  folder: string;
}

const inside = pathToFileURL(join(import.meta.dirname, "inside.ts")).href;
const names = ["ada", "bea", "cleo", "dora", "eve", "fay", "gus", "hal", "ida", "jo", "kim", "leo"];

/** Two Dovecots, PostgreSQL, Redis, a bot and two engines. `collectMs`: how often they collect all garbage. */
export async function openHouse(collectMs: number): Promise<House> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "godwit-soak-"));
  const side = async (): Promise<Side> => {
    const server = stack.use(await startDovecot());
    const proxy = stack.use(await startProxy(server));
    return { ...stack.use(restless(server)), proxy };
  };
  const [old, fresh] = [await side(), await side()];
  const postgres = stack.use(await startPostgres());
  const redis = stack.use(await startRedis());
  const databaseUrl = await postgres.fresh();
  const line = stack.use(
    await openCommandLine({
      DATABASE_URL: databaseUrl,
      QUEUE_URL: redis.url,
      GODWIT_KEYS: keysFor(databaseUrl),
      // Shorter than is asked for with PostgreSQL, so that passes come to their end: no engine is frozen here.
      GODWIT_QUIET_SECONDS: "5",
      GODWIT_PORT: String(await freePort()),
      MASTER: "masterpass",
    }),
  );
  const all: Resident[] = [];
  const start = async (name: string, words: string[], says: string): Promise<Resident> => {
    const healthPort = await freePort();
    const file = join(folder, `${name}-${all.length}.inside`);
    const working = line.start(words, {
      GODWIT_HEALTH_PORT: String(healthPort),
      NODE_OPTIONS: `--import=${inside}`,
      SOAK_INSIDE: file,
      SOAK_INSIDE_MS: String(collectMs),
    });
    const resident = { name, working, pid: working.pid, healthPort, inside: file };
    all.push(resident);
    void working.ended.then(({ stdout, stderr }) =>
      writeFile(join(folder, `${name}-${all.indexOf(resident)}.log`), `${stdout}\n${stderr}`),
    );
    await working.says(says);
    await working.says("Watched at");
    return resident;
  };
  const engine = (name: string) => start(name, ["engine"], "A Godwit engine carries for");
  // The first brings the database up to date.
  const bot = await start("bot", ["bot"], "The page, for this browser alone");
  const steady = await engine("engine");
  const house: Omit<House, typeof Symbol.asyncDispose> = {
    old,
    fresh,
    postgres,
    redis,
    databaseUrl,
    books: openBooks(databaseUrl),
    projects: [
      {
        name: "acme",
        people: names.slice(0, 7).map((one) => person(one, old.server, fresh.server)),
      },
      { name: "birch", people: names.slice(7).map((one) => person(one, old.server, fresh.server)) },
    ],
    bot,
    steady,
    restless: await engine("restless engine"),
    async startRestless() {
      house.restless = await engine("restless engine");
    },
    all,
    turns: turns(),
    folder,
  };
  const opened = stack.move();
  return Object.assign(house, { [Symbol.asyncDispose]: () => opened.disposeAsync() });
}
