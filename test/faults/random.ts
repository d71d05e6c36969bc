import { gap } from "../../engine/domain/counters.ts";
import { UnavailableError, UserError } from "../../engine/domain/errors.ts";
import { ended, type PassId, type PassKind, type PassSnapshot } from "../../engine/domain/pass.ts";
import { preview, submit } from "../../engine/submit.ts";
import { carryRun } from "../../engine/worker.ts";
import type { Fault } from "./random-faults.ts";
import { openStage, type Stage } from "./random-stage.ts";
import type { Suite, Tally } from "./suite.ts";
import { isDamage, sumOf, tallyOf } from "./tally.ts";

/** What came of a series of passes. */
export interface RandomPasses {
  tally: Tally;
  struck: ReadonlyMap<Fault, number>;
  /** What happened, in its order. */
  story: string[];
}

const kinds = ["full", "delta", "retry", "repair", "prestage", "trial"] as const;
/** Between two tries of a pass: longer than the longest pause. */
const laterMs = 61_000;
/** A pass that is carried so often has no end. */
const mostTries = 300;

/**
 * Carries a mailbox by some passes of any kind while faults happen at random, and by a delta without any at the
 * end: then everything stands at the target once, whatever was before. The same seed gives the same story.
 * `naive` is a control: the engine forgets what is in doubt.
 */
export async function randomPasses(
  seed: number,
  { naive = false }: { naive?: boolean } = {},
): Promise<RandomPasses> {
  await using stage = await openStage(seed, naive);
  const { trouble, story } = stage;
  const wrong = await carryAll(stage).catch((error: Error) => [`broken off: ${error.stack}`]);
  const verdict = stage.verdict();
  for (const what of ["lost", "duplicated", "foreign"] as const) {
    const places = [...new Set(verdict[what].map(({ folder }) => folder))];
    if (places.length > 0) story.push(`${verdict[what].length} ${what}, in ${places.join(", ")}`);
  }
  const count = [...trouble.struck.values()].reduce((sum, times) => sum + times, 0);
  return { tally: tallyOf(count, verdict, wrong), struck: trouble.struck, story };
}

/** Answers what is not as promised. */
async function carryAll(stage: Stage): Promise<string[]> {
  const { trouble, world } = stage;
  const wrong: string[] = [];
  let [before, copies] = [0, 0];
  const judge = (pass: PassSnapshot, isLast: boolean) => {
    stage.story.push(`the ${pass.kind} is ${pass.state}: ${pass.runs[0]?.reason}`);
    wrong.push(...notInOrder(pass, stage.tellsUids, isLast));
    const came = trouble.struck.get("a letter comes during a pass") ?? 0;
    const { lost, duplicated } = stage.verdict();
    const brought = pass.state === "completed" && /^(full|delta)$/.test(pass.kind);
    if (brought && came === before && lost.length > 0) {
      wrong.push(`the ${pass.kind} is ${pass.state}, and ${lost.length} letters are not there`);
    }
    if (duplicated.length > copies) wrong.push(`the ${pass.kind} left copies`);
    copies = duplicated.length;
    before = came;
  };
  stage.deliver(12);
  for (let n = 0; n < 4; n += 1) {
    stage.deliver(2);
    if (trouble.strikes("the source is numbered anew between passes")) stage.renumber("source");
    if (trouble.strikes("the target is numbered anew between passes")) stage.renumber("target");
    const pass = await begun(stage.pick(kinds), stage).catch((error) => {
      // Not every pass may begin in every state.
      if (!(error instanceof UserError)) throw error;
      stage.story.push(error.message);
      return null;
    });
    if (pass !== null) judge(await carried(pass, stage), false);
  }
  trouble.end();
  stage.deliver(2);
  judge(await carried(await begun("delta", stage), stage), true);
  const { consumed } = await world.godwit.desk.licenses.balance(world.project.id);
  if (consumed !== 1) wrong.push(`${consumed} licenses are consumed`);
  return wrong;
}

