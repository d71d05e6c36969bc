/**
 * What the processes take: a `bot`, an `engine` that has nothing to do and one that carries four mailboxes, on one
 * PostgreSQL and one Redis, or `serve` on SQLite. Prints rows of Markdown: resident memory now and at its largest
 * (VmRSS, VmHWM), connections to PostgreSQL by who holds them, and Redis's own memory.
 *   npm run bench:processes -- [messages a mailbox] [bytes each]
 */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { letters } from "../test/doubles/letters.ts";
import { openCommandLine, type Working } from "../test/servers/command-line.ts";
import { startDovecot } from "../test/servers/dovecot.ts";
import { person } from "../test/servers/person.ts";
import { startPostgres } from "../test/servers/postgres.ts";
import { startRedis } from "../test/servers/redis.ts";
import { row } from "./rows.ts";

const [many = 3_000, bytes = 20_000] = process.argv.slice(2).map(Number);
const settleMs = 15_000;

await using old = await startDovecot();
await using fresh = await startDovecot();
for (const name of ["ada", "bea", "cleo", "dora", "emil", "fay", "gus", "hal"]) {
  const size = { min: bytes / 4, max: bytes * 2 };
  const mails = letters({ seed: name.length + name.charCodeAt(0), count: many, size });
  await person(name, old, fresh).deliver("INBOX", ...mails.map(({ raw }) => ({ body: raw })));
}
row("process", "MB now", "MB at most");
row("---", "---:", "---:");
await shared();
await alone();

/** The bot and engines on PostgreSQL and Redis. */
async function shared(): Promise<void> {
  await using postgres = await startPostgres();
  await using redis = await startRedis();
  const databaseUrl = await postgres.fresh();
  await using line = await openCommandLine({
    DATABASE_URL: databaseUrl,
    QUEUE_URL: redis.url,
    GODWIT_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
    GODWIT_HEALTH_PORT: null,
    MASTER: "masterpass",
  });
  const bot = line.start(["bot", "--no-page"]);
  const idle = line.start(["engine"]);
  await idle.says("A Godwit engine carries for");
  await delay(settleMs);
  await tell("`bot`, nothing to do", bot);
  await tell("`engine`, nothing to do", idle);
  const before = await connections(databaseUrl);
  for (const typed of setUp(["ada", "bea", "cleo", "dora"])) bot.type(typed);
  const most = new Map<string, number>();
  const peak = async () => {
    for (const [who, count] of await connections(databaseUrl)) {
      most.set(who, Math.max(most.get(who) ?? 0, count));
    }
  };
  const done = bot.says(/Full pass of acme: completed/);
  await until(done, peak);
  await tell("`engine`, after four mailboxes at once", idle);
  await tell("`bot`, meanwhile", bot);
  row("", "", "");
  row("connections to PostgreSQL", "with nothing to do", "at most");
  row("---", "---:", "---:");
  for (const who of new Set([...before.keys(), ...most.keys()])) {
    row(`${who}, of both processes`, before.get(who) ?? 0, most.get(who) ?? 0);
  }
  const memory = String(await redis.ask("INFO", "memory"));
  const clients = String(await redis.ask("INFO", "clients"));
  row("", "", "");
  row(
    "Redis",
    `${/used_memory_peak_human:(\S+)/.exec(memory)?.[1]} at most`,
    `${/connected_clients:(\d+)/.exec(clients)?.[1]} connections`,
  );
}

/** Everything in one process, on SQLite. */
async function alone(): Promise<void> {
  await using line = await openCommandLine({ MASTER: "masterpass" });
  const serve = line.start(["serve", "--no-page"]);
  await serve.says("Type `help`");
  await delay(settleMs);
  row("", "", "");
  await tell("`serve` on SQLite, nothing to do", serve);
  for (const typed of setUp(["emil", "fay", "gus", "hal"])) serve.type(typed);
  await serve.says(/Full pass of acme: completed/);
  await tell("`serve` on SQLite, after four mailboxes at once", serve);
}

function setUp(people: string[]): string[] {
  const at = (name: string, port: number) =>
    `endpoint new ${name} imap://127.0.0.1:${port} --login master --user master --password-env MASTER --insecure`;
  return [
    at("old", old.port),
    at("new", fresh.port),
    "project new acme --from old --to new",
    'licenses add 10 --note "order 1"',
    ...people.map((one) => `add ${one}@old.example ${one}@new.example`),
    "full --yes",
  ];
}

async function tell(what: string, { pid }: Working): Promise<void> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const mb = (field: string) =>
    Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024);
  row(what, mb("VmRSS"), mb("VmHWM"));
}

/** Sessions of this database, by the name they gave. */
async function connections(url: string): Promise<Map<string, number>> {
  const client = new pg.Client({ connectionString: url, application_name: "the benchmark" });
  await client.connect();
  try {
    const { rows } = await client.query<{ who: string; n: string }>(
      "select application_name as who, count(*) as n from pg_stat_activity where datname = current_database() and application_name <> 'the benchmark' group by 1 order by 1",
    );
    return new Map(rows.map(({ who, n }) => [who, Number(n)]));
  } finally {
    await client.end();
  }
}

async function until(done: Promise<void>, meanwhile: () => Promise<void>): Promise<void> {
  let over = false;
  const ended = done.then(() => {
    over = true;
  });
  while (!over) {
    await meanwhile();
    await Promise.race([ended, delay(200)]);
  }
}
