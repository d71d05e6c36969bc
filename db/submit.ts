import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import { firstOf, TakenError, UserError } from "../engine/domain/errors.ts";
import type { NewPass, PassId, PassKind } from "../engine/domain/pass.ts";
import { beyond } from "../engine/domain/policy.ts";
import { chunks } from "./chunks.ts";
import { balanceOf, moveLicenses } from "./licenses.ts";
import { tell } from "./news.ts";
import { sendFirst } from "./submit-first.ts";
import { activeStates, type EntryRow } from "./tables.ts";

/**
 * Writes a pass with its runs and reservations. Throws `UserError` when an entry is busy, has used its trial
 * or got its license meanwhile, or licenses are short.
 */
export async function submitPass(
  trx: Knex.Transaction,
  pass: NewPass,
  now: Instant,
): Promise<PassId> {
  // All that start something in a project take turns here.
  const project = await trx("projects").where({ id: pass.project }).forNoKeyUpdate().first("id");
  if (project === undefined) throw new Error(`There is no project with the id ${pass.project}.`);
  if (pass.schedule !== undefined) await refuseTaken(trx, pass.schedule);
  const entries = await chosen(trx, pass);
  await refuseBusy(trx, pass);
  refuseChanged(pass, entries, now);
  await refuseShort(trx, pass);

  const [made] = await trx("passes").insert(
    {
      project_id: pass.project,
      kind: pass.kind,
      state: "queued",
      limit_at: pass.limit,
      types: JSON.stringify(pass.types),
      filters: JSON.stringify(pass.filters),
      policy: JSON.stringify(pass.policy),
      started_by: pass.startedBy,
      thread: pass.thread,
      created_at: now,
    },
    "id",
  );
  const { id } = made!;
  if (pass.schedule !== undefined) {
    await trx("schedules").where({ n: pass.schedule }).update({ state: "started", pass_id: id });
  }
  for (const some of chunks(pass.entries)) {
    await trx("runs").insert(
      some.map(({ entry }) => ({
        pass_id: id,
        entry_id: entry,
        state: "queued" as const,
        wanted: "run" as const,
        resumed: false,
        reserved: false,
        wrote: false,
        counted: false,
        failure_told: false,
      })),
    );
  }
  await sendFirst(trx, pass, id);
  await reserve(trx, pass, id, now);
  await tell(trx, id, { type: "pass queued" }, now);
  return id;
}

/** Asked before anything else: the mailboxes of one that was started are busy with it. */
async function refuseTaken(trx: Knex.Transaction, n: number): Promise<void> {
  const row = await trx("schedules").where({ n, state: "waiting" }).forUpdate().first("n");
  if (row === undefined) throw new TakenError("Another process started it.");
}

async function chosen(trx: Knex.Transaction, pass: NewPass): Promise<Map<number, EntryRow>> {
  const entries = new Map<number, EntryRow>();
  for (const ids of chunks(pass.entries.map(({ entry }) => entry))) {
    const rows = await trx("entries").where({ project_id: pass.project }).whereIn("id", ids);
    for (const row of rows) entries.set(row.id, row);
  }
  const strange = pass.entries.find(({ entry }) => !entries.has(entry));
  if (strange !== undefined || pass.entries.length === 0) {
    throw new Error(`Entry ${strange?.entry} is not of project ${pass.project}.`);
  }
  return entries;
}

async function refuseBusy(trx: Knex.Transaction, pass: NewPass): Promise<void> {
  const busy: string[] = [];
  for (const ids of chunks(pass.entries.map(({ entry }) => entry))) {
    const rows = await trx("runs")
      .join("entries", "entries.id", "runs.entry_id")
      .whereIn("runs.entry_id", ids)
      .whereIn("runs.state", activeStates)
      .orderBy("runs.entry_id")
      .select<{ source: string; pass_id: number }[]>("entries.source", "runs.pass_id");
    busy.push(...rows.map((row) => `${row.source} is already running in pass ${row.pass_id}`));
  }
  if (busy.length > 0) throw new UserError(`${firstOf(busy, "; ")}. Nothing was started.`);
}

/** What was true when the plan was made can be out of date when it starts. */
function refuseChanged(pass: NewPass, entries: Map<number, EntryRow>, now: Instant): void {
  for (const { entry, license } of pass.entries) {
    const row = entries.get(entry)!;
    if (row.closed_at !== null) {
      throw new UserError(
        `${row.source} was started from scratch meanwhile. Nothing was started. Type the command again.`,
      );
    }
    if (pass.kind === "trial" && row.trial_used) {
      throw new UserError(
        `The trial of ${row.source} has been used. Nothing was started. Type \`prestage 90d\` or \`full\`.`,
      );
    }
    if (license === "none" && countedKinds.has(pass.kind) && !withinLicense(pass, row, now)) {
      throw new UserError(
        `The license of ${row.source} was used up meanwhile. Nothing was started. Type the command again.`,
      );
    }
    if (license === "reserve" && row.license === "consumed" && withinLicense(pass, row, now)) {
      throw new UserError(
        `${row.source} got its license meanwhile and needs no other. Nothing was started. Type the command again.`,
      );
    }
  }
}

/** Kinds of pass that a license has only so many of, or only for so long. */
const countedKinds: ReadonlySet<PassKind> = new Set(["prestage", "full", "delta"]);

function withinLicense({ policy }: NewPass, row: EntryRow, now: Instant): boolean {
  const use = { passesUsed: row.passes_used, firstSuccessAt: row.first_success_at };
  return beyond(policy, use, now) === null;
}

async function refuseShort(trx: Knex.Transaction, pass: NewPass): Promise<void> {
  const needed = pass.entries.filter(({ license }) => license === "reserve").length;
  if (needed === 0) return;
  const { free } = await balanceOf(trx, pass.project);
  const short = needed - free;
  if (short <= 0) return;
  throw new UserError(
    `Uses ${needed} ${needed === 1 ? "license" : "licenses"}, ${free} free: ${short} short. Nothing was started. Choose fewer mailboxes, or type \`licenses add ${short} --note "order number"\`.`,
  );
}

async function reserve(
  trx: Knex.Transaction,
  pass: NewPass,
  id: PassId,
  now: Instant,
): Promise<void> {
  const wanting = new Set(
    pass.entries.filter(({ license }) => license === "reserve").map(({ entry }) => entry),
  );
  if (wanting.size === 0) return;
  const runs = await trx("runs").where({ pass_id: id }).orderBy("id").select("id", "entry_id");
  const { project, startedBy: by } = pass;
  const reserved = runs.filter(({ entry_id }) => wanting.has(entry_id));
  for (const some of chunks(reserved)) {
    const moves = some.map((run) => ({ project, entry: run.entry_id, run: run.id, pass: id, by }));
    await moveLicenses(trx, "reserve", moves, now);
  }
}
