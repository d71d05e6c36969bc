import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { letters } from "../doubles/letters.ts";
import { compare, touched, type Verdict } from "../servers/checker.ts";
import type { Dovecot } from "../servers/dovecot.ts";
import type { Dump } from "../servers/imap-client.ts";
import { keysFor, startWorld, type World } from "../servers/world.ts";

/** What Node compiled once: a third of the time until an engine is ready. */
const compiled = join(import.meta.dirname, "../../node_modules/.cache/faults");

/** The folders the letters are spread over. */
const folders = ["INBOX", "Work", "Work/2025", "Sent", "Übersicht"];

/** Puts so many letters into a mailbox, every tenth of them twice. */
export async function seed(
  server: Dovecot,
  user: string,
  count: number,
  series: number,
): Promise<void> {
  await using client = await server.login(user);
  const there = new Set((await client.list()).map((folder) => folder.name));
  for (const folder of folders) if (!there.has(folder)) await client.create(folder);
  const all = letters({
    seed: series,
    count,
    folders: folders.map((folder) => [folder]),
    size: { min: 200, max: 3000 },
  });
  for (const folder of folders) {
    const mails = all
      .filter((letter) => letter.folder[0] === folder)
      .flatMap((letter, index) => (index % 10 === 0 ? [letter, letter] : [letter]))
      .map(({ raw, flags, date }) => ({ body: raw, flags, date: date.getTime() }));
    await client.appendMany(folder, mails);
  }
}

/** An engine in a process of its own, on the world's database. `crash` as engine-process.ts takes it. */
export interface EngineProcess {
  pid: number;
  ready: Promise<void>;
  /** How it ended: `DONE`, or the signal that killed it. */
  ended: Promise<string>;
  kill(): void;
}

export function startEngineProcess(
  world: Pick<World, "databaseUrl">,
  crash = "",
  control: "" | "naive" | "blind" = "",
): EngineProcess {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "engine-process.ts"), world.databaseUrl, crash, control],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        GODWIT_KEYS: keysFor(world.databaseUrl) ?? "",
        NODE_COMPILE_CACHE: compiled,
      },
    },
  );
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  let done = false;
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "READY") resolve();
      if (line === "DONE") done = true;
    });
    child.once("exit", () => resolve());
  });
  return {
    pid: child.pid ?? 0,
    ready,
    ended: ending(
      child,
      () => done,
      () => errors,
    ),
    kill: () => void child.kill("SIGKILL"),
  };
}

async function ending(
  child: ChildProcess,
  done: () => boolean,
  errors: () => string,
): Promise<string> {
  await once(child, "close");
  if (child.signalCode !== null) return child.signalCode;
  if (child.exitCode === 0 && done()) return "DONE";
  throw new Error(`The engine ended with ${child.exitCode}: ${errors()}`);
}

/** What was left behind after a series of kills. */
export interface Outcome {
  kills: number;
  verdict: Verdict;
  /** What differs at the source; nothing may. */
  touched: string[];
  /** Passes whose sums do not balance. */
  gaps: number;
}

/** Kills an engine once at a point, lets another finish, and asks the witness. */
export async function killAt(
  old: Dovecot,
  fresh: Dovecot,
  options: { point: string; nth: number; user: string; databaseUrl?: string },
): Promise<Outcome> {
  const source = `${options.user}@old.example`;
  await seed(old, source, 60, 7);
  const before = await dump(old, source);
  await using world = await startWorld(
    old,
    fresh,
    options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl },
  );
  await world.add(options.user);
  const pass = await world.submit("full");
  const outcome: Outcome = { kills: 0, verdict: none(), touched: [], gaps: 0 };
  if (options.point === "during look") {
    // There is something to look for only after another kill.
    if ((await startEngineProcess(world, "before settle:1").ended) === "SIGKILL")
      outcome.kills += 1;
  }
  const how = await startEngineProcess(world, `${options.point}:${options.nth}`).ended;
  if (how === "SIGKILL") outcome.kills += 1;
  await finish(world);
  const snapshot = await world.godwit.desk.passes.snapshot(pass);
  const c = snapshot.counters;
  if (snapshot.state !== "completed" || c.listed !== c.migrated) outcome.gaps += 1;
  if (snapshot.licenses.consumed !== 1) outcome.gaps += 1;
  outcome.touched = touched(before, await dump(old, source));
  outcome.verdict = compare(before, await dump(fresh, `${options.user}@new.example`));
  return outcome;
}

/** Has an engine in a process of its own carry what waits. */
export async function finish(world: World, control: "" | "blind" = ""): Promise<void> {
  const how = await startEngineProcess(world, "", control).ended;
  if (how !== "DONE") throw new Error(`The engine was killed by ${how}.`);
}

export async function dump(server: Dovecot, user: string): Promise<Dump> {
  await using client = await server.login(user);
  return await client.dump();
}

function none(): Verdict {
  return { lost: [], duplicated: [], foreign: [], differences: [], present: 0 };
}
