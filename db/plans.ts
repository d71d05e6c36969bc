import type { Forecast } from "../engine/domain/forecast.ts";
import type { KeptPlan, PassRequest, Plans } from "../engine/domain/plan.ts";
import type { Database } from "./open.ts";
import type { PlanRow } from "./tables.ts";

/** Plans that wait for a decision, in the database. Numbers are never given twice. */
export function knexPlans(database: Database): Plans {
  const { knex } = database;
  return {
    async keep({ hash, user, channel, project, request, forecast, expiresAt }) {
      const [made] = await knex("plans").insert(
        {
          hash,
          user,
          channel,
          project_id: project,
          request: JSON.stringify(request),
          forecast: JSON.stringify(forecast),
          expires_at: expiresAt,
        },
        "n",
      );
      return made!.n;
    },

    async choose(n, { what, by, at }) {
      const changed = await knex("plans")
        .where({ n, chosen: null })
        .update({ chosen: what, chosen_by: by, chosen_at: at });
      return changed > 0;
    },

    async look(n) {
      const row = await knex("plans").where({ n }).first();
      return row === undefined ? null : planOf(row);
    },
  };
}

function planOf(row: PlanRow): KeptPlan {
  return {
    n: row.n,
    hash: row.hash,
    user: row.user,
    channel: row.channel,
    project: row.project_id,
    request: JSON.parse(row.request) as PassRequest,
    forecast:
      row.forecast === null ? { entries: [], of: 0 } : (JSON.parse(row.forecast) as Forecast),
    expiresAt: row.expires_at,
    chosen:
      row.chosen === null
        ? null
        : { what: row.chosen, by: row.chosen_by ?? "", at: row.chosen_at ?? 0 },
  };
}
