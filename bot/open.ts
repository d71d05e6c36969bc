import { readFile } from "node:fs/promises";
import { startWatching } from "../engine/cutover.ts";
import { wallClock } from "../engine/domain/clock.ts";
import type { Queue } from "../engine/domain/queue.ts";
import type { Contacts } from "../engine/domain/thread.ts";
import { type Engine, engineDefaults, startEngine } from "../engine/engine.ts";
import { type Opened, openGodwit } from "../engine/open.ts";
import { startTicking } from "../engine/ticker.ts";
import { makeBoardKeeper } from "./board.ts";
import { type Bot, makeBot } from "./bot.ts";
import type { BotOptions } from "./command.ts";
import { commands } from "./commands/table.ts";
import type { Config } from "./config.ts";
import { makeCrier } from "./crier.ts";
import { makeCutoverTeller } from "./cutover-teller.ts";
import type { Health } from "./health.ts";
import type { Log } from "./log.ts";
import { startNarrating } from "./narrating.ts";
import { makeNarrator, type Narrator } from "./narrator.ts";
import { editMs, paceOf } from "./pace.ts";
import type { QueueBoard } from "./queue-board/serve.ts";
import { makeReminding } from "./reminding.ts";
import type { Platform, Surface } from "./surface.ts";
import { localSurface } from "./surfaces/local/surface.ts";
import { makeWarner } from "./warner.ts";

/** What a process is for. `typing` plays one person at this machine, and carries what they start. */
export type Part = "everything" | "bot" | "typing";

/** Everything that works while a verb speaks. */
export interface Stage extends AsyncDisposable {
  godwit: Opened;
  bot: Bot;
  platforms: Platform[];
  /** Null where nobody is to watch. */
  health: Health | null;
  /** Null where nobody is to look at the queue. */
  board: QueueBoard | null;
}

/** What this process needs of the machine it runs on. */
export interface Surroundings {
  env(name: string): string | undefined;
  /** Told once, when a key file was made. */
  tell(text: string): void;
  log: Log;
}

