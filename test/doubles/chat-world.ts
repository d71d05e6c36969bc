import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bot, makeBot, type Outcome } from "../../bot/bot.ts";
import type { BotOptions } from "../../bot/command.ts";
import { commands } from "../../bot/commands/table.ts";
import { makeNarrator, type Narrator } from "../../bot/narrator.ts";
import type { Incoming, Platform, Surface } from "../../bot/surface.ts";
import { localIncoming, localPerson, runChat } from "../../bot/surfaces/local/chat.ts";
import { localSurface } from "../../bot/surfaces/local/surface.ts";
import { knexApprovals } from "../../db/approvals.ts";
import { knexAudit } from "../../db/audit.ts";
import { knexBoards } from "../../db/boards.ts";
import { knexContacts, knexInbox, knexPosts } from "../../db/conversations.ts";
import { knexCutovers } from "../../db/cutovers.ts";
import { knexLedger } from "../../db/ledger.ts";
import { knexLicenses } from "../../db/licenses.ts";
import { knexNewsroom } from "../../db/news.ts";
import { migrate, openDatabase } from "../../db/open.ts";
import { openOwners } from "../../db/owners.ts";
import { knexPaces } from "../../db/paces.ts";
import { knexPasses } from "../../db/passes.ts";
import { knexPeople } from "../../db/people.ts";
import { knexPlans } from "../../db/plans.ts";
import { knexProjects } from "../../db/projects.ts";
import { knexRemigrations } from "../../db/remigrations.ts";
import { knexReminders } from "../../db/reminders.ts";
import { knexSchedules } from "../../db/schedules.ts";
import { knexTranscript } from "../../db/transcript.ts";
import { knexVitals } from "../../db/vitals.ts";
import type { Clock } from "../../engine/domain/clock.ts";
import type { Queue } from "../../engine/domain/queue.ts";
import type { TranscriptLine } from "../../engine/domain/thread.ts";
import { makeEmptying } from "../../engine/emptying.ts";
import { makeForecaster } from "../../engine/forecast.ts";
import { makeInspector } from "../../engine/inspect.ts";
import { makeLateWatch } from "../../engine/late-mail.ts";
import { type MemorySystem, memorySystem } from "../../engine/providers/memory/provider.ts";
import { memoryQueue } from "../../engine/queues/memory.ts";
import { aesSealer, makeKey, parseKeys } from "../../engine/secrets.ts";
import type { Desk } from "../../engine/submit.ts";
import { carryRun } from "../../engine/worker.ts";
import { defaults, type Works } from "../../engine/works.ts";
import { type ScriptedMx, scriptedMx } from "./mx.ts";

/** The bot, the narrator and an engine on an SQLite database of their own, with mail systems in memory. */
export interface ChatWorld extends AsyncDisposable {
  desk: Desk;
  /** What `imap://` leads to here. */
  system: MemorySystem;
  /** What the DNS says here. */
  dns: ScriptedMx;
  /** What carries the runs. */
  works: Works;
  bot: Bot;
  surface: Surface;
  narrator: Narrator;
  clock: Clock & { advance(ms: number): void };
  env: Record<string, string>;
  files: Record<string, string>;
  /** What the bot logged. */
  logged: string[];
  /** Types a line and answers what came of it and what it made the channel say. */
  say(text: string, change?: Partial<Incoming>): Promise<Outcome & { lines: TranscriptLine[] }>;
  /** The same, in one text. */
  hear(text: string, change?: Partial<Incoming>): Promise<string>;
  lines(): Promise<TranscriptLine[]>;
  /** Carries the runs that wait. */
  run(most?: number): Promise<void>;
  /** The same, then tells of it. */
  carry(): Promise<void>;
  chat(
    lines: string[],
    options?: { json?: boolean; wait?: boolean; as?: string },
  ): Promise<{ code: number; printed: string[]; untold: string[] }>;
  /** Nothing can be written, as where a disk has failed, until the answer is called. */
  failDisk(): Promise<() => Promise<void>>;
}

/** The lines that make a project of two mail systems, with `licenses` licenses and these mailboxes. */
export function projectLines(people: string[], licenses = 10): string[] {
  const login = "--login master --user master --password-env OLD_PASSWORD --insecure";
  return [
    `endpoint new old imap://127.0.0.1:1143 ${login}`,
    `endpoint new new imap://127.0.0.1:2143 ${login}`,
    "project new acme --from old --to new --zone Europe/Berlin",
    `licenses add ${licenses} --note "order 4711"`,
    ...people.map((one) => `add ${one}@old.example ${one}@new.example`),
  ];
}

export const canary = "canary-4711-hunter2";

