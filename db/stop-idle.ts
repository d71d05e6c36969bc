import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import type { News } from "../engine/domain/news.ts";
import type { PassId } from "../engine/domain/pass.ts";
import type { EntryId } from "../engine/domain/project.ts";
import { chunks } from "./chunks.ts";
import { moveLicenses } from "./licenses.ts";
import { tellAll } from "./news.ts";
import { balanceSums } from "./runs.ts";

/**
 * Stops the runs of a pass that no engine has, many in one statement, as `endRun` stops one; answers how many.
 * Those of remigrated mailboxes are left out: what follows from their end is seen to one by one.
 */
export async function stopIdle(
  trx: Knex.Transaction,
  own: { pass_id: PassId; entry_id?: EntryId },
  now: Instant,
): Promise<number> {
  const conditions = Object.entries(own).map(([column, value]) => [`runs.${column}`, value]);
  const runs = await trx("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .join("entries", "entries.id", "runs.entry_id")
    .where(Object.fromEntries(conditions))
    .whereIn("runs.state", ["queued", "paused"])
    .whereNull("entries.remigration_id")
    .orderBy("runs.id")
    .select<Idle[]>(
      "runs.id",
      "runs.entry_id",
      "runs.reserved",
      "entries.source",
      "passes.project_id",
      "passes.started_by",
    );
  const pass = own.pass_id;
  for (const some of chunks(runs)) {
    const ids = some.map(({ id }) => id);
    const reserved = some.filter((run) => Boolean(run.reserved));
    if (reserved.length > 0) {
      const moves = reserved.map(({ id, entry_id, project_id, started_by }) => ({
        ...{ project: project_id, entry: entry_id, run: id, pass, by: started_by },
      }));
      await moveLicenses(trx, "release", moves, now);
    }
    await balanceSums(trx, ids);
    await trx("runs").whereIn("id", ids).update({
      state: "stopped",
      reason: null,
      survey: null,
      waiting_for: null,
      waiting_until: null,
      checked: null,
    });
    const news = some.map(
      ({ id, source }): News => ({
        ...{ type: "entry ended", entry: source, run: id, state: "stopped", reason: null },
      }),
    );
    await tellAll(trx, pass, news, now);
  }
  return runs.length;
}

interface Idle {
  id: number;
  entry_id: number;
  reserved: boolean;
  source: string;
  project_id: number;
  started_by: string;
}
