import type { Knex } from "knex";
import type { Clock, Instant } from "../engine/domain/clock.ts";
import type { Fence } from "../engine/domain/owner.ts";
import { ended, type Job, type Passes, type RunId } from "../engine/domain/pass.ts";
import { available } from "./available.ts";
import { tell } from "./news.ts";
import type { Database } from "./open.ts";
import { knexPassReads } from "./pass-reads.ts";
import { afterRuns, didAsWanted, endRun, lockRun, type RunOfPass } from "./runs.ts";
import { submitPass } from "./submit.ts";
import { goesFirst } from "./submit-first.ts";
import { activeStates } from "./tables.ts";
import { fenced, write } from "./transaction.ts";
import { waitingRuns } from "./waiting.ts";
import { putOff, windowsOfRuns } from "./windows.ts";

/** Passes and their runs in the database. */
export function knexPasses(database: Database, clock: Clock): Passes {
  const { knex } = database;
  return available({
    submit: (pass) => write(database, (trx) => submitPass(trx, pass, clock.now())),

    async waiting(limit) {
      return (await waitingRuns(knex, clock.now(), limit)).map(({ run }) => run);
    },

    turns: (limit) => waitingRuns(knex, clock.now(), limit),

    job: (run) => jobOf(knex, run),

    begin: (run, fence) =>
      fenced(database, fence, async (trx) => {
        const row = await ownRun(trx, run, fence);
        return begin(trx, row, clock.now());
      }),

    putOff: (run, until, fence) =>
      fenced(database, fence, async (trx) => {
        const row = await ownRun(trx, run, fence);
        return (await mayGo(trx, row)) && putOff(trx, row, until, clock.now());
      }),

    windows: (runs) => windowsOfRuns(knex, runs),

    async wanted(runs) {
      const rows = await knex("runs").whereIn("id", runs).select("id", "wanted");
      return new Map(rows.map(({ id, wanted }) => [id, wanted]));
    },

    expect: (run, items, fence) =>
      fenced(database, fence, async (trx) => {
        await trx("runs").where({ id: run, entry_id: fence.entry }).update({ expected: items });
      }),

    wait: (run, waiting, fence) =>
      fenced(database, fence, async (trx) => {
        const row = await ownRun(trx, run, fence);
        const news = waiting !== null && waiting.for !== row.waiting_for;
        await trx("runs")
          .where({ id: run })
          .update({
            waiting_for: waiting?.for ?? null,
            waiting_until: waiting?.until ?? null,
          });
        if (!news) return;
        const { source } = row;
        await tell(
          trx,
          row.pass_id,
          { type: "entry waits", entry: source, ...waiting },
          clock.now(),
        );
      }),

    end: (run, end, fence) =>
      fenced(database, fence, async (trx) => {
        const row = await ownRun(trx, run, fence);
        if (ended(row.state)) return;
        await endRun(trx, row, end, clock.now());
        await afterRuns(trx, row.pass_id, clock.now());
      }),

    control: (pass, want, by, entry) =>
      write(database, async (trx) => {
        const now = clock.now();
        await trx("passes").where({ id: pass }).forNoKeyUpdate().first("id");
        const ids = await trx("runs")
          .where({ pass_id: pass, ...(entry !== undefined && { entry_id: entry }) })
          .whereIn("state", activeStates)
          .orderBy("id")
          .pluck<RunId[]>("id");
        let touched = 0;
        if (want === "stop" && entry === undefined && ids.length > 0) {
          await trx("passes").where({ id: pass }).update({ stopped_by: by });
        }
        for (const id of ids) {
          const row = await lockRun(trx, id);
          if (await steer(trx, row, want, now)) touched += 1;
        }
        if (touched === 0) return 0;
        if (want === "pause") await tell(trx, pass, { type: "pass paused", by }, now);
        if (want === "run") await tell(trx, pass, { type: "pass resumed", by }, now);
        await afterRuns(trx, pass, now);
        return touched;
      }),

    ...knexPassReads(database),
  });
}

