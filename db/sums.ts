import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import type { PassSums } from "../engine/domain/pass.ts";
import type { ProjectId } from "../engine/domain/project.ts";

/** Every pass of a project with what it brought, oldest first; one query, however many runs they have. */
export async function sumsOf(knex: Knex, project: ProjectId): Promise<PassSums[]> {
  const rows = await knex("passes as p")
    .leftJoin("runs as r", "r.pass_id", "p.id")
    .leftJoin("run_folders as f", "f.run_id", "r.id")
    .where("p.project_id", project)
    .groupBy("p.id", "p.kind", "p.state", "p.started_at", "p.ended_at")
    .orderBy("p.id")
    .select<SumsRow[]>(
      "p.id",
      "p.kind",
      "p.state",
      "p.started_at",
      "p.ended_at",
      knex.raw("sum(f.migrated) as migrated"),
      knex.raw("sum(f.bytes) as bytes"),
    );
  return rows.map(({ id, kind, state, started_at, ended_at, migrated, bytes }) => ({
    ...{ id, kind, state, startedAt: started_at, endedAt: ended_at },
    // PostgreSQL gives sums of large numbers as text, and both none of nothing.
    ...{ migrated: Number(migrated ?? 0), bytes: Number(bytes ?? 0) },
  }));
}

interface SumsRow {
  id: number;
  kind: PassSums["kind"];
  state: PassSums["state"];
  started_at: Instant | null;
  ended_at: Instant | null;
  migrated: number | string | null;
  bytes: number | string | null;
}
