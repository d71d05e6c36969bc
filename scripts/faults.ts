/**
 * The long form of the fault matrix (docs/faults.md): real servers, engines and databases, a fault after another,
 * and a witness that shares no code with the engine.
 *   npm run faults -- [kills|cuts|servers|redis|database|double|random|all] [times] [--seed n]
 *                     [--database sqlite|postgres|both]
 * `times` is how many of each, on each database.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { cuts } from "../test/faults/cuts.ts";
import { database } from "../test/faults/database.ts";
import { double } from "../test/faults/double.ts";
import { kills } from "../test/faults/kills-random.ts";
import { random } from "../test/faults/random.ts";
import { redis } from "../test/faults/redis.ts";
import { servers } from "../test/faults/server-kills.ts";
import type { Suite, Tally } from "../test/faults/suite.ts";
import { isDamage } from "../test/faults/tally.ts";
import { binaries } from "../test/servers/postgres.ts";
import { type Asked, faultWords } from "./faults-words.ts";
import { provideServers } from "./servers.ts";

/** Run on each database that is asked for. */
const onEither: Suite[] = [kills, cuts, servers];
/** Those about databases and queues bring their own, and are run once. */
const onTheirOwn: Suite[] = [redis, database, double];
/** That needs no server at all. */
const inMemory: Suite[] = [random];
const suites = [...onEither, ...onTheirOwn, ...inMemory];

/** Lines of what is wrong that are shown of a suite. */
const shownWrong = 20;

interface Row extends Tally {
  suite: Suite;
  /** The database. */
  on: string;
  seconds: number;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const asked = faultWords(
  process.argv.slice(2),
  suites.map(({ name }) => name),
);
if (typeof asked === "string") {
  process.stderr.write(`${asked}\n`);
  process.exitCode = 1;
} else if (needsServers(asked) && !provideServers()) process.exitCode = 1;
else process.exitCode = await runAll(asked);

function needsServers({ suites: names }: Asked): boolean {
  return suites.some((suite) => names.includes(suite.name) && !inMemory.includes(suite));
}

async function runAll(words: Asked): Promise<number> {
  const { suites: names, times, databases } = words;
  const seed = words.seed ?? Date.now() % 1_000_000;
  const node = `Node ${process.versions.node}`;
  say(`seed ${seed}; ${(needsServers(words) ? [node, ...versions()] : [node]).join(", ")}`);
  const rows: Row[] = [];
  for (const suite of suites.filter(({ name }) => names.includes(name))) {
    for (const on of onEither.includes(suite) ? databases : (["own"] as const)) {
      const tell = (line: string) => say(`${suite.name}, ${on}: ${line}`);
      const began = performance.now();
      const tally = await suite
        .run({
          times: times ?? suite.times,
          seed,
          database: on === "own" ? "postgres" : on,
          tell,
        })
        .catch(brokenOff);
      const seconds = Math.round((performance.now() - began) / 1000);
      rows.push({ ...tally, suite, on, seconds });
      for (const line of tally.wrong.slice(0, shownWrong)) tell(line);
      tell(`${tally.faults} faults in ${seconds} s${isDamage(tally) ? ": NOT AS PROMISED" : ""}`);
    }
  }
  say(`\n${table(rows)}\n`);
  return rows.some(isDamage) ? 1 : 0;
}

/** A suite that cannot go on has shown nothing. */
function brokenOff(error: unknown): Tally {
  const wrong = [`broken off: ${error instanceof Error ? error.stack : error}`];
  return { faults: 0, carried: 0, lost: 0, duplicated: 0, foreign: 0, wrong };
}

function table(rows: Row[]): string {
  const head =
    "| row | suite | database | faults | mails there | lost | duplicated | foreign | wrong | seconds |";
  const lines = rows.map((one) => {
    const { suite, on, faults, carried, lost, duplicated, foreign, wrong, seconds } = one;
    const cells = [suite.row, suite.name, on, faults, carried, lost, duplicated, foreign];
    return `| ${[...cells, wrong.length, seconds].join(" | ")} |`;
  });
  return [head, `|${"---|".repeat(10)}`, ...lines].join("\n");
}

/** Of the servers. */
function versions(): string[] {
  const first = (program: string, words: RegExp) =>
    words.exec(execFileSync(program, ["--version"], { encoding: "utf8" }))?.[1] ?? "of no version";
  return [
    `Dovecot ${first("dovecot", /^(\S+)/)}`,
    `PostgreSQL ${first(join(binaries(), "postgres"), /(\d[\d.]*)/)}`,
    `Redis ${first("redis-server", /v=(\S+)/)}`,
  ];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