/** Opens the database and what speaks and carries in this process. Throws `UserError` where that cannot work. */
export async function openStage(
  config: Config,
  part: Part,
  { env, tell, log }: Surroundings,
): Promise<Stage> {
  const owners = ownersOf(config);
  await using stack = new AsyncDisposableStack();
  const godwit = stack.use(await open(config, { tell, log }));
  const { desk, seats } = godwit;
  let engine: Engine | null = null;
  const carrying = () => engine?.carrying() ?? 0;
  const health = part === "typing" ? null : await openHealth(config, godwit, carrying, log);
  stack.use(health);
  const platforms = part === "typing" ? [] : await openPlatforms(config, desk.contacts, log);
  const surfaces = [localSurface(desk.transcript), ...platforms.map((one) => one.surface)];
  for (const surface of surfaces) {
    const seat = `narrator-${surface.name}` as const;
    const speakers = speakersOn(surface, godwit, part, log);
    stack.use(startNarrating(speakers, seat, seats, wallClock, log));
  }
  // Who only types a command is no reason for others' passes to begin.
  if (part !== "typing") stack.use(startCalendar(godwit, owners, log));
  if (part !== "bot") {
    engine = stack.use(engineOver(godwit, config, log));
  }
  // The first thing of all that end.
  stack.defer(() => health?.stance("closing"));
  const { endpointsAllowed } = config;
  const machine = {
    env,
    readFile: (path: string) => readFile(path, "utf8"),
    ownVariables: [],
  };
  const board = part === "typing" ? null : await openBoard(config, desk.queue, owners, log);
  stack.use(board);
  const options: BotOptions = { owners, endpointsAllowed };
  if (config.board !== null) options.board = board ?? "elsewhere";
  const bot = makeBot({ desk, surfaces, commands, machine, options, log });
  const opened = stack.move();
  return {
    godwit,
    bot,
    platforms,
    health,
    board,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** An engine by itself, and the calendar: what is due starts whichever process is alive. */
export async function openEngine(
  config: Config,
  { tell, log }: Surroundings,
): Promise<Pick<Stage, "health"> & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const godwit = stack.use(await open(config, { tell, log }));
  let engine: Engine | null = null;
  const health = await openHealth(config, godwit, () => engine?.carrying() ?? 0, log);
  stack.use(health);
  stack.use(startCalendar(godwit, ownersOf(config), log));
  engine = stack.use(engineOver(godwit, config, log));
  stack.defer(() => health?.stance("closing"));
  const opened = stack.move();
  return { health, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function engineOver({ works, desk }: Opened, { mailboxes }: Config, log: Log): Engine {
  const options = { ...engineDefaults, concurrency: mailboxes };
  return startEngine({ ...works, log }, desk.queue, options);
}

/** Where those who watch ask; null where nobody is to. Prometheus's words are loaded only then. */
async function openHealth(
  { healthPort, host }: Config,
  { vitals, desk }: Opened,
  carrying: () => number,
  log: Log,
): Promise<Health | null> {
  if (healthPort === null) return null;
  const [{ serveHealth }, { prometheusMetrics }, version] = await Promise.all([
    import("./health.ts"),
    import("./metrics.ts"),
    versionOfGodwit(),
  ]);
  const queueServes = () => desk.queue.serves();
  const metrics = prometheusMetrics({ version, carrying, queueServes }, wallClock);
  const at = { host, port: healthPort, clock: wallClock, log };
  return serveHealth({ vitals, metrics, queueServes, ...at });
}

/** The queue's board, for owners alone; null where there is none. Bull Board is loaded only for it: it is large. */
async function openBoard(
  { board: at, queueUrl, host }: Config,
  queue: Queue,
  owners: string[],
  log: Log,
): Promise<QueueBoard | null> {
  if (at === null || queueUrl === null) return null;
  const [{ serveQueueBoard }, { drawnQueue }] = await Promise.all([
    import("./queue-board/serve.ts"),
    import("../engine/queues/board.ts"),
  ]);
  await using stack = new AsyncDisposableStack();
  const { adapter } = stack.use(drawnQueue(queueUrl));
  const mayEnter = (person: string) => owners.includes(person);
  const serves = () => queue.serves();
  const served = { adapter, serves, mayEnter, at, host, clock: wallClock, log };
  const board = stack.use(await serveQueueBoard(served));
  const opened = stack.move();
  return { ...board, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function versionOfGodwit(): Promise<string> {
  const { version } = JSON.parse(
    await readFile(new URL("../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  return version;
}

/** The ports behind which everything else stands. */
function open(config: Config, { tell, log }: Pick<Surroundings, "tell" | "log">): Promise<Opened> {
  return openGodwit({
    databaseUrl: config.databaseUrl,
    queueUrl: config.queueUrl,
    keys: config.keys,
    dns: config.dns,
    settings: { quietMs: config.quietMs },
    log,
    tell,
  });
}

/** The chat platforms that are configured. Their SDKs are loaded only then: they are large. */
export async function openPlatforms(
  config: Config,
  contacts: Contacts,
  log: Log,
): Promise<Platform[]> {
  const platforms: Platform[] = [];
  const { slack, teams, host } = config;
  if (slack !== null) {
    const { openSlack } = await import("./surfaces/slack/open.ts");
    platforms.push(await openSlack({ ...slack, host, port: config.port, log, clock: wallClock }));
  }
  if (teams !== null) {
    const { openTeams } = await import("./surfaces/teams/open.ts");
    platforms.push(await openTeams({ ...teams, host, contacts, log, clock: wallClock }));
  }
  return platforms;
}

function ownersOf({ owners }: Config): string[] {
  return ["local:owner", ...owners];
}

/** Who speaks unasked: of passes always, of the rest only where somebody stays. */
function speakersOn(
  surface: Surface,
  { desk }: Opened,
  part: Part,
  log: Log,
): Pick<Narrator, "tick">[] {
  const pace = paceOf(wallClock, editMs);
  const narrator = makeNarrator({ desk, surfaces: [surface], clock: wallClock, pace, log });
  if (part === "typing") return [narrator];
  return [
    narrator,
    makeCrier(desk, [surface]),
    makeReminding(desk, [surface]),
    makeCutoverTeller(desk, [surface], pace),
    makeBoardKeeper(desk, [surface], pace),
    makeWarner(desk, [surface], wallClock),
  ];
}

/** Starts what is due, and watches the cutovers. Any number of processes may: each thing is done once. */
function startCalendar({ desk }: Opened, owners: string[], log: Log): AsyncDisposable {
  const ticking = startTicking(desk, owners, wallClock, log);
  const watching = startWatching(desk, wallClock, log);
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([ticking[Symbol.asyncDispose](), watching[Symbol.asyncDispose]()]);
    },
  };
}
