import type { Knex } from "knex";
import { type Counters, noCounters, sum } from "../engine/domain/counters.ts";
import { ended, type PassId, type PassSnapshot, type RunSnapshot } from "../engine/domain/pass.ts";
import { type Policy, policyFrom } from "../engine/domain/policy.ts";
import { countersOf, summed } from "./counters.ts";
import { balancesOf } from "./licenses.ts";
import type { CounterColumns, EntryRow, PassRow, RunRow } from "./tables.ts";

/** Passes as they stand, in the order given; four queries, however many runs they have. */
export async function snapshots(trx: Knex.Transaction, ids: PassId[]): Promise<PassSnapshot[]> {
  if (ids.length === 0) return [];
  const passes = await trx("passes")
    .join("projects", "projects.id", "passes.project_id")
    .leftJoin("people", "people.id", "passes.started_by")
    .whereIn("passes.id", ids)
    .select<PassOfProject[]>(
      "passes.*",
      "projects.name",
      "projects.zone",
      "people.name as starter",
    );
  const runs = await runsOf(trx, ids);
  const balances = await balancesOf(trx, [...new Set(passes.map((pass) => pass.project_id))]);
  return ids.flatMap((id) => {
    const row = passes.find((pass) => pass.id === id);
    if (row === undefined) return [];
    const own = runs.get(id) ?? [];
    return [
      {
        id,
        project: { id: row.project_id, name: row.name, zone: row.zone },
        kind: row.kind,
        state: row.state,
        limit: row.limit_at,
        startedBy: row.starter ?? row.started_by,
        thread: row.thread,
        createdAt: row.created_at,
        startedAt: row.started_at,
        endedAt: row.ended_at,
        counters: sum(own.map((run) => run.counters)),
        expected: expectedOf(own),
        policy: policyFrom(JSON.parse(row.policy) as Partial<Policy>),
        runs: own,
        licenses: balances.get(row.project_id)!,
      },
    ];
  });
}

type PassOfProject = PassRow & { name: string; zone: string; starter: string | null };

type RunOfEntry = RunRow & Pick<EntryRow, "source" | "target" | "passes_used" | "license">;

async function runsOf(
  trx: Knex.Transaction,
  passes: PassId[],
): Promise<Map<PassId, RunSnapshot[]>> {
  const rows = await trx("runs")
    .join("entries", "entries.id", "runs.entry_id")
    .whereIn("runs.pass_id", passes)
    .orderBy("runs.id")
    .select<RunOfEntry[]>(
      "runs.*",
      "entries.source",
      "entries.target",
      "entries.passes_used",
      "entries.license",
    );
  const sums = await trx("run_folders")
    .join("runs", "runs.id", "run_folders.run_id")
    .whereIn("runs.pass_id", passes)
    .groupBy("run_folders.run_id")
    .select<(CounterColumns & { run_id: number })[]>("run_folders.run_id", ...summed(trx));
  const counters = new Map(sums.map((row) => [row.run_id, countersOf(row)]));
  const runs = new Map<PassId, RunSnapshot[]>();
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const row of rows) {
    const first = row.after_run === null ? undefined : byId.get(row.after_run);
    const after = first === undefined || first.checked ? null : first.source;
    const one = runOf(row, after, counters.get(row.id) ?? noCounters());
    const others = runs.get(row.pass_id);
    if (others === undefined) runs.set(row.pass_id, [one]);
    else others.push(one);
  }
  return runs;
}

function runOf(row: RunOfEntry, after: string | null, counters: Counters): RunSnapshot {
  return {
    id: row.id,
    entry: row.entry_id,
    source: row.source,
    target: row.target,
    state: row.state,
    reason: row.reason,
    waiting: row.waiting_for === null ? null : { for: row.waiting_for, until: row.waiting_until },
    after: ended(row.state) ? null : after,
    counters,
    expected: row.expected,
    passesUsed: row.passes_used,
    license: row.license,
    survey: row.survey === null ? null : (JSON.parse(row.survey) as RunSnapshot["survey"]),
  };
}

/** Null while a run that has not ended has not asked its server; what ended unasked is as much as it listed. */
function expectedOf(runs: RunSnapshot[]): number | null {
  if (runs.every((run) => run.expected === null)) return null;
  let total = 0;
  for (const { expected, state, counters } of runs) {
    if (expected === null && !ended(state)) return null;
    total += expected ?? counters.listed;
  }
  return total;
}
