import { gap } from "../../engine/domain/counters.ts";
import { dice } from "../doubles/letters.ts";
import { compare, touched, type Verdict } from "../servers/checker.ts";
import type { Dovecot } from "../servers/dovecot.ts";
import { startWorld, type World } from "../servers/world.ts";
import { inLanes, openGround, removeMailbox } from "./ground.ts";
import { dump, finish, seed, startEngineProcess } from "./kills.ts";
import type { Suite } from "./suite.ts";
import { sumOf, tallyOf } from "./tally.ts";

/** What came of kills at random moments. */
export interface RandomOutcome {
  kills: number;
  /** Kills after which a batch was in doubt, and those that put one there. */
  inDoubt: number;
  torn: number;
  verdict: Verdict;
  /** What differs at the source, and passes that did not end as they should. */
  wrong: string[];
}

/**
 * Kills an engine at random moments while it carries a pre-stage, a full pass and deltas with new mail in
 * between, until so many kills are done; then lets it finish and asks the witness. A kill falls between the
 * moment an engine is ready and the one at which it is usually done.
 */
export async function killAtRandom(
  old: Dovecot,
  fresh: Dovecot,
  options: {
    kills: number;
    letters: number;
    seed: number;
    user: string;
    databaseUrl?: string;
    killed?: () => void;
  },
): Promise<RandomOutcome> {
  const { user, databaseUrl } = options;
  const random = dice(options.seed);
  const source = `${user}@old.example`;
  await seed(old, source, options.letters, options.seed);
  await using world = await startWorld(old, fresh, {
    policy: "cloudiway",
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
  await world.add(user);
  const counted = { kills: 0, inDoubt: 0, torn: 0 };
  const wrong: string[] = [];
  let usualMs = 500;
  let newest = 0;
  let before = await dump(old, source);
  for (let round = 0; round < 3 || counted.kills < options.kills; round += 1) {
    if (round >= 2) {
      wrong.push(...touched(before, await dump(old, source)));
      await seed(old, source, Math.ceil(options.letters / 4), options.seed + round);
      before = await dump(old, source);
    }
    const pass = await (round === 0
      ? world.submit("prestage", { days: 180 })
      : world.submit(round === 1 ? "full" : "delta"));
    // Later rounds take what is left of the kills, the first two a third each at most.
    const until = round < 2 ? Math.ceil((options.kills * (round + 1)) / 3) : options.kills;
    while (counted.kills < until) {
      const engine = startEngineProcess(world);
      await engine.ready;
      const began = performance.now();
      const timer = setTimeout(engine.kill, random() * usualMs);
      const how = await engine.ended;
      clearTimeout(timer);
      if (how === "DONE") {
        usualMs = (usualMs + performance.now() - began) / 2;
        break;
      }
      const intents = await world.godwit.database.knex("intents").pluck("id");
      counted.kills += 1;
      if (intents.length > 0) counted.inDoubt += 1;
      if (intents.some((id) => id > newest)) counted.torn += 1;
      // Where none is ever done, or none begins, as on a busy machine, none was given the time.
      usualMs *= counted.torn > 0 ? 1.05 : 1.3;
      newest = Math.max(newest, ...intents);
      options.killed?.();
    }
    await finish(world);
    wrong.push(...(await notInOrder(world, pass)));
  }
  wrong.push(...touched(before, await dump(old, source)));
  const verdict = compare(before, await dump(fresh, `${user}@new.example`));
  return { ...counted, verdict, wrong };
}

async function notInOrder(world: World, pass: number): Promise<string[]> {
  const { kind, state, counters, runs } = await world.godwit.desk.passes.snapshot(pass);
  if (state === "completed" && gap(counters) === 0) return [];
  return [`a ${kind} ended as ${state} with a gap of ${gap(counters)}: ${runs[0]?.reason}`];
}

/** So many in one mailbox, so that neither the mailbox nor our memory grows with their number. */
const killsInOne = 250;

/** F2: an engine killed at random moments, two mailboxes side by side. */
export const kills: Suite = {
  name: "kills",
  row: "F2",
  times: 2_500,
  async run({ times, seed, database, tell }) {
    await using ground = await openGround(database);
    const { old, fresh } = ground;
    const worlds = Math.max(Math.min(2, times), Math.ceil(times / killsInOne));
    const tasks = Array.from({ length: worlds }, (_, n) => ({
      user: `kills${n}`,
      seed: seed + n * 1_000,
      kills: Math.floor((times + n) / worlds),
    }));
    let done = 0;
    const killed = () => {
      done += 1;
      const megabytes = Math.round(process.memoryUsage().rss / 1e6);
      if (done % 100 === 0) tell(`${done} of ${times} kills; this process holds ${megabytes} MB`);
    };
    const outcomes = await inLanes(tasks, async (task) => {
      const outcome = await killAtRandom(old, fresh, {
        ...task,
        ...(await ground.database()),
        letters: 800,
        killed,
      });
      await removeMailbox(old, `${task.user}@old.example`);
      await removeMailbox(fresh, `${task.user}@new.example`);
      return outcome;
    });
    const sum = (figure: "inDoubt" | "torn") =>
      outcomes.reduce((total, outcome) => total + outcome[figure], 0);
    tell(
      `${sum("inDoubt")} kills left a batch in doubt, ${sum("torn")} in the middle of a new one`,
    );
    return sumOf(
      outcomes.map(({ kills: faults, verdict, wrong }) => tallyOf(faults, verdict, wrong)),
    );
  },
};
