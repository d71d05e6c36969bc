import type { Knex } from "knex";
import type { Clock, Instant } from "../engine/domain/clock.ts";
import type { Fence } from "../engine/domain/owner.ts";
import { ended, type Job, type Passes, type RunId } from "../engine/domain/pass.ts";
import { available } from "./available.ts";
import { control } from "./control.ts";
import { tell } from "./news.ts";
import type { Database } from "./open.ts";
import { hasPlace } from "./paces.ts";
import { knexPassReads } from "./pass-reads.ts";
import { afterRuns, didAsWanted, endRun, lockRun, type RunOfPass, setAside } from "./runs.ts";
import { submitPass } from "./submit.ts";
import { goesFirst } from "./submit-first.ts";
import { fenced, write } from "./transaction.ts";
import { isWaiting, waitingRuns } from "./waiting.ts";
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

    wait: (run, waiting, fence, { quietly } = { quietly: false }) =>
      fenced(database, fence, async (trx) => {
        const row = await ownRun(trx, run, fence);
        const news = !quietly && waiting !== null && waiting.for !== row.waiting_for;
        await trx("runs")
          .where({ id: run })
          .update({
            waiting_for: waiting?.for ?? null,
            waiting_until: waiting?.until ?? null,
            // What was tried in vain before counts no more once it goes on.
            ...(waiting === null && { tries: 0, server_tries: 0 }),
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

    letGo: (run, waiting, tries, fence) =>
      fenced(database, fence, async (trx) => {
        const row = await ownRun(trx, run, fence);
        if (ended(row.state) || row.state === "paused") return;
        await setAside(trx, row, waiting, clock.now(), tries);
      }),

    end: (run, end, fence) =>
      fenced(database, fence, async (trx) => {
        const row = await ownRun(trx, run, fence);
        if (ended(row.state)) return;
        await endRun(trx, row, end, clock.now());
        await afterRuns(trx, row.pass_id, clock.now());
      }),

    control: (pass, want, by, entry) =>
      write(database, (trx) => control(trx, { pass, want, by, entry }, clock.now())),

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
      "runs.tries",
      "runs.server_tries",
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
    tries: { own: row.tries, server: row.server_tries },
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
  tries: number;
  server_tries: number;
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
  if (row.state === "queued" && !(await mayLeaveTheLine(trx, row, now))) return false;
  await trx("runs")
    .where({ id: row.id })
    .update({
      state: "processing",
      reason: null,
      // Tried again, what it waits for stands until both ends answer: a wait is told once. Its hours have come.
      waiting_for:
        row.waiting_for !== "window" && row.tries + row.server_tries > 0 ? row.waiting_for : null,
      waiting_until: null,
    });
  const first = await trx("passes")
    .where({ id: row.pass_id })
    .whereNull("started_at")
    .update({ started_at: now });
  await trx("passes").where({ id: row.pass_id }).update({ begun_at: now });
  if (first > 0) await tell(trx, row.pass_id, { type: "pass started" }, now);
  await afterRuns(trx, row.pass_id, now);
  return true;
}

async function mayLeaveTheLine(
  trx: Knex.Transaction,
  row: RunOfPass,
  now: number,
): Promise<boolean> {
  if (isWaiting(row, now)) return false;
  return hasPlace(trx, row, now);
}

/** Whether the one that goes first was checked. */
async function mayGo(trx: Knex.Transaction, { after_run }: RunOfPass): Promise<boolean> {
  if (after_run === null) return true;
  const first = await trx("runs").where({ id: after_run }).first("checked");
  return Boolean(first?.checked);
}