export async function chatWorld(
  options: {
    start?: number;
    people?: string[];
    licenses?: number;
    /** Made once its contacts are there; listened to from the beginning. */
    platforms?: ((desk: Desk, clock: ChatWorld["clock"]) => Promise<Platform>)[];
    /** In place of the one within this process; the world closes it. */
    queue?: Queue;
    /** Beside the local owner. */
    owners?: string[];
    /** The way into the queue's board. */
    board?: BotOptions["board"];
  } = {},
): Promise<ChatWorld> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-"));
  const clock = standing(options.start ?? Date.UTC(2026, 10, 20, 12));
  const database = await openDatabase(`sqlite:${join(folder, "godwit.db")}`);
  await migrate(database);
  const owners = openOwners(database);
  const queue = options.queue ?? memoryQueue();
  const passes = knexPasses(database, clock);
  const paces = knexPaces(database, clock);
  const sealer = aesSealer(parseKeys(makeKey()));
  const projects = knexProjects(database, sealer, clock);
  const transcript = knexTranscript(database, clock);
  const ledger = knexLedger(database, clock);
  const system = memorySystem();
  const providers = { imap: system, memory: system };
  const dns = scriptedMx(clock);
  const logged: string[] = [];
  const log = {
    error: (facts: Record<string, unknown>, text: string) =>
      void logged.push(`${text} ${String(facts.err)}`),
  };
  const looking = { ledger, projects, providers, log, atOnce: 2 };
  const desk: Desk = {
    projects,
    passes,
    paces,
    licenses: knexLicenses(database, clock),
    plans: knexPlans(database),
    schedules: knexSchedules(database),
    reminders: knexReminders(database),
    forecaster: makeForecaster({ ...looking, within: () => new AbortController().signal }),
    leftover: makeForecaster({ ...looking, within: () => new AbortController().signal }),
    boards: knexBoards(database),
    cutovers: knexCutovers(database),
    late: makeLateWatch(looking),
    inspector: makeInspector({ ...looking, passes }),
    remigrations: knexRemigrations(database, sealer, clock),
    emptying: makeEmptying({ ...looking, owners, emptiers: providers }),
    approvals: knexApprovals(database),
    newsroom: knexNewsroom(database),
    audit: knexAudit(database, clock),
    transcript,
    people: knexPeople(database, clock),
    contacts: knexContacts(database),
    posts: knexPosts(database),
    inbox: knexInbox(database, clock),
    dns,
    queue,
    vitals: knexVitals(database, clock),
    clock,
  };
  const works: Works = {
    passes,
    projects,
    ledger,
    paces,
    owners,
    providers,
    clock,
    log: { info() {}, warn() {}, error() {} },
    settings: defaults,
  };
  const env: Record<string, string> = { OLD_PASSWORD: canary };
  const files: Record<string, string> = {};
  const surface = localSurface(transcript);
  const platforms = await Promise.all((options.platforms ?? []).map((open) => open(desk, clock)));
  const surfaces = [surface, ...platforms.map((one) => one.surface)];
  const bot = makeBot({
    desk,
    surfaces,
    commands,
    machine: {
      env: (name) => env[name],
      async readFile(path) {
        const text = files[path];
        if (text === undefined) throw new Error("ENOENT");
        return text;
      },
      ownVariables: ["TERM"],
    },
    options: {
      owners: ["local:owner", ...(options.owners ?? [])],
      endpointsAllowed: [],
      ...(options.board && { board: options.board }),
    },
    log,
  });
  const narrator = makeNarrator({ desk, surfaces, clock });
  const listening = await Promise.all(
    platforms.map((one) => one.listen((heard) => bot.handle(heard))),
  );
  const world: ChatWorld = {
    desk,
    system,
    dns,
    works,
    bot,
    surface,
    narrator,
    clock,
    env,
    files,
    logged,
    lines: () => transcript.after(0, 100_000),
    async say(text, change = {}) {
      const before = await transcript.last();
      const outcome = await bot.handle({ ...localIncoming(text, localPerson(null)), ...change });
      return { ...outcome, lines: await transcript.after(before, 1000) };
    },
    async hear(text, change) {
      return (await world.say(text, change)).lines.map((line) => line.text).join("\n");
    },
    async run(most = 100) {
      for (const run of await passes.waiting(most)) {
        await carryRun(run, works, new AbortController().signal);
      }
    },
    async carry() {
      await world.run();
      await narrator.tick();
    },
    async chat(lines, { json = true, wait = true, as } = {}) {
      const printed: string[] = [];
      const untold: string[] = [];
      const code = await runChat({
        commands: lines,
        as: as ?? null,
        json,
        wait,
        print: (line) => printed.push(line),
        tell: (text) => untold.push(text),
        bot,
        transcript,
        passes,
        // While the chat waits, the rest of the world goes on.
        clock: { now: clock.now, sleep: () => world.carry() },
      });
      return { code, printed, untold };
    },
    async failDisk() {
      await database.knex.raw("pragma query_only = on");
      return async () => void (await database.knex.raw("pragma query_only = off"));
    },
    async [Symbol.asyncDispose]() {
      for (const one of listening) await one[Symbol.asyncDispose]();
      await queue[Symbol.asyncDispose]();
      await owners[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  for (const line of options.people ? projectLines(options.people, options.licenses) : []) {
    const { result, lines } = await world.say(line);
    if (result !== "accepted") throw new Error(`${line}: ${lines.map((one) => one.text)}`);
  }
  return world;
}

/** Stands still until it is moved; sleeping moves it. */
function standing(start: number): ChatWorld["clock"] {
  let now = start;
  return {
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    async sleep(ms, signal) {
      if (signal?.aborted !== true) now += Math.max(0, ms);
    },
  };
}
