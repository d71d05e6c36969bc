/**
 * What several engines bring, and what a long queue costs. First 10,000 mailboxes of one project and five of
 * another wait at once on PostgreSQL and Redis; then 1, 2 and 4 engine processes carry the same mailboxes between
 * two real servers made slow on purpose, and an independent client looks whether every mail stands there once.
 * Prints rows of Markdown; bench/RESULTS.md says what they mean.
 *   npm run bench:engines -- [mailboxes] [messages each] [milliseconds a round trip] [mailboxes that wait]
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { compare } from "../test/servers/checker.ts";
import { openCommandLine } from "../test/servers/command-line.ts";
import { startDovecot } from "../test/servers/dovecot.ts";
import { type Person, person, text } from "../test/servers/person.ts";
import { startPostgres } from "../test/servers/postgres.ts";
import { startRedis } from "../test/servers/redis.ts";
import { keysFor } from "../test/servers/world.ts";
import { longQueue } from "./long-queue.ts";
import { type Books, coresBusy, look, row } from "./rows.ts";

const [mailboxes = 24, letters = 60, roundTripMs = 50, waiting = 10_000] = process.argv
  .slice(2)
  .map(Number);

await using postgres = await startPostgres();
await using redis = await startRedis();
await longQueue(waiting, postgres, redis);
await using old = await startDovecot();
await using fresh = await startDovecot();
await using slowOld = await slowed(old, roundTripMs / 2);
await using slowFresh = await slowed(fresh, roundTripMs / 2);
row(
  "engines",
  "seconds",
  "to the first run",
  "mails a second",
  "against one",
  "cores busy",
  "seen",
);
row("---:", "---:", "---:", "---:", "---:", "---:", "---");
let one = 0;
for (const engines of [1, 2, 4]) one = await round(engines, one);

/** Carries fresh mailboxes with so many engines, and prints it; answers the pace of the first round. */
async function round(engines: number, first: number): Promise<number> {
  const people = Array.from({ length: mailboxes }, (_, n) =>
    person(`e${engines}p${n}`, old, fresh),
  );
  for (const { name, deliver } of people) {
    await deliver("INBOX", ...Array.from({ length: letters }, (_, n) => text(`${name} ${n}`)));
  }
  const databaseUrl = await postgres.fresh();
  await redis.ask("FLUSHALL");
  await using line = await openCommandLine({
    DATABASE_URL: databaseUrl,
    QUEUE_URL: redis.url,
    GODWIT_KEYS: keysFor(databaseUrl),
    MASTER: "masterpass",
  });
  const bot = line.start(["bot", "--no-page"]);
  await bot.says("Godwit's bot serves");
  const working = Array.from({ length: engines }, () => line.start(["engine"]));
  for (const engine of working) await engine.says("A Godwit engine carries for");
  for (const typed of [
    endpoint("old", slowOld),
    endpoint("new", slowFresh),
    "project new acme --from old --to new",
    `licenses add ${mailboxes} --note "order 1"`,
    ...people.map(({ name }) => `add ${name}@old.example ${name}@new.example`),
  ]) {
    bot.type(typed);
  }
  await using books = await look(databaseUrl);
  while ((await books.number("select count(*) from entries")) < mailboxes) await delay(50);

  const busy = coresBusy();
  const typed = Date.now();
  bot.type("full --yes");
  await bot.says(/Full pass of acme: (completed|failed|stopped)/);
  const cores = busy();
  const begun = (await books.number("select started_at from passes")) - typed;
  const seconds = ((await books.number("select ended_at from passes")) - typed) / 1000;
  const pace = (mailboxes * letters) / seconds;
  const against = first === 0 ? 1 : pace / first;
  const seen = await judge(people, books);
  row(
    ...[engines, seconds.toFixed(1), (begun / 1000).toFixed(1), Math.round(pace)],
    ...[against.toFixed(2), cores.toFixed(1), seen],
  );
  return first === 0 ? pace : first;
}

/** What an independent client and the rows say: every mail once, every run ended by one engine and once. */
async function judge(people: Person[], books: Books): Promise<string> {
  const wrong: string[] = [];
  for (const { name, source, target } of people) {
    const { lost, duplicated, foreign, present } = compare(await source(), await target());
    const amiss = lost.length + duplicated.length + foreign.length;
    if (amiss > 0 || present !== letters) {
      wrong.push(
        `${name}: ${present} present, ${lost.length} lost, ${duplicated.length} twice, ${foreign.length} strange`,
      );
    }
  }
  const told = (type: string) =>
    books.number(`select count(*) from news where body::json->>'type' = '${type}'`);
  const ended = await told("entry ended");
  const started = await told("pass started");
  if (ended !== mailboxes || started !== 1) {
    wrong.push(`${ended} ends of ${mailboxes} runs, ${started} starts of the pass were told`);
  }
  if (wrong.length > 0) process.exitCode = 1;
  // An entry's token rises each time an engine takes it: once to carry it, again where one comes too late.
  const late = (await books.number("select sum(token) from owners")) - mailboxes;
  const right = `${mailboxes * letters} mails there once, ${ended} runs ended once`;
  return `${wrong.length === 0 ? right : `WRONG: ${wrong.join("; ")}`}, ${late} taken after their end`;
}

function endpoint(name: string, { port }: { port: number }): string {
  return `endpoint new ${name} imap://127.0.0.1:${port} --login master --user master --password-env MASTER --insecure`;
}

/** Stands in front of a server: whatever passes, either way, comes so many ms later. */
async function slowed(
  to: { host: string; port: number },
  ms: number,
): Promise<AsyncDisposable & { port: number }> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ ...to, noDelay: true });
    for (const [from, into] of [[near, far] as const, [far, near] as const]) {
      from.on("data", (some) => setTimeout(() => into.write(some), ms));
      from.on("error", () => {});
      from.on("close", () => setTimeout(() => into.destroy(), ms));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
