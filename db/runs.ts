import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import type { Waiting } from "../engine/domain/errors.ts";
import type {
  Checked,
  PassId,
  PassKind,
  PassState,
  RunEnd,
  RunId,
  Tries,
} from "../engine/domain/pass.ts";
import { ended, passStates } from "../engine/domain/pass.ts";
import { type Policy, policyFrom } from "../engine/domain/policy.ts";
import { type Movable, moveLicenses } from "./licenses.ts";
import { tell } from "./news.ts";
import { setTick } from "./remigrations.ts";
import { activeStates, type RunRow } from "./tables.ts";

/** A run with what of its pass and entry decides about it. */
export interface RunOfPass extends RunRow {
  project_id: number;
  kind: PassKind;
  /** As the pass began with it. */
  policy: string;
  started_by: string;
  source: string;
  remigration_id: number | null;
}

/** Reads a run for a change. On PostgreSQL its pass is locked first: everybody takes them in this order. */
export async function lockRun(trx: Knex.Transaction, run: RunId): Promise<RunOfPass> {
  const of = trx("runs").where({ id: run }).select("pass_id");
  await trx("passes").where("id", of).forNoKeyUpdate().first("id");
  return runOfPass(trx, run);
}

/** Reads a run as it stands. */
export async function runOfPass(trx: Knex.Transaction, run: RunId): Promise<RunOfPass> {
  const row = await trx("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .join("entries", "entries.id", "runs.entry_id")
    .where("runs.id", run)
    .first<RunOfPass | undefined>(
      "runs.*",
      "passes.project_id",
      "passes.kind",
      "passes.policy",
      "passes.started_by",
      "entries.source",
      "entries.remigration_id",
    );
  if (row === undefined) throw new Error(`There is no run ${run}.`);
  return row;
}

/**
 * The run carried its first item: its reservation becomes a consumption, the pass is counted, a trial is
 * used up.
 */
export async function firstItem(
  trx: Knex.Transaction,
  run: RunOfPass,
  now: Instant,
): Promise<void> {
  await trx("runs").where({ id: run.id }).update({ wrote: true });
  const entry = trx("entries").where({ id: run.entry_id });
  if (run.kind === "trial") await entry.clone().update({ trial_used: true });
  if (run.reserved) {
    await moveLicenses(trx, "consume", [movable(run)], now);
    // A new license: its passes and its window are counted from here.
    await entry.clone().update({ passes_used: 0, first_success_at: null });
    await tell(trx, run.pass_id, { type: "license consumed", entry: run.source }, now);
  }
  if (counts(run) && !run.counted) await countPass(trx, run);
}

/** The run ends, or pauses where that is the end's state. Does not look after the pass: `afterRuns` does. */
export async function endRun(
  trx: Knex.Transaction,
  run: RunOfPass,
  end: RunEnd,
  now: Instant,
): Promise<void> {
  let { state } = end;
  if (state === "paused") {
    if (run.wanted === "stop") state = "stopped";
    else {
      await pauseRun(trx, run, end);
      return;
    }
  }
  const completed = state === "completed" || state === "completed_with_errors";
  if (completed && counts(run) && !run.counted) await countPass(trx, run);
  if (run.reserved) await moveLicenses(trx, "release", [movable(run)], now);
  // What nobody reached is no gap. In a completed run one would be a fault, and stays to be seen.
  if (!completed) await balanceSums(trx, [run.id]);
  if (completed && run.wrote && run.kind !== "trial") {
    await trx("entries")
      .where({ id: run.entry_id })
      .whereNull("first_success_at")
      .update({ first_success_at: now });
  }
  await trx("runs")
    .where({ id: run.id })
    .update({
      state,
      reason: end.reason,
      survey: end.survey === null ? null : JSON.stringify(end.survey),
      waiting_for: null,
      waiting_until: null,
      checked: end.checked?.passed ?? null,
    });
  const { reason } = end;
  await tell(
    trx,
    run.pass_id,
    { type: "entry ended", entry: run.source, run: run.id, state, reason },
    now,
  );
  await afterFirst(trx, run, { ...end, state }, now);
}

/** The run waits, queued, without an engine; a pause or a stop that was asked for is done instead. */
export async function setAside(
  trx: Knex.Transaction,
  run: RunOfPass,
  { for: what, until }: { for: Waiting; until: Instant },
  now: Instant,
  tries: Tries,
): Promise<void> {
  if (await didAsWanted(trx, run, now)) return;
  await trx("runs").where({ id: run.id }).update({
    state: "queued",
    reason: null,
    waiting_for: what,
    waiting_until: until,
    tries: tries.own,
    server_tries: tries.server,
  });
  // Hours are told anew when they change, other waits once, however often it is tried until mail is carried again.
  const told =
    what === "window"
      ? run.waiting_for === what && run.waiting_until === until
      : run.waiting_for === what || tries.own + tries.server > 1;
  if (!told) {
    const news = { type: "entry waits", entry: run.source, for: what, until } as const;
    await tell(trx, run.pass_id, news, now);
  }
  await afterRuns(trx, run.pass_id, now);
}

/** Does the pause or the stop that was asked for while no engine had the run; true when one was. */
export async function didAsWanted(
  trx: Knex.Transaction,
  run: RunOfPass,
  now: Instant,
): Promise<boolean> {
  if (run.wanted === "run") return false;
  const state = run.wanted === "stop" ? "stopped" : "paused";
  await endRun(trx, run, { state, reason: null, survey: null }, now);
  await afterRuns(trx, run.pass_id, now);
  return true;
}

/** What follows from the run of a remigrated mailbox: the others of its remigration begin or are stopped. */
async function afterFirst(
  trx: Knex.Transaction,
  run: RunOfPass,
  end: RunEnd,
  now: Instant,
): Promise<void> {
  if (run.remigration_id === null) return;
  const n = run.remigration_id;
  const { checked } = end;
  if (end.state === "completed") await validated(trx, n, now);
  const others = await trx("runs")
    .where({ after_run: run.id })
    .whereIn("state", activeStates)
    .orderBy("id")
    .pluck<RunId[]>("id");
  if (checked !== undefined) {
    const news = { type: "first checked", entry: run.source, checked } as const;
    await tell(trx, run.pass_id, { ...news, others: others.length }, now);
  }
  if (checked?.passed === true) {
    await release(trx, n, checked, run.source, now);
    return;
  }
  const [next, ...later] = others;
  if (end.state === "completed" && checked === undefined && next !== undefined) {
    // It had nothing to carry, and so nothing could be checked: another goes first.
    await trx("runs").where({ id: next }).update({ after_run: null });
    await trx("runs").whereIn("id", later).update({ after_run: next });
    return;
  }
  for (const id of others) {
    const reason = `${run.source} goes first and did not come through its check; type \`delta\` when that is mended`;
    const other = await runOfPass(trx, id);
    await endRun(trx, other, { state: "stopped", reason, survey: null }, now);
  }
}

async function release(
  trx: Knex.Transaction,
  n: number,
  { carried, duplicates }: Checked,
  source: string,
  now: Instant,
): Promise<void> {
  await trx("remigrations").where({ n }).update({ released_at: now });
  const ticks = {
    first: source,
    counts: `${carried} in the ledger, all of them where they were put`,
    duplicates: duplicates === 0 ? "none" : `${duplicates}, and they were accepted`,
    errors: "none",
  } as const;
  for (const [item, note] of Object.entries(ticks) as [keyof typeof ticks, string][]) {
    await setTick(trx, n, { item, by: null, at: now, note });
  }
}

/** Ticked once every mailbox of the remigration had a full pass that completed. */
async function validated(trx: Knex.Transaction, n: number, now: Instant): Promise<void> {
  const entries = await trx("entries").where({ remigration_id: n }).pluck<number[]>("id");
  const whole = await trx("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .whereIn("runs.entry_id", entries)
    .whereIn("passes.kind", ["full", "delta"])
    .where("runs.state", "completed")
    .distinct("runs.entry_id");
  if (whole.length < entries.length) return;
  const note = `${entries.length} of ${entries.length}`;
  await setTick(trx, n, { item: "validated", by: null, at: now, note });
}

/** Brings a pass's own state in line with its runs, and ends it with the last of them. */
export async function afterRuns(trx: Knex.Transaction, pass: PassId, now: Instant): Promise<void> {
  const row = (await trx("passes").where({ id: pass }).first())!;
  if (ended(row.state)) return;
  const states = await statesOf(trx, pass);
  const state = passState(states, row.started_at !== null, row.stopped_by !== null);
  if (state === row.state) return;
  const endedAt = ended(state) ? now : null;
  await trx("passes").where({ id: pass }).update({ state, ended_at: endedAt });
  if (ended(state)) await tell(trx, pass, { type: "pass ended", state }, now);
}

/** Which states its runs are in: each is looked for by itself, for every run that begins or ends asks this. */
async function statesOf(trx: Knex.Transaction, pass: PassId): Promise<Set<PassState>> {
  const row = await trx
    .select<Record<PassState, boolean>[]>(
      passStates.map((state) =>
        trx.raw("exists (select 1 from runs where pass_id = ? and state = ?) as ??", [
          pass,
          state,
          state,
        ]),
      ),
    )
    .first();
  return new Set(passStates.filter((state) => row?.[state]));
}

/** The state of a pass whose runs are in these states. */
function passState(runs: Set<PassState>, started: boolean, stopped: boolean): PassState {
  if (runs.has("processing")) return "processing";
  if (runs.has("queued")) return started ? "processing" : "queued";
  if (runs.has("paused")) return "paused";
  if (runs.has("stopped") && (stopped || runs.size === 1)) return "stopped";
  const [only] = runs;
  return only !== undefined && runs.size === 1 ? only : "completed_with_errors";
}

async function pauseRun(trx: Knex.Transaction, run: RunOfPass, end: RunEnd): Promise<void> {
  // Asked to go on meanwhile, perhaps before it began and its engine heard late: it waits for an engine again.
  const state = run.wanted === "pause" ? "paused" : "queued";
  await trx("runs").where({ id: run.id }).update({
    state,
    reason: end.reason,
    waiting_for: null,
    waiting_until: null,
    tries: 0,
    server_tries: 0,
  });
}

/** What nobody reached of these runs is no gap in their sums. */
export async function balanceSums(trx: Knex.Transaction, runs: RunId[]): Promise<void> {
  await trx("run_folders")
    .whereIn("run_id", runs)
    .update({
      listed: trx.raw("migrated + duplicates + filtered + failed + vanished + not_carried"),
    });
}

async function countPass(trx: Knex.Transaction, run: RunOfPass): Promise<void> {
  await trx("entries").where({ id: run.entry_id }).increment("passes_used", 1);
  await trx("runs").where({ id: run.id }).update({ counted: true });
}

function counts({ kind, policy }: RunOfPass): boolean {
  return policyFrom(JSON.parse(policy) as Partial<Policy>).counts.includes(kind);
}

function movable(run: RunOfPass): Movable {
  return {
    project: run.project_id,
    entry: run.entry_id,
    run: run.id,
    pass: run.pass_id,
    by: run.started_by,
  };
}
