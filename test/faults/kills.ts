import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gap } from "../../engine/domain/pass.ts";
import { dice, letters } from "../doubles/letters.ts";
import { compare, touched, type Verdict } from "../servers/checker.ts";
import type { Dovecot } from "../servers/dovecot.ts";
import type { Dump } from "../servers/imap-client.ts";
import { keysFor, startWorld, type World } from "../servers/world.ts";

/** The folders the letters are spread over. */
const folders = ["INBOX", "Work", "Work/2025", "Sent", "Übersicht"];

/** Puts so many letters into a mailbox, every tenth of them twice. */
async function seed(server: Dovecot, user: string, count: number, series: number): Promise<void> {
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
      env: { ...process.env, GODWIT_KEYS: keysFor(world.databaseUrl) ?? "" },
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

/**
 * Kills an engine at random moments while it carries a pre-stage, a full pass and a delta with new mail in
 * between, until so many kills are done; then lets it finish and asks the witness.
 */
export async function killAtRandom(
  old: Dovecot,
  fresh: Dovecot,
  options: { kills: number; letters: number; seed: number; user: string },
): Promise<Outcome> {
  const { user } = options;
  const random = dice(options.seed);
  const source = `${user}@old.example`;
  await seed(old, source, options.letters, options.seed);
  await using world = await startWorld(old, fresh, { policy: "cloudiway" });
  await world.add(user);
  const outcome: Outcome = { kills: 0, verdict: none(), touched: [], gaps: 0 };
  let before = await dump(old, source);
  for (let round = 0; round < 3 || outcome.kills < options.kills; round += 1) {
    if (round >= 2) {
      outcome.touched.push(...touched(before, await dump(old, source)));
      await seed(old, source, Math.ceil(options.letters / 4), options.seed + round);
      before = await dump(old, source);
    }
    const pass = await (round === 0
      ? world.submit("prestage", { days: 180 })
      : world.submit(round === 1 ? "full" : "delta"));
    // The last round takes what is left of the kills, the others a third each.
    const until = round < 2 ? Math.ceil((options.kills * (round + 1)) / 3) : options.kills;
    while (outcome.kills < until) {
      const engine = startEngineProcess(world);
      await engine.ready;
      const timer = setTimeout(engine.kill, 5 + random() * 500);
      const how = await engine.ended;
      clearTimeout(timer);
      if (how === "DONE") break;
      outcome.kills += 1;
    }
    await finish(world);
    const { state, counters } = await world.godwit.desk.passes.snapshot(pass);
    if (state !== "completed" || gap(counters) !== 0) outcome.gaps += 1;
  }
  outcome.touched.push(...touched(before, await dump(old, source)));
  outcome.verdict = compare(before, await dump(fresh, `${user}@new.example`));
  return outcome;
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

/** What a killed repair left: how often each message stands in the target mailbox, beside how often it did. */
export interface Repaired {
  kills: number;
  /** By content, in whatever folder. */
  before: Map<string, number>;
  after: Map<string, number>;
  /** In the folder its owner moved some to. */
  moved: number;
  consumed: number;
}

/**
 * Carries a mailbox, takes every second message out of the target and moves three, kills an engine at a point
 * while it repairs, and lets another finish. `stopped`: the repair is stopped after the kill, and a delta and
 * another repair come instead.
 */
export async function killRepairAt(
  old: Dovecot,
  fresh: Dovecot,
  options: { point: string; nth: number; user: string; stopped: boolean; blind?: boolean },
): Promise<Repaired> {
  const { user } = options;
  await seed(old, `${user}@old.example`, 60, 7);
  await using world = await startWorld(old, fresh);
  await world.add(user);
  await world.submit("full");
  await finish(world);
  const target = `${user}@new.example`;
  const before = contents(await dump(fresh, target));
  await using client = await fresh.login(target);
  await client.create("Kept");
  await client.command("SELECT INBOX");
  await client.command("UID MOVE 1:3 Kept");
  for (const [folder, { messages }] of await client.dump()) {
    const some = messages.filter(({ uid }) => uid % 2 === 0).map(({ uid }) => uid);
    if (folder !== "Kept" && some.length > 0) await client.expunge(folder, some.join(","));
  }
  const pass = await world.submit("repair");
  const crash = `${options.point}:${options.nth}`;
  const control = options.blind === true ? "blind" : "";
  const how = await startEngineProcess(world, crash, control).ended;
  if (options.stopped) {
    await world.godwit.desk.passes.control(pass, "stop", "test");
    await finish(world);
    for (const kind of ["delta", "repair"] as const) {
      await world.submit(kind);
      await finish(world);
    }
  } else await finish(world, control);
  const there = await dump(fresh, target);
  const { consumed } = await world.godwit.desk.licenses.balance(world.project.id);
  return {
    kills: how === "SIGKILL" ? 1 : 0,
    before,
    after: contents(there),
    moved: there.get("Kept")?.messages.length ?? 0,
    consumed,
  };
}

function contents(dumped: Dump): Map<string, number> {
  const found = new Map<string, number>();
  for (const { messages } of dumped.values()) {
    for (const { sha } of messages) found.set(sha, (found.get(sha) ?? 0) + 1);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function finish(world: World, control: "" | "blind" = ""): Promise<void> {
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
