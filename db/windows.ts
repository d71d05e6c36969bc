import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import { ended, isKeptToWindows, type PassKind, type RunId } from "../engine/domain/pass.ts";
import type { ProjectId } from "../engine/domain/project.ts";
import { noWindows, type Windows, type ZonedWindows } from "../engine/domain/window.ts";
import { type RunOfPass, setAside } from "./runs.ts";

/** A project's windows as they were kept. */
export function windowsFrom(kept: string | null): Windows {
  return kept === null ? noWindows : (JSON.parse(kept) as Windows);
}

/** Runs that wait for their window wait for an engine: it sees where they stand now. */
export async function endWindowWaits(trx: Knex.Transaction, project: ProjectId): Promise<void> {
  await trx("runs")
    .where({ waiting_for: "window" })
    .whereIn("pass_id", trx("passes").where({ project_id: project }).select("id"))
    .update({ waiting_for: null, waiting_until: null });
}

/** The windows of each run that is kept to some. */
export async function windowsOfRuns(knex: Knex, runs: RunId[]): Promise<Map<RunId, ZonedWindows>> {
  const rows = await knex("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .join("projects", "projects.id", "passes.project_id")
    .whereIn("runs.id", runs)
    .whereNotNull("projects.windows")
    .select<{ id: RunId; kind: PassKind; windows: string; zone: string }[]>(
      "runs.id",
      "passes.kind",
      "projects.windows",
      "projects.zone",
    );
  return new Map(
    rows
      .filter(({ kind }) => isKeptToWindows(kind))
      .map(({ id, windows, zone }) => [id, { windows: windowsFrom(windows), zone }]),
  );
}

/** The run waits until the time that `until` names, where it names one; true then. */
export async function putOff(
  trx: Knex.Transaction,
  run: RunOfPass,
  until: (windows: ZonedWindows) => Instant | null,
  now: Instant,
): Promise<boolean> {
  if (ended(run.state) || run.state === "paused" || !isKeptToWindows(run.kind)) return false;
  // Held until the wait is written: whoever changes the windows then sees it, and ends it.
  const project = await trx("projects").where({ id: run.project_id }).forShare().first();
  if (project === undefined || project.windows === null) return false;
  const at = until({ windows: windowsFrom(project.windows), zone: project.zone });
  if (at === null) return false;
  const tries = { own: run.tries, server: run.server_tries };
  await setAside(trx, run, { for: "window", until: at }, now, tries);
  return true;
}
