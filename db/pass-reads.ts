import type { Instant } from "../engine/domain/clock.ts";
import type { Completed, Passes, PassState } from "../engine/domain/pass.ts";
import type { Filters } from "../engine/domain/project.ts";
import type { Database } from "./open.ts";
import { snapshots } from "./snapshots.ts";
import { sumsOf } from "./sums.ts";
import { activeStates } from "./tables.ts";
import { read } from "./transaction.ts";

type Reads = Pick<
  Passes,
  | "snapshot"
  | "recent"
  | "running"
  | "sums"
  | "completed"
  | "fullSince"
  | "ofThread"
  | "lastFilters"
  | "failures"
>;

/** What is told of passes, as it stands in the database. */
export function knexPassReads(database: Database): Reads {
  const { knex } = database;
  return {
    snapshot: (pass) =>
      read(database, async (trx) => {
        const [snapshot] = await snapshots(trx, [pass]);
        if (snapshot === undefined) throw new Error(`There is no pass ${pass}.`);
        return snapshot;
      }),

    recent: (project, limit) =>
      read(database, async (trx) => {
        const ids = await trx("passes")
          .where({ project_id: project })
          .orderBy("id", "desc")
          .limit(limit)
          .pluck<number[]>("id");
        return snapshots(trx, ids);
      }),

    running: (project) =>
      read(database, async (trx) => {
        const ids = await trx("passes")
          .where({ project_id: project })
          .whereIn("state", activeStates)
          .orderBy("id")
          .pluck<number[]>("id");
        return snapshots(trx, ids);
      }),

    sums: (project) => sumsOf(knex, project),

    async completed(project) {
      return knex("runs")
        .join("passes", "passes.id", "runs.pass_id")
        .where("passes.project_id", project)
        .where("runs.state", "completed")
        .groupBy("runs.entry_id", "passes.kind")
        .select<Completed[]>(
          "runs.entry_id as entry",
          "passes.kind as kind",
          knex.raw("max(passes.started_at) as ??", ["startedAt"]),
        );
    },

    async fullSince(project, since) {
      const rows = await knex("runs")
        .join("passes", "passes.id", "runs.pass_id")
        .leftJoin("people", "people.id", "passes.started_by")
        .where("passes.project_id", project)
        .whereIn("passes.kind", ["full", "delta"])
        .where("passes.created_at", ">=", since)
        .orderBy("runs.id")
        .select<FullRun[]>(
          "passes.id",
          "passes.started_by",
          "passes.created_at",
          "people.name",
          "runs.entry_id as entry",
          "runs.state",
        );
      return [...Map.groupBy(rows, ({ id }) => id).values()].flatMap(([first, ...more]) =>
        first === undefined
          ? []
          : {
              startedBy: first.name ?? first.started_by,
              createdAt: first.created_at,
              runs: [first, ...more].map(({ entry, state }) => ({ entry, state })),
            },
      );
    },

    async ofThread(thread) {
      const row = await knex("passes")
        .where({ root_message: thread })
        .orderBy("id", "desc")
        .first("id");
      return row?.id ?? null;
    },

    async lastFilters(entry) {
      const row = await knex("runs")
        .join("passes", "passes.id", "runs.pass_id")
        .where("runs.entry_id", entry)
        .where("runs.wrote", true)
        .whereIn("passes.kind", ["prestage", "full", "delta"])
        .orderBy("passes.id", "desc")
        .first<{ filters: string } | undefined>("passes.filters");
      return row === undefined ? null : (JSON.parse(row.filters) as Filters);
    },

    failures: (pass, limit) =>
      knex("failures as f")
        .join("runs", "runs.id", "f.run_id")
        .join("entries", "entries.id", "runs.entry_id")
        .join("folders", "folders.id", "f.folder_id")
        .where("runs.pass_id", pass)
        .orderBy([
          { column: "f.at", order: "desc" },
          { column: "f.folder_id", order: "desc" },
          { column: "f.uid", order: "desc" },
        ])
        .limit(limit)
        .select<{ entry: string; folder: string; uid: number; reason: string }[]>(
          "entries.source as entry",
          "folders.source as folder",
          "f.uid",
          "f.reason",
        ),
  };
}

interface FullRun {
  id: number;
  started_by: string;
  created_at: Instant;
  name: string | null;
  entry: number;
  state: PassState;
}
