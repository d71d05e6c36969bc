import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import { longestHoldMs } from "../engine/domain/pace.ts";
import type { Turn } from "../engine/domain/pass.ts";
import type { ProjectId } from "../engine/domain/project.ts";
import { fullProjects } from "./paces.ts";
import type { RunRow } from "./tables.ts";

/** So often tried in vain, a run stands behind all others: what it meets may be its own trouble. */
const oftenTried = 8;

/** The clocks of two engines may be this far apart, in ms. */
const apartMs = 60_000;

/** The runs an engine may take: the first of each project before the second of any, by turns. */
export async function waitingRuns(knex: Knex, now: Instant, limit: number): Promise<Turn[]> {
  const late = `case when runs.state = 'queued' and runs.tries + runs.server_tries >= ${oftenTried} then 1 else 0 end`;
  const line = takeable(knex, now, await fullProjects(knex, now))
    .join(lastTurns(knex, now).as("turns"), "turns.project_id", "passes.project_id")
    .whereIn("runs.state", ["queued", "processing"])
    .select(
      "runs.id as run",
      "turns.begun_at",
      knex.raw("case when runs.state = 'queued' then 1 else 0 end as queued"),
      knex.raw(`${late} as late`),
      knex.raw(
        `row_number() over (partition by passes.project_id order by ${late}, runs.id) as turn`,
      ),
    );
  const [underWay] = await knex("runs")
    .whereRaw("state = 'processing'")
    .select<{ runs: number }[]>(knex.raw("count(*) as ??", ["runs"]));
  const order = ["late", "turn", "begun_at", "run"];
  // What an engine may have left behind is never cut off, wherever it stands in line.
  const seen = knex
    .from(line.as("line"))
    .orderBy(["queued", ...order])
    .limit(limit + Number(underWay!.runs));
  const rows = await knex
    .from(seen.as("seen"))
    .orderBy(order)
    .select<{ run: number; turn: number | string }[]>("run", "turn");
  return rows.map(({ run, turn }) => ({ run, turn: Number(turn) }));
}

/** How many runs an engine could begin at once, had it room; `ask` may say how long to wait for the answer. */
export async function waitingCount(
  knex: Knex,
  now: Instant,
  ask: <Query extends { timeout(ms: number): unknown }>(query: Query) => Query,
): Promise<number> {
  const full = await fullProjects(knex, now);
  const [row] = await ask(
    takeable(knex, now, full)
      .where("runs.state", "queued")
      .select<{ runs: number }[]>(knex.raw("count(*) as ??", ["runs"])),
  );
  return row!.runs;
}

/** When each project began a run last; 0 where it never did. What is later than now, a clock that was ahead wrote. */
function lastTurns(knex: Knex, now: Instant) {
  return knex("passes")
    .groupBy("project_id")
    .select(
      "project_id",
      knex.raw("max(case when begun_at <= ? then begun_at else 0 end) as begun_at", [now]),
    );
}

/** Whether a queued run waits for a time. But for a window none is so far off: a clock that was ahead wrote it. */
export function isWaiting(
  { waiting_for, waiting_until }: Pick<RunRow, "waiting_for" | "waiting_until">,
  now: Instant,
): boolean {
  if (waiting_until === null || waiting_until <= now) return false;
  return waiting_for === "window" || waiting_until <= believed(now);
}

/** The end of the longest wait that a right clock may have set. */
function believed(now: Instant): Instant {
  return now + longestHoldMs + apartMs;
}

/** Runs that nothing holds back: not another one, not a time, not the mail servers of these full projects. */
function takeable(knex: Knex, now: Instant, full: ProjectId[]) {
  return knex("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .leftJoin("runs as first", "first.id", "runs.after_run")
    .andWhere((may) => may.whereNull("runs.after_run").orWhere("first.checked", true))
    .andWhere((free) =>
      // Whatever a run waits for that its engine left behind: the next engine sees where it stands.
      free.where("runs.state", "processing").orWhere((due) => {
        // As `isWaiting` has it.
        due.where((over) =>
          over
            .whereNull("runs.waiting_until")
            .orWhere("runs.waiting_until", "<=", now)
            .orWhere((wrong) =>
              wrong
                .whereNot("runs.waiting_for", "window")
                .where("runs.waiting_until", ">", believed(now)),
            ),
        );
        if (full.length > 0) due.whereNotIn("passes.project_id", full);
      }),
    );
}