async function begun(kind: PassKind, { world, story }: Stage): Promise<PassId> {
  const { desk } = world.godwit;
  story.push(`a ${kind} is typed`);
  const limit = kind === "prestage" ? { days: 1 } : null;
  const request = { kind, limit, selection: [], types: null };
  const plan = await preview(request, world.project.id, false, desk);
  return submit(plan, { who: "test", thread: "test:1" }, desk);
}

/** Carries a pass until it has ended, as engines do that come and go, with pauses in which things happen. */
async function carried(pass: PassId, stage: Stage): Promise<PassSnapshot> {
  const { trouble, world } = stage;
  const { passes } = world.godwit.desk;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const stop = new AbortController();
    const works = stage.works(async (why) => {
      if (why === "pause") await passes.control(pass, "pause", "test");
      stop.abort(why);
    });
    for (const run of await passes.waiting(10)) {
      if (tries > 0) stage.story.push("an engine goes on with it");
      await carryRun(run, works, stop.signal).catch((error) => {
        if (!(error instanceof UnavailableError)) throw error;
      });
    }
    if (ended((await passes.snapshot(pass)).state)) break;
    world.clock.set(world.clock.now() + laterMs);
    if (trouble.strikes("a letter comes during a pass")) stage.deliver(1);
    if (trouble.strikes("the source is numbered anew during a pass")) stage.renumber("source");
    if (trouble.strikes("the target is numbered anew during a pass")) stage.renumber("target");
    await passes.control(pass, "run", "test");
  }
  stage.arrive();
  return passes.snapshot(pass);
}

/** What of a pass is not as promised; of the last one, which met no fault, that it is not clean. */
function notInOrder(pass: PassSnapshot, tellsUids: boolean, last: boolean): string[] {
  const { kind, state, counters, licenses } = pass;
  const reason = pass.runs[0]?.reason ?? null;
  const wrong: string[] = [];
  if (!ended(state)) wrong.push(`the ${kind} does not end`);
  if (state === "stopped") wrong.push(`the ${kind} was stopped, by nobody`);
  if (reason?.includes("error of Godwit's own")) wrong.push(`the ${kind} failed: ${reason}`);
  if (gap(counters) !== 0) wrong.push(`the sums of the ${kind}, ${state}, do not balance`);
  if (state === "completed" && counters.failed > 0) {
    wrong.push(`the ${kind} is ${state}, and ${counters.failed} failed`);
  }
  if (licenses.reserved !== 0) wrong.push(`the ${kind} left a license reserved`);
  const late = reason?.includes("stored late") ?? false;
  if (late && tellsUids) wrong.push(`the ${kind} tells of late copies, and there are none`);
  // Without UIDs what was found and what was sent again look alike: copies may be told of that are none.
  const clean = state === "completed" || (!tellsUids && late && !reason?.includes(";"));
  if (last && !clean) wrong.push(`the last ${kind} is ${state}: ${reason}`);
  return wrong;
}

/** Seeds that are not as promised, and are told whole. */
const shownStories = 5;

/** F12: random passes with random faults between mail systems in memory, whatever database is asked for. */
export const random: Suite = {
  name: "random",
  row: "F12",
  times: 500,
  async run({ times, seed, tell }) {
    const tallies: Tally[] = [];
    let damaged = 0;
    for (let n = 0; n < times; n += 1) {
      const { tally, story } = await randomPasses(seed + n);
      tallies.push({ ...tally, wrong: tally.wrong.map((what) => `seed ${seed + n}: ${what}`) });
      if (isDamage(tally)) damaged += 1;
      if (isDamage(tally) && damaged <= shownStories) {
        tell([`seed ${seed + n}`, ...story].join("\n  "));
      }
      if ((n + 1) % 100 === 0) tell(`${n + 1} of ${times} seeds`);
    }
    return sumOf(tallies);
  },
};
