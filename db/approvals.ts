import type { Approval, Approvals } from "../engine/domain/approval.ts";
import type { Database } from "./open.ts";
import type { ApprovalRow } from "./tables.ts";

/** Commands that wait for a second person, in the database. Numbers are never given twice. */
export function knexApprovals({ knex }: Database): Approvals {
  return {
    async ask({ project, channel, person, command, bound, told, expiresAt }) {
      const line = JSON.stringify(command);
      const waits = { project_id: project, channel, person, line, bound, told };
      const [made] = await knex("approvals").insert({ ...waits, expires_at: expiresAt }, "n");
      return made!.n;
    },

    async choose(n, { what, by, at }) {
      const changed = await knex("approvals")
        .where({ n, chosen: null })
        .update({ chosen: what, chosen_by: by, chosen_at: at });
      return changed > 0;
    },

    async look(n) {
      const row = await knex("approvals").where({ n }).first();
      return row === undefined ? null : approvalOf(row);
    },
  };
}

function approvalOf(row: ApprovalRow): Approval {
  const { n, channel, person, bound, told, chosen } = row;
  return {
    n,
    project: row.project_id,
    channel,
    person,
    command: JSON.parse(row.line) as Approval["command"],
    bound,
    told,
    expiresAt: row.expires_at,
    chosen:
      chosen === null ? null : { what: chosen, by: row.chosen_by ?? "", at: row.chosen_at ?? 0 },
  };
}
