import { compare } from "../servers/checker.ts";
import type { Ended } from "../servers/command-line.ts";
import type { House } from "./house.ts";
import type { Story } from "./life.ts";

/** A pass as its row says. */
export interface PassSeen {
  id: number;
  project: string;
  state: string;
}

/** Passes that ended otherwise than as they should: completed, or stopped by somebody. Pure. */
export function passesWrong(passes: PassSeen[], stopped: ReadonlySet<number>): string[] {
  return passes
    .filter(({ id, state }) => state !== "completed" && !(state === "stopped" && stopped.has(id)))
    .map(({ id, project, state }) => `pass ${id} of ${project} is ${state}`);
}

/** How long after the database came back what was under way may still fail. */
const echoMs = 60_000;

/** What is said of a connection to the database that was lost, or given up because nothing was heard on it. */
const lost = /Client was closed|Connection (terminated|ended)|does not answer|no answer within/i;

/** Whether the database was away then. */
function spans(time: number) {
  return ({ from, until }: Story["away"][number]) => time >= from - 1_000 && time <= until + echoMs;
}

/**
 * Lines of a log that tell of a fault of ours: each with a reference, and each error but those of a database that
 * was away at that moment or a connection to it that was lost. Pure.
 */
export function logWrong(log: string, away: Story["away"]): string[] {
  return log.split("\n").flatMap((line) => {
    if (line.trim() === "") return [];
    const facts = factsOf(line);
    if (facts === null) return [line];
    const { error, time, reference, msg, err } = facts;
    const excused = lost.test(err?.message ?? "") || away.some(spans(time));
    if (reference === undefined && (!error || excused)) return [];
    return [`${new Date(time).toISOString()} ${msg}: ${err?.stack ?? err?.message ?? "no error"}`];
  });
}

interface Facts {
  error: boolean;
  time: number;
  msg: string;
  reference?: string;
  err?: { message?: string; stack?: string };
}

/** Null for what is no line of a log. */
function factsOf(line: string): Facts | null {
  try {
    const { level, time, ...facts } = JSON.parse(line);
    return { ...facts, error: level === "error" || level === "fatal", time: Date.parse(time) };
  } catch {
    return null;
  }
}

/** Everything that is not as it should be when all has ended, in words. */
export async function judge(
  { books, projects }: House,
  stopped: Story["stopped"],
): Promise<string[]> {
  const passes = await books.rows<PassSeen>(
    "select p.id, p.state, j.name as project from passes p join projects j on j.id = p.project_id order by p.id",
  );
  const wrong = passesWrong(passes, stopped);
  const reasons = await books.rows<{ pass_id: number; reason: string }>(
    "select pass_id, reason from runs where reason is not null",
  );
  wrong.push(...reasons.map(({ pass_id, reason }) => `a run of pass ${pass_id}: ${reason}`));
  for (const { people } of projects) {
    for (const { name, source, target } of people) {
      const { lost, duplicated, foreign, differences } = compare(await source(), await target());
      for (const [what, some] of Object.entries({ lost, duplicated, foreign, differences })) {
        if (some.length > 0) wrong.push(`${name}: ${some.length} ${what}`);
      }
    }
  }
  const mailboxes = projects.flatMap(({ people }) => people).length;
  const used = await books.number(
    "select coalesce(sum(count), 0) from license_movements where kind = 'consume'",
  );
  if (used !== mailboxes) wrong.push(`${used} licenses used for ${mailboxes} mailboxes`);
  const untold = await books.number("select count(*) from news where not delivered");
  if (untold > 0) wrong.push(`${untold} news were not told`);
  const intents = await books.number("select count(*) from intents");
  if (intents > 0) wrong.push(`${intents} batches are still in doubt`);
  return wrong;
}

/** Tells each process to stop and sees how it ends, and what all wrote into their logs. */
export async function stopAll(house: House, story: Story): Promise<string[]> {
  const wrong: string[] = [];
  for (const one of [house.restless, house.steady, house.bot]) {
    if (one === null) continue;
    one.working.kill("SIGTERM");
    const { code } = await one.working.ended;
    if (code !== 0) wrong.push(`${one.name} ended with ${code} when told to stop`);
  }
  for (const { name, working } of house.all) {
    const { stderr }: Ended = await working.ended;
    wrong.push(...logWrong(stderr, story.away).map((line) => `log of ${name}: ${line}`));
  }
  return wrong;
}
