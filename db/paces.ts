import type { Knex } from "knex";
import type { Clock, Instant } from "../engine/domain/clock.ts";
import { heard, type Pace, type Paces, places, unhurried } from "../engine/domain/pace.ts";
import type { ProjectId } from "../engine/domain/project.ts";
import { available } from "./available.ts";
import type { Database } from "./open.ts";
import type { RunOfPass } from "./runs.ts";
import { write } from "./transaction.ts";

/** The paces of mail servers in the database: all engines keep to the same. */
export function knexPaces(database: Database, clock: Clock): Paces {
  const { knex } = database;
  return available({
    async of(endpoint) {
      const row = await knex("endpoints").where({ id: endpoint }).first("pace");
      if (row === undefined) throw new Error(`There is no endpoint ${endpoint}.`);
      return paceFrom(row.pace);
    },

    async set(endpoint, atOnce) {
      const pace = atOnce === null ? null : JSON.stringify({ ...unhurried, atOnce });
      await knex("endpoints").where({ id: endpoint }).update({ pace });
    },

    heard: (endpoint, word) =>
      write(database, async (trx) => {
        const row = await trx("endpoints")
          .where({ id: endpoint })
          .forNoKeyUpdate()
          .first("pace", "login");
        if (row === undefined) throw new Error(`There is no endpoint ${endpoint}.`);
        const busy = (await busyAt(trx)).get(endpoint) ?? 0;
        const shared = row.login === "master";
        const pace = heard(paceFrom(row.pace), word, { busy, shared }, clock.now());
        await trx("endpoints")
          .where({ id: endpoint })
          .update({ pace: JSON.stringify(pace) });
        return pace;
      }),
  });
}

function paceFrom(kept: string | null): Pace {
  return kept === null ? unhurried : (JSON.parse(kept) as Pace);
}

/** The projects one of whose servers takes no mailbox more at this moment. */
export async function fullProjects(knex: Knex, now: Instant): Promise<ProjectId[]> {
  const paced = await knex("endpoints").whereNotNull("pace").select("id", "pace");
  if (paced.length === 0) return [];
  const busy = await busyAt(knex);
  const full = paced
    .filter(({ id, pace }) => isFull(paceFrom(pace), busy.get(id) ?? 0, now))
    .map(({ id }) => id);
  if (full.length === 0) return [];
  return knex("projects")
    .whereIn("source_endpoint_id", full)
    .orWhereIn("target_endpoint_id", full)
    .pluck<ProjectId[]>("id");
}

/**
 * Whether both of a run's servers take one mailbox more. Held until the run has begun, where they are paced: two
 * engines do not take the last place both.
 */
export async function hasPlace(
  trx: Knex.Transaction,
  run: Pick<RunOfPass, "project_id">,
  now: Instant,
): Promise<boolean> {
  const project = await trx("projects")
    .where({ id: run.project_id })
    .first("source_endpoint_id", "target_endpoint_id");
  const paced = await trx("endpoints")
    .whereIn("id", Object.values(project!))
    .whereNotNull("pace")
    .orderBy("id")
    .forNoKeyUpdate()
    .select("id", "pace");
  if (paced.length === 0) return true;
  const busy = await busyAt(trx);
  return !paced.some(({ id, pace }) => isFull(paceFrom(pace), busy.get(id) ?? 0, now));
}

function isFull(pace: Pace, busy: number, now: Instant): boolean {
  const most = places(pace, now);
  return most !== null && busy >= most;
}

/** How many mailboxes are carried at each server; one left behind by a dead engine keeps its place. */
async function busyAt(knex: Knex): Promise<Map<number, number>> {
  const rows = await knex("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .join("projects", "projects.id", "passes.project_id")
    // As its index has it: SQLite does not look into a value that is given beside.
    .whereRaw("runs.state = 'processing'")
    .groupBy("projects.source_endpoint_id", "projects.target_endpoint_id")
    .select<{ source: number; target: number; runs: number | string }[]>(
      "projects.source_endpoint_id as source",
      "projects.target_endpoint_id as target",
      knex.raw("count(*) as ??", ["runs"]),
    );
  const busy = new Map<number, number>();
  for (const { source, target, runs } of rows) {
    for (const end of new Set([source, target])) {
      busy.set(end, (busy.get(end) ?? 0) + Number(runs));
    }
  }
  return busy;
}
