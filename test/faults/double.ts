import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { ended, type PassId } from "../../engine/domain/pass.ts";
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { testPace } from "../contracts/queue-pace.ts";
import { dice } from "../doubles/letters.ts";
import { compare } from "../servers/checker.ts";
import { type Dovecot, startDovecot } from "../servers/dovecot.ts";
import { startPostgres } from "../servers/postgres.ts";
import { startProxy } from "../servers/proxy.ts";
import { startRedis } from "../servers/redis.ts";
import { startWorld, type World } from "../servers/world.ts";
import { type Double, type Settings, startDouble } from "./doubles.ts";
import { until } from "./house.ts";
import { dump } from "./kills.ts";
import type { Suite, Tally } from "./suite.ts";
import { sumOf, tallyOf } from "./tally.ts";

const log = { info() {}, warn() {} };
const letsGo = "LOG this engine lost its hold on the mailbox and lets go";
/** So that a frozen engine's lock is not trusted for longer than 0.7 s; the quiet time is more than that. */
const quick = { every: 100, within: 300 };
const quietMs = 1_500;

/** What stands while one double run after another is made. */
export type Stage = Awaited<ReturnType<typeof openStage>>;

export interface How {
  /** At which asking whether bytes may leave the owner blocks or freezes; null for a moment of the parent's. */
  at: number | null;
  ms: number;
  /** The control: the owner does not hear that its lock is lost. */
  deaf?: boolean;
}