async function jobOf(knex: Knex, run: RunId): Promise<Job> {
  const row = await knex("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .join("entries", "entries.id", "runs.entry_id")
    .leftJoin("remigrations", "remigrations.n", "entries.remigration_id")
    .where("runs.id", run)
    .first<JobRow | undefined>(
      "runs.entry_id",
      "runs.after_run",
      "remigrations.n",
      "remigrations.accepts_duplicates",
      "remigrations.released_at",
      "passes.id",
      "passes.project_id",
      "passes.kind",
      "passes.limit_at",
      "passes.types",
      "passes.filters",
    );
  if (row === undefined) throw new Error(`There is no run ${run}.`);
  return {
    run,
    pass: row.id,
    entry: row.entry_id,
    project: row.project_id,
    kind: row.kind,
    limit: row.limit_at,
    types: JSON.parse(row.types) as Job["types"],
    filters: JSON.parse(row.filters) as Job["filters"],
    remigration:
      row.n === null
        ? null
        : {
            acceptsDuplicates: Boolean(row.accepts_duplicates),
            first: goesFirst.has(row.kind) && row.released_at === null && row.after_run === null,
          },
  };
}

interface JobRow {
  after_run: number | null;
  n: number | null;
  accepts_duplicates: boolean | null;
  released_at: Instant | null;
  id: number;
  entry_id: number;
  project_id: number;
  kind: Job["kind"];
  limit_at: number | null;
  types: string;
  filters: string;
}

async function ownRun(trx: Knex.Transaction, run: RunId, fence: Fence): Promise<RunOfPass> {
  const row = await lockRun(trx, run);
  if (row.entry_id !== fence.entry) throw new Error(`Run ${run} is not of entry ${fence.entry}.`);
  return row;
}

async function begin(trx: Knex.Transaction, row: RunOfPass, now: number): Promise<boolean> {
  if (ended(row.state) || row.state === "paused") return false;
  if (!(await mayGo(trx, row))) return false;
  // Asked while its engine was dead: done before anything else.
  if (await didAsWanted(trx, row, now)) return false;
  await trx("runs").where({ id: row.id }).update({
    state: "processing",
    resumed: false,
    reason: null,
    waiting_for: null,
    waiting_until: null,
  });
  const first = await trx("passes")
    .where({ id: row.pass_id })
    .whereNull("started_at")
    .update({ started_at: now });
  if (first > 0) await tell(trx, row.pass_id, { type: "pass started" }, now);
  await afterRuns(trx, row.pass_id, now);
  return true;
}

/** Whether the one that goes first was checked. */
async function mayGo(trx: Knex.Transaction, { after_run }: RunOfPass): Promise<boolean> {
  if (after_run === null) return true;
  const first = await trx("runs").where({ id: after_run }).first("checked");
  return Boolean(first?.checked);
}

/** One run is asked to pause, go on or stop; true when that changes anything. */
async function steer(
  trx: Knex.Transaction,
  row: RunOfPass,
  want: "run" | "pause" | "stop",
  now: number,
): Promise<boolean> {
  // The first of a remigration takes the others with it.
  if (ended(row.state)) return false;
  const change = (columns: {
    state?: "queued" | "paused";
    wanted: typeof want;
    resumed?: boolean;
    waiting_for?: null;
    waiting_until?: null;
  }) => trx("runs").where({ id: row.id }).update(columns);
  const untouched = row.state !== "processing";
  switch (want) {
    case "stop":
      if (untouched) await endRun(trx, row, { state: "stopped", reason: null, survey: null }, now);
      else if (row.wanted === "stop") return false;
      else await change({ wanted: "stop" });
      return true;
    case "pause":
      if (row.state === "paused" || row.wanted !== "run") return false;
      await change({
        wanted: "pause",
        resumed: false,
        ...(untouched && { state: "paused", waiting_for: null, waiting_until: null }),
      });
      return true;
    case "run":
      if (row.wanted === "stop" || (row.wanted === "run" && row.state !== "paused")) return false;
      // Its engine may be pausing it at this moment: `resumed` tells it that it need not have.
      await change({
        wanted: "run",
        ...(row.state === "paused" ? { state: "queued" } : { resumed: true }),
      });
      return true;
  }
}
