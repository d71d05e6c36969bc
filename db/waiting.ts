import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import type { Turn } from "../engine/domain/pass.ts";
import type { ProjectId } from "../engine/domain/project.ts";
import { fullProjects } from "./paces.ts";

/** So often tried in vain, a run stands behind all others: what it meets may be its own trouble. */
const oftenTried = 8;

/** The runs an engine may take: the first of each project before the second of any, by turns. */
export async function waitingRuns(knex: Knex, now: Instant, limit: number): Promise<Turn[]> {
  const late = `case when runs.state = 'queued' and runs.tries + runs.server_tries >= ${oftenTried} then 1 else 0 end`;
  const places = takeable(knex, now, await fullProjects(knex, now))
    .whereIn("runs.state", ["queued", "processing"])
    .select(
      "runs.id as run",
      "passes.begun_at",
      knex.raw(`${late} as late`),
      knex.raw(
        `row_number() over (partition by passes.project_id order by ${late}, runs.id) as turn`,
      ),
    );
  const [underWay] = await knex("runs")
    .whereRaw("state = 'processing'")
    .select<{ runs: number }[]>(knex.raw("count(*) as ??", ["runs"]));
  const rows = await knex
    .from(places.as("places"))
    .orderBy([
      { column: "late" },
      { column: "turn" },
      { column: "begun_at", nulls: "first" },
      { column: "run" },
    ])
    .limit(limit + Number(underWay!.runs))
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

/** Runs that nothing holds back: not another one, not a time, not the mail servers of these full projects. */
function takeable(knex: Knex, now: Instant, full: ProjectId[]) {
  return knex("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .leftJoin("runs as first", "first.id", "runs.after_run")
    .andWhere((may) => may.whereNull("runs.after_run").orWhere("first.checked", true))
    .andWhere((free) =>
      // Whatever a run waits for that its engine left behind: the next engine sees where it stands.
      free.where("runs.state", "processing").orWhere((due) => {
        due.where((over) =>
          over.whereNull("runs.waiting_until").orWhere("runs.waiting_until", "<=", now),
        );
        if (full.length > 0) due.whereNotIn("passes.project_id", full);
      }),
    );
}
