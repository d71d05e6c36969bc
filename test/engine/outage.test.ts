import { afterAll, beforeAll, expect, test } from "vitest";
import { startNarrating } from "../../bot/narrating.ts";
import { startWatching } from "../../engine/cutover.ts";
import type { Clock } from "../../engine/domain/clock.ts";
import { UnavailableError } from "../../engine/domain/errors.ts";
import { triesOf } from "../../engine/domain/outage.ts";
import { startEngine } from "../../engine/engine.ts";
import { openGodwit } from "../../engine/open.ts";
import { memoryQueue } from "../../engine/queues/memory.ts";
import { startTicking } from "../../engine/ticker.ts";
import { openGate } from "../servers/gate.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { keysFor } from "../servers/world.ts";

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());

function logBook() {
  const lines: string[] = [];
  const line = (level: string) => (facts: Record<string, unknown>, text: string) =>
    void lines.push([level, text, facts.err ?? facts.reason ?? ""].join("; "));
  return { lines, log: { info: line("info"), warn: line("warn"), error: line("error") } };
}

const away = "The database does not answer.";

test("a database that is gone for a while is one line, whatever is tried meanwhile, and its end another", async () => {
  const url = new URL(await postgres.fresh());
  await using gate = await openGate({ host: "127.0.0.1", port: Number(url.port) });
  url.port = String(gate.port);
  const { lines, log } = logBook();
  await using godwit = await openGodwit({
    databaseUrl: url.href,
    keys: keysFor(url.href),
    settings: {},
    log,
    tell() {},
  });
  const { desk, works, seats, vitals } = godwit;
  const rounds = { told: 0, started: 0, watched: 0 };
  const turns = (of: keyof typeof rounds): Clock => ({
    now: desk.clock.now,
    async sleep(_, signal) {
      rounds[of] += 1;
      await desk.clock.sleep(10, signal);
    },
  });
  const speaker = { tick: async () => void (await desk.newsroom.live()) };
  await using _bot = startNarrating([speaker], "narrator-local", seats, turns("told"), log);
  await using _ticker = startTicking(desk, [], turns("started"), log);
  await using _watcher = startWatching(desk, turns("watched"), log);
  await using queue = memoryQueue();
  const pace = { concurrency: 1, lookMs: 10, wantedMs: 10 };
  await using _engine = startEngine({ ...works, log }, queue, pace);
  await expect.poll(() => Math.min(...Object.values(rounds))).toBeGreaterThan(2);

  gate.cut();
  const before = { ...rounds };
  const since = () =>
    Object.entries(rounds).map(([of, n]) => n - before[of as keyof typeof rounds]);
  await expect.poll(() => Math.min(...since()), { timeout: 10_000 }).toBeGreaterThan(5);
  expect(lines).toEqual([`error; work waits until this is over; UnavailableError: ${away}`]);

  gate.open();
  await expect.poll(() => lines.length, { timeout: 10_000 }).toBeGreaterThan(1);
  await vitals.answers();
  const seen = { ...rounds };
  await expect.poll(() => rounds.started - seen.started).toBeGreaterThan(5);
  expect(lines.slice(1)).toEqual([`info; work goes on: this is over; ${away}`]);
});

test("an outage is over when all that met it work again, and the next is told anew", () => {
  const { lines, log } = logBook();
  const [one, other] = [triesOf("one", log), triesOf("other", log)];
  const gone = new UnavailableError(away);
  for (const tries of [one, other, one]) tries.failed(gone);
  other.worked();
  other.worked();
  expect(lines).toHaveLength(1);
  one.worked();
  expect(lines).toHaveLength(2);

  other.failed(gone);
  expect(lines).toHaveLength(3);
});

test("a fault of ours is told by its own name, beside an outage, and again where it is another", () => {
  const { lines, log } = logBook();
  const tries = triesOf("what is due could not be started", log);
  triesOf("another", log).failed(new UnavailableError(away));
  for (const error of [new Error("a"), new Error("a"), new Error("b")]) tries.failed(error);
  tries.worked();

  const mine = "what is due could not be started";
  expect(lines.slice(1)).toEqual([
    `error; ${mine}; Error: a`,
    `error; ${mine}; Error: b`,
    `info; ${mine}: this is over; ${mine}: Error: a`,
    `info; ${mine}: this is over; ${mine}: Error: b`,
  ]);
});

test("processes, each with a log of its own, tell each for itself", () => {
  const [here, there] = [logBook(), logBook()];
  for (const { log } of [here, there]) triesOf("one", log).failed(new UnavailableError(away));
  expect([here.lines.length, there.lines.length]).toEqual([1, 1]);
});
