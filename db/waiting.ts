import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import type { Turn } from "../engine/domain/pass.ts";

/** The runs an engine may take, the first of each project before the second of any. */
export async function waitingRuns(knex: Knex, now: Instant, limit: number): Promise<Turn[]> {
  const places = knex("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .leftJoin("runs as first", "first.id", "runs.after_run")
    .whereIn("runs.state", ["queued", "processing"])
    .andWhere((may) => may.whereNull("runs.after_run").orWhere("first.checked", true))
    .andWhere((open) =>
      open
        .whereNull("runs.waiting_for")
        .orWhereNot("runs.waiting_for", "window")
        .orWhere("runs.waiting_until", "<=", now),
    )
    .select("runs.id as run")
    .rowNumber("turn", (place) => place.partitionBy("passes.project_id").orderBy("runs.id"));
  const rows = await knex
    .from(places.as("places"))
    .orderBy([{ column: "turn" }, { column: "run" }])
    .limit(limit)
    .select<{ run: number; turn: number | string }[]>("run", "turn");
  return rows.map(({ run, turn }) => ({ run, turn: Number(turn) }));
}
