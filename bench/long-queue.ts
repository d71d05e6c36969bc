import { setTimeout as delay } from "node:timers/promises";
import { presets } from "../engine/domain/policy.ts";
import type { Project } from "../engine/domain/project.ts";
import { Secret } from "../engine/domain/secret.ts";
import { engineDefaults, startEngine } from "../engine/engine.ts";
import { type Opened, openGodwit } from "../engine/open.ts";
import type { MemorySystem } from "../engine/providers/memory/provider.ts";
import { preview, submit } from "../engine/submit.ts";
import { text } from "../test/servers/person.ts";
import type { Postgres } from "../test/servers/postgres.ts";
import type { RedisServer } from "../test/servers/redis.ts";
import { keysFor } from "../test/servers/world.ts";
import { look, row } from "./rows.ts";

/** How many runs are seen to their end: more than are rung for at once. */
const watched = 3000;

const all = { kind: "full" as const, limit: null, selection: [], types: null };

/** Queues a large project and a small one, has one engine begin, and prints what that took. */
export async function longQueue(
  waiting: number,
  postgres: Postgres,
  redis: RedisServer,
): Promise<void> {
  const databaseUrl = await postgres.fresh();
  await using books = await look(databaseUrl);
  const godwit = await openGodwit({
    databaseUrl,
    queueUrl: redis.url,
    keys: keysFor(databaseUrl),
    settings: {},
    log: { info() {}, warn() {}, error: ({ err }, words) => console.error(words, err) },
    tell() {},
  });
  await using _open = godwit;
  const { passes, queue } = godwit.desk;
  const large = await projectOf(godwit, "large", waiting);
  const small = await projectOf(godwit, "small", 5);
  const before = { redis: await bytesOf(redis), rss: process.memoryUsage().rss };
  row(`${waiting} mailboxes of one project, 5 of another`, "");
  row("---", "---:");

  const plan = await took("plan of the large one, ms", () =>
    preview(all, large.id, false, godwit.desk),
  );
  const by = { who: "local:owner", thread: "local:main" };
  const pass = await took("its start, rings and all, ms", () => submit(plan, by, godwit.desk));
  const later = await preview(all, small.id, false, godwit.desk);
  const other = await took("start of the small one, ms", () => submit(later, by, godwit.desk));
  const rows = "(select count(*) from runs) + (select count(*) from license_movements)";
  row("rows of runs and licenses", await books.number(`select ${rows}`));
  row("Redis, KB more", Math.round(((await bytesOf(redis)) - before.redis) / 1024));
  row("the process, MB more", mega(process.memoryUsage().rss - before.rss));
  const turns = await took("a look of an engine, ms", () => passes.turns(200));
  await took("a look of the narrator at the large pass, ms", () => passes.snapshot(pass));
  const ofSmall = (await passes.snapshot(other)).runs.map(({ id }) => id);
  row(
    "places of the small one's runs in line",
    placesOf(
      ofSmall,
      turns.map(({ run }) => run),
    ),
  );

  const began = performance.now();
  const since = () => Math.round(performance.now() - began);
  const engine = startEngine(godwit.works, queue, engineDefaults);
  const told = `select count(*) from news where body::json->>'type' = 'entry ended'`;
  while ((await books.number("select count(*) from items")) === 0) await delay(2);
  row("from an engine's start to the first item, ms", since());
  let [at, then] = [0, 0];
  for (let step = 1000; step <= Math.min(waiting, watched); step += 1000) {
    while ((await books.number(told)) < step) await delay(20);
    const [count, now] = [await books.number(told), since()];
    row(`runs a second up to the ${step}th`, Math.round(((count - at) * 1000) / (now - then)));
    [at, then] = [count, now];
  }
  await engine[Symbol.asyncDispose]();
  const ends = await books.numbers(
    `select body::json->>'run' from news where body::json->>'type' = 'entry ended' order by id`,
  );
  row("places of the small one's runs among those ended", placesOf(ofSmall, ends));
  row("runs ended twice", ends.length - new Set(ends).size);
  row("the process at its largest, MB", mega(process.resourceUsage().maxRSS * 1024));
  process.stdout.write("\n");
}

/** A project with so many mailboxes of one mail each, in a mail system of this process. */
async function projectOf(godwit: Opened, name: string, count: number): Promise<Project> {
  const { projects, licenses } = godwit.desk;
  const [source, target] = await Promise.all(
    [`${name}-old`, `${name}-new`].map((end) =>
      projects.addEndpoint({
        ...{
          name: end,
          provider: "memory",
          host: end,
          port: 143,
          security: "none",
          login: "master",
        },
        ...{
          masterUser: "master",
          masterFormat: "star",
          masterPassword: new Secret("masterpass"),
          ca: null,
        },
        ...{ fingerprint: null, inward: true },
      }),
    ),
  );
  const project = await projects.create({
    name,
    sourceEndpoint: source!.id,
    targetEndpoint: target!.id,
    policy: presets.rackspace,
    zone: "Europe/Berlin",
  });
  await licenses.grant(project.id, count, "bench", "order 1");
  const system = godwit.works.providers.memory as MemorySystem;
  const own = { sourceUser: null, sourcePassword: null, targetUser: null, targetPassword: null };
  const entries = Array.from({ length: count }, (_, n) => ({
    source: `p${n}@${name}-old.example`,
    target: `p${n}@${name}-new.example`,
    ...own,
  }));
  await projects.add(project.id, entries);
  for (const { source: at } of entries) system.deliver(at, "INBOX", Buffer.from(text(at)));
  return project;
}

async function took<Answer>(what: string, work: () => Promise<Answer>): Promise<Answer> {
  const began = performance.now();
  const answer = await work();
  row(what, Math.round(performance.now() - began));
  return answer;
}

async function bytesOf(redis: RedisServer): Promise<number> {
  const info = String(await redis.ask("INFO", "memory"));
  return Number(/used_memory:(\d+)/.exec(info)?.[1]);
}

/** Where these stand among all; 1 is the first, 0 is nowhere. */
function placesOf(some: number[], among: number[]): string {
  return some.map((one) => among.indexOf(one) + 1).join(", ");
}

const mega = (bytes: number) => Math.round(bytes / 1024 / 1024);
