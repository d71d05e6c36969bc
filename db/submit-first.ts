import type { Knex } from "knex";
import { UserError } from "../engine/domain/errors.ts";
import type { NewPass, PassId, PassKind } from "../engine/domain/pass.ts";
import { activeStates } from "./tables.ts";

/** Passes that carry a remigration's mailboxes: one of them goes first. */
export const goesFirst: ReadonlySet<PassKind> = new Set(["prestage", "full", "delta", "retry"]);

/**
 * Of each remigration that was not released yet, one mailbox goes first and the others of the pass wait for it.
 * Throws `UserError` where one is first in another pass at this moment.
 */
export async function sendFirst(trx: Knex.Transaction, pass: NewPass, id: PassId): Promise<void> {
  if (!goesFirst.has(pass.kind)) return;
  const runs = await trx("runs")
    .join("entries", "entries.id", "runs.entry_id")
    .join("remigrations", "remigrations.n", "entries.remigration_id")
    .where("runs.pass_id", id)
    .whereNull("remigrations.released_at")
    .orderBy("runs.id")
    .select<{ id: number; n: number; source: string }[]>(
      "runs.id",
      "remigrations.n",
      "entries.source",
    );
  for (const [n, [first, ...others]] of Map.groupBy(runs, (run) => run.n)) {
    await refuseSecond(trx, n, id, first!.source);
    for (const { id: run } of others) {
      await trx("runs").where({ id: run }).update({ after_run: first!.id });
    }
  }
}

async function refuseSecond(
  trx: Knex.Transaction,
  n: number,
  id: PassId,
  source: string,
): Promise<void> {
  const other = await trx("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .join("entries", "entries.id", "runs.entry_id")
    .where("entries.remigration_id", n)
    .whereNot("runs.pass_id", id)
    .whereIn("runs.state", activeStates)
    .whereIn("passes.kind", [...goesFirst])
    .first<{ source: string; pass_id: number } | undefined>("entries.source", "runs.pass_id");
  if (other === undefined) return;
  throw new UserError(
    `${other.source} goes first in remigration ${n} and has not been checked; ${source} waits for that. Nothing was started. Type \`status ${other.pass_id}\` to see it.`,
  );
}
