import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type Bot, makeBot } from "../bot/bot.ts";
import { commands } from "../bot/commands/table.ts";
import { startNarrating } from "../bot/narrating.ts";
import { makeNarrator } from "../bot/narrator.ts";
import type { Surface } from "../bot/surface.ts";
import { localIncoming, localPerson } from "../bot/surfaces/local/chat.ts";
import { localChannel, localSurface } from "../bot/surfaces/local/surface.ts";
import { wallClock } from "../engine/domain/clock.ts";
import { ended, type PassId, type PassSnapshot } from "../engine/domain/pass.ts";
import { presets } from "../engine/domain/policy.ts";
import type { Project } from "../engine/domain/project.ts";
import { Secret } from "../engine/domain/secret.ts";
import { engineDefaults, startEngine } from "../engine/engine.ts";
import { type Opened, openGodwit } from "../engine/open.ts";
import { type MemorySystem, memorySystem } from "../engine/providers/memory/provider.ts";
import { keysFor } from "../test/servers/world.ts";
import { row } from "./rows.ts";
import { cpuSpent } from "./scale-cpu.ts";

/** A Godwit with its bot and narrator, one channel and one project, between two mail systems of this process. */
export interface ScaleWorld extends AsyncDisposable {
  godwit: Opened;
  project: Project;
  system: MemorySystem;
  /** What the channel was told so far. */
  told: { posts: number; edits: Date[]; replies: number };
  /** What `import` finds in every file. */
  file: { text: string };
  /** Types a line and answers how many ms its answer took. */
  type(line: string): Promise<number>;
  /** The same, as a row of a table, with the CPU time of this process and of PostgreSQL. */
  timed(line: string, what?: string): Promise<void>;
  /** The newest pass. */
  newest(): Promise<PassId>;
  /** Has so many engines of this process carry until the pass has ended; `look` is called from time to time. */
  carried(pass: PassId, engines: number, look?: () => Promise<void>): Promise<PassSnapshot>;
}

export async function scaleWorld(databaseUrl: string): Promise<ScaleWorld> {
  const system = memorySystem();
  const open = () => openOn(databaseUrl, system);
  const godwit = await open();
  const { desk } = godwit;
  const project = await acme(godwit);
  const told: ScaleWorld["told"] = { posts: 0, edits: [], replies: 0 };
  const file = { text: "" };
  const surface = counting(localSurface(desk.transcript), told);
  const bot = makeBot({
    desk,
    surfaces: [surface],
    commands,
    machine: { env: () => undefined, readFile: async () => file.text, ownVariables: [] },
    options: { owners: ["local:owner"], endpointsAllowed: [] },
    log: { error: ({ err }, words) => console.error(words, err) },
  });
  const narrator = makeNarrator({ desk, surfaces: [surface], clock: wallClock });
  const log = { info() {}, error: ({ err }: Record<string, unknown>) => console.error(err) };
  const narrating = startNarrating([narrator], "narrator-local", godwit.seats, wallClock, log);
  const type = (line: string) => typed(line, bot);
  return {
    ...{ godwit, project, system, told, file, type },
    async timed(line, what) {
      const cpu = cpuSpent();
      const ms = await type(line);
      const { own, database } = cpu();
      row(what ?? `\`${line}\``, ...[ms, own, database].map(Math.round));
    },
    async newest() {
      const row = await godwit.database.knex("passes").orderBy("id", "desc").first("id");
      return row!.id;
    },
    async carried(pass, engines, look) {
      await using others = new AsyncDisposableStack();
      for (let n = 0; n < engines; n += 1) {
        const own = n === 0 ? godwit : others.use(await open());
        others.use(startEngine(own.works, own.desk.queue, engineDefaults));
      }
      for (;;) {
        await look?.();
        const row = await godwit.database.knex("passes").where({ id: pass }).first("state");
        if (ended(row!.state)) return desk.passes.snapshot(pass);
        await delay(250);
      }
    },
    async [Symbol.asyncDispose]() {
      await narrating[Symbol.asyncDispose]();
      await godwit[Symbol.asyncDispose]();
      const { file: own } = godwit.database;
      if (own === null) return;
      for (const end of ["", "-wal", "-shm", ".locks"]) {
        await rm(`${own}${end}`, { recursive: true, force: true });
      }
    },
  };
}

async function openOn(databaseUrl: string, memory: MemorySystem): Promise<Opened> {
  const godwit = await openGodwit({
    databaseUrl,
    keys: keysFor(databaseUrl),
    settings: {},
    log: { info() {}, warn() {}, error: ({ err }, words) => console.error(words, err) },
    tell() {},
  });
  Object.assign(godwit.works.providers, { memory });
  return godwit;
}

async function acme({ desk }: Opened): Promise<Project> {
  const [source, target] = await Promise.all(
    ["old", "new"].map((name) =>
      desk.projects.addEndpoint({
        ...{ name, provider: "memory", host: name, port: 143, security: "none", login: "master" },
        ...{ masterUser: "master", masterFormat: "star", masterPassword: new Secret("masterpass") },
        ...{ ca: null, fingerprint: null, inward: true },
      }),
    ),
  );
  const project = await desk.projects.create({
    name: "acme",
    sourceEndpoint: source!.id,
    targetEndpoint: target!.id,
    policy: presets.rackspace,
    zone: "Europe/Berlin",
  });
  await desk.projects.link(localChannel, project.id);
  return project;
}

/** Counts what it hands on. */
function counting(surface: Surface, told: ScaleWorld["told"]): Surface {
  return {
    ...surface,
    post(...words) {
      told.posts += 1;
      return surface.post(...words);
    },
    edit(...words) {
      told.edits.push(new Date());
      return surface.edit(...words);
    },
    reply(...words) {
      told.replies += 1;
      return surface.reply(...words);
    },
  };
}

async function typed(line: string, bot: Bot): Promise<number> {
  const began = performance.now();
  const { result } = await bot.handle(localIncoming(line, localPerson(null)));
  if (result !== "accepted") throw new Error(`${line} was not accepted.`);
  return performance.now() - began;
}
