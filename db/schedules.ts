import type { PassRequest } from "../engine/domain/plan.ts";
import type { Schedule, Schedules } from "../engine/domain/schedule.ts";
import type { Database } from "./open.ts";
import type { ScheduleRow } from "./tables.ts";

const open = ["waiting", "missed"] as const;

/** The calendar in the database. Every change is one statement that says what it found: of several, one wins. */
export function knexSchedules({ knex }: Database): Schedules {
  return {
    async add({ project, channel, person, approvedBy, request, at }) {
      const [made] = await knex("schedules").insert(
        {
          project_id: project,
          channel,
          person,
          approved_by: approvedBy,
          request: JSON.stringify(request),
          at,
          state: "waiting",
          told: false,
        },
        "n",
      );
      return made!.n;
    },

    async look(n) {
      const row = await knex("schedules").where({ n }).first();
      return row === undefined ? null : scheduleOf(row);
    },

    async open(project) {
      const rows = await knex("schedules")
        .where({ project_id: project })
        .whereIn("state", open)
        .orderBy(["at", "n"]);
      return rows.map(scheduleOf);
    },

    async due(now, limit) {
      const rows = await knex("schedules")
        .where({ state: "waiting" })
        .where("at", "<=", now)
        .orderBy(["at", "n"])
        .limit(limit);
      return rows.map(scheduleOf);
    },

    async move(n, at) {
      const change = { at, state: "waiting", reason: null, told: false } as const;
      const moved = await knex("schedules").where({ n }).whereIn("state", open).update(change);
      return moved > 0;
    },

    async cancel(n) {
      const change = { state: "cancelled" } as const;
      return (await knex("schedules").where({ n }).whereIn("state", open).update(change)) > 0;
    },

    async end(n, at, state, reason) {
      const ended = await knex("schedules")
        .where({ n, at, state: "waiting" })
        .update({ state, reason });
      return ended > 0;
    },

    async untold() {
      const rows = await knex("schedules")
        .whereIn("state", ["refused", "missed"])
        .where({ told: false })
        .orderBy("n");
      return rows.map(scheduleOf);
    },

    async told(n) {
      await knex("schedules").where({ n }).update({ told: true });
    },
  };
}

function scheduleOf(row: ScheduleRow): Schedule {
  const { n, channel, person, at, state, reason } = row;
  return {
    n,
    project: row.project_id,
    channel,
    person,
    approvedBy: row.approved_by,
    request: JSON.parse(row.request) as PassRequest,
    at,
    state,
    pass: row.pass_id,
    reason,
  };
}
