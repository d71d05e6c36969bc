import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import type { Turn } from "../engine/domain/pass.ts";

/** The runs an engine may take, the first of each project before the second of any. */
export async function waitingRuns(knex: Knex, now: Instant, limit: number): Promise<Turn[]> {
  const places = takeable(knex, now)
    .join("passes", "passes.id", "runs.pass_id")
    .whereIn("runs.state", ["queued", "processing"])
    .select("runs.id as run")
    .rowNumber("turn", (place) => place.partitionBy("passes.project_id").orderBy("runs.id"));
  const rows = await knex
    .from(places.as("places"))
    .orderBy([{ column: "turn" }, { column: "run" }])
    .limit(limit)
    .select<{ run: number; turn: number | string }[]>("run", "turn");
  return rows.map(({ run, turn }) => ({ run, turn: Number(turn) }));
}

/** How many runs an engine could begin at once, had it room; `ask` may say how long to wait for the answer. */
export async function waitingCount(
  knex: Knex,
  now: Instant,
  ask: <Query extends { timeout(ms: number): unknown }>(query: Query) => Query,
): Promise<number> {
  const [row] = await ask(
    takeable(knex, now)
      .where("runs.state", "queued")
      .select<{ runs: number }[]>(knex.raw("count(*) as ??", ["runs"])),
  );
  return row!.runs;
}

/** Runs that neither another one nor their window holds back. */
function takeable(knex: Knex, now: Instant) {
  return knex("runs")
    .leftJoin("runs as first", "first.id", "runs.after_run")
    .andWhere((may) => may.whereNull("runs.after_run").orWhere("first.checked", true))
    .andWhere((open) =>
      open
        .whereNull("runs.waiting_for")
        .orWhereNot("runs.waiting_for", "window")
        .orWhere("runs.waiting_until", "<=", now),
    );
}