/** Two mail servers and a world on each database; for PostgreSQL's the new one is behind a proxy that remembers. */
export async function openStage(runs: number) {
  await using stack = new AsyncDisposableStack();
  const [old, fresh] = [stack.use(await startDovecot()), stack.use(await startDovecot())];
  const proxy = stack.use(await startProxy(fresh));
  const postgres = stack.use(await startPostgres());
  const redis = stack.use(await startRedis());
  const databaseUrl = await postgres.fresh();
  const size = { licenses: 2 * runs };
  const server = stack.use(await startWorld(old, proxy, { ...size, databaseUrl }));
  const file = stack.use(await startWorld(old, fresh, size));
  const queue = stack.use(bullmqQueue(redis.url, log, testPace));
  let people = 0;
  const opened = stack.move();
  return {
    old,
    fresh,
    proxy,
    server,
    file,
    redis,
    queue,
    nextName: () => `double${++people}`,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

type Run = (stage: Stage, how: How) => Promise<Tally>;

/** The owner's process does nothing for longer than its ring is its own, and the ring is given to the other. */
export const stalled: Run = async (stage, how) => {
  await using run = await begin(stage, stage.server, how, {
    queueUrl: stage.redis.url,
    lookMs: 4_000,
    act: { at: how.at ?? 5, ms: how.ms },
  });
  const [, other] = await run.acted();
  await until("the other hears of it", () => other.times("BUSY") > 0);
  return await run.tally();
};

/** Two processes are started on one entry at the same moment. */
export const together = (where: "server" | "file"): Run =>
  async function together(stage, how) {
    await using run = await begin(stage, stage[where], how, { lookMs: 20, act: null });
    return await run.tally();
  };

/** The owner is frozen: the other waits for its death, or for its thaw, and here it thaws. */
export const frozenAndThawed = (where: "server" | "file"): Run =>
  async function frozen(stage, how) {
    await using run = await begin(stage, stage[where], how, { lookMs: 50, act: null });
    const [owner, other] = await run.taken();
    // Long before it has done with it.
    await delay(how.ms / 50);
    owner.freeze();
    const tries = other.times("BUSY");
    await until("the other asks", () => other.times("BUSY") > tries);
    await delay(how.ms);
    const took = other.times("TAKEN");
    owner.thaw();
    const tally = await run.tally();
    if (took > 0) tally.wrong.push("the other took what the frozen one owned");
    return tally;
  };

/**
 * The owner is frozen and its session ends, as where a server gives up on it; the other takes over. The owner thaws
 * when all is done, or `how.ms` after its session ended where no point is given, and sends nothing.
 */
export const takenOver: Run = async (stage, how) => {
  const act = how.at === null ? null : { at: how.at, ms: null };
  await using run = await begin(stage, stage.server, how, { lookMs: 50, act });
  const [owner, other] = await (act === null ? run.taken() : run.acted());
  if (act === null) {
    await delay(how.ms / 20);
    owner.freeze();
  }
  await endLocks(stage.server.databaseUrl);
  if (act === null) await delay(how.ms);
  else await run.over();
  const sent = stage.proxy.commands.length;
  owner.thaw();
  if (act !== null) {
    await until("the owner lets go", () => owner.times(letsGo) > 0);
    const late = stage.proxy.commands.slice(sent).filter((line) => /^APPEND /i.test(line));
    if (late.length > 0) run.wrong.push(`${late.length} letters were sent after the thaw`);
    if (other.times("TAKEN") === 0) run.wrong.push("nobody took over");
  }
  return await run.tally();
};

/** Two engines and a mailbox of forty-five letters, every third of them twice. */
async function begin(
  { old, fresh, queue, nextName }: Stage,
  world: World,
  how: How,
  change: Partial<Settings>,
) {
  const name = nextName();
  const [from, to] = [`${name}@old.example`, `${name}@new.example`];
  await deliver(old, from);
  await world.add(name);
  const settings: Settings = {
    databaseUrl: world.databaseUrl,
    queueUrl: null,
    lookMs: 50,
    quietMs,
    heartbeat: quick,
    act: null,
    deaf: how.deaf === true,
    ...change,
  };
  await using stack = new AsyncDisposableStack();
  const both = await Promise.all([startDouble(settings), startDouble(settings)]);
  for (const one of both) stack.use(one);
  const pass = await world.submit("full", { selection: [from] });
  for (const { run, turn } of await world.godwit.desk.passes.turns(10)) await queue.ring(run, turn);
  const over = () =>
    until(`the pass of ${name} ends`, () => isOver(world, pass), 60_000).catch((error) => {
      const told = both.map(({ said }) => said.join(", ")).join("; the other: ");
      throw new Error(`${error.message} One said: ${told}`);
    });
  const first = async (line: string): Promise<[Double, Double]> => {
    await until(`one says ${line}`, () => both.some((one) => one.times(line) > 0));
    const at = both.findIndex((one) => one.times(line) > 0);
    const [owner, other] = [both[at]!, both[1 - at]!];
    other.disarm();
    return [owner, other];
  };
  const wrong: string[] = [];
  const opened = stack.move();
  return {
    wrong,
    over,
    acted: () => first("ACT"),
    taken: () => first("TAKEN"),
    /** What stands in the end. */
    async tally(): Promise<Tally> {
      await over();
      await opened.disposeAsync();
      const { state } = await world.godwit.desk.passes.snapshot(pass);
      if (state !== "completed") wrong.push(`${name}: ${state}`);
      return tallyOf(1, compare(await dump(old, from), await dump(fresh, to)), wrong);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function isOver({ godwit }: World, pass: PassId): Promise<boolean> {
  return ended((await godwit.desk.passes.snapshot(pass)).state);
}

/** Larger than what goes along with a command: the server is asked first. */
async function deliver(server: Dovecot, user: string): Promise<void> {
  await using client = await server.login(user);
  await client.appendMany(
    "INBOX",
    Array.from({ length: 45 }, (_, n) => {
      const words = `letter ${n % 3 === 2 ? n - 1 : n}`;
      return { body: `Subject: ${words}\r\n\r\n${`${words}\r\n`.repeat(500)}` };
    }),
  );
}

/** Ends the sessions that hold locks of entries. */
async function endLocks(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = $1 and granted",
      [0x60d301],
    );
  } finally {
    await client.end();
  }
}

const kinds: Record<string, Run> = {
  "a stalled ring": stalled,
  "two started together": together("server"),
  "two started together on SQLite": together("file"),
  "the owner frozen": frozenAndThawed("server"),
  "the owner frozen on SQLite": frozenAndThawed("file"),
  "the owner frozen and its session ended": takenOver,
};

/**
 * F7: the same run given to two engines, in processes of their own between two real servers, whatever database is
 * asked for. The one that does not own the entry leaves it alone; one that owned it sends nothing more.
 */
export const double: Suite = {
  name: "double",
  row: "F7",
  times: 30,
  async run({ times, seed, tell }) {
    const random = dice(seed);
    await using stage = await openStage(times);
    const tallies: Tally[] = [];
    const names = Object.keys(kinds);
    for (let n = 0; n < times; n += 1) {
      // The last of them is the classic hole: every second turn is its.
      const kind = n % 2 === 1 ? names.at(-1)! : names[(n / 2) % (names.length - 1)]!;
      const how = {
        at: n % 4 === 3 ? null : 1 + Math.floor(random() * 60),
        ms: kind === "a stalled ring" ? 2_000 + random() * 1_500 : random() * 3_000,
      };
      const tally = await kinds[kind]!(stage, how);
      tallies.push(tally);
      tell(`${n + 1} ${kind}, ${JSON.stringify(how)}`);
    }
    return sumOf(tallies);
  },
};
