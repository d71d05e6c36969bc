import type { Knex } from "knex";
import { ended, type PassId, type RunId } from "../engine/domain/pass.ts";
import type { EntryId } from "../engine/domain/project.ts";
import { tell } from "./news.ts";
import { afterRuns, endRun, lockRun, type RunOfPass } from "./runs.ts";
import { stopIdle } from "./stop-idle.ts";
import { activeStates } from "./tables.ts";

/** What somebody asks of a pass, or of one entry in it. */
interface Asked {
  pass: PassId;
  want: "run" | "pause" | "stop";
  by: string;
  entry: EntryId | undefined;
}

/** Has the runs of a pass pause, go on or stop; answers how many that changes. */
export async function control(
  trx: Knex.Transaction,
  { pass, want, by, entry }: Asked,
  now: number,
): Promise<number> {
  await trx("passes").where({ id: pass }).forNoKeyUpdate().first("id");
  const own = { pass_id: pass, ...(entry !== undefined && { entry_id: entry }) };
  const idle = await steerIdle(trx, own, want, now);
  let touched = idle;
  const others = trx("runs").where(own).whereIn("state", activeStates).orderBy("id");
  if (want !== "stop") others.whereNot({ wanted: want });
  const ids = await others.pluck<RunId[]>("id");
  if (want === "stop" && entry === undefined && idle + ids.length > 0) {
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
}

/** Those no engine has pause, go on and stop together, however many they are. */
async function steerIdle(
  trx: Knex.Transaction,
  own: { pass_id: PassId; entry_id?: EntryId },
  want: Asked["want"],
  now: number,
): Promise<number> {
  const runs = trx("runs").where(own);
  switch (want) {
    case "stop":
      return stopIdle(trx, own, now);
    case "pause":
      return runs.where({ state: "queued", wanted: "run" }).update({
        wanted: "pause",
        state: "paused",
        waiting_for: null,
        waiting_until: null,
      });
    case "run":
      return runs
        .where({ state: "paused" })
        .whereNot({ wanted: "stop" })
        .update({ wanted: "run", state: "queued", tries: 0, server_tries: 0 });
  }
}

/** One run is asked to pause, go on or stop; true when that changes anything. */
async function steer(
  trx: Knex.Transaction,
  row: RunOfPass,
  want: Asked["want"],
  now: number,
): Promise<boolean> {
  // The first of a remigration takes the others with it.
  if (ended(row.state)) return false;
  const change = () => trx("runs").where({ id: row.id }).update({ wanted: want });
  switch (want) {
    case "stop":
      if (row.state !== "processing") {
        await endRun(trx, row, { state: "stopped", reason: null, survey: null }, now);
      } else if (row.wanted === "stop") return false;
      else await change();
      return true;
    case "pause":
      if (row.wanted !== "run") return false;
      await change();
      return true;
    case "run":
      if (row.wanted === "stop") return false;
      await change();
      return true;
  }
}
