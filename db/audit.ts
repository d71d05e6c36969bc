import type { Audit } from "../engine/domain/audit.ts";
import type { Clock } from "../engine/domain/clock.ts";
import type { Database } from "./open.ts";

/** The audit in the database. */
export function knexAudit({ knex }: Database, clock: Clock): Audit {
  return {
    async note({ who, project, did, outcome, reference, link }) {
      const at = clock.now();
      await knex("audit").insert({ at, who, project_id: project, did, outcome, reference, link });
    },

    async recent(project, limit) {
      const rows = await knex("audit")
        .where(project === null ? {} : { project_id: project })
        .orderBy("id", "desc")
        .limit(limit);
      return rows.map(({ at, who, project_id, did, outcome, reference, link }) => ({
        at,
        who,
        project: project_id,
        did,
        outcome,
        reference,
        link,
      }));
    },
  };
}
