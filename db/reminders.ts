import type { Knex } from "knex";
import type { PassRequest } from "../engine/domain/plan.ts";
import type { Reminder, Reminders } from "../engine/domain/reminder.ts";
import type { Database } from "./open.ts";
import type { ReminderRow } from "./tables.ts";
import { write } from "./transaction.ts";

/** Reminders in the database. */
export function knexReminders(database: Database): Reminders {
  const { knex } = database;
  return {
    async add({ project, channel, person, request, recurs, auto, at }) {
      const [made] = await knex("reminders").insert(
        {
          project_id: project,
          channel,
          person,
          request: JSON.stringify(request),
          cron: recurs?.cron ?? null,
          typed: recurs?.typed ?? null,
          auto,
          at,
          state: "waiting",
          times: 0,
          folds: false,
          told: true,
        },
        "n",
      );
      return made!.n;
    },

    async look(n) {
      const row = await knex("reminders").where({ n }).first();
      return row === undefined ? null : reminderOf(row);
    },

    async open(project) {
      const rows = await knex("reminders")
        .where({ project_id: project })
        .whereNot({ state: "ended" })
        .orderBy(["at", "n"]);
      return rows.map(reminderOf);
    },

    async due(now, limit) {
      const rows = await knex("reminders")
        .whereNot({ state: "ended" })
        .where("at", "<=", now)
        .orderBy(["at", "n"])
        .limit(limit);
      return rows.map(reminderOf);
    },

    come: (n, at, next) => write(database, (trx) => come(trx, n, at, next)),

    async untold() {
      const rows = await knex("reminders").where({ state: "asked", told: false }).orderBy("n");
      return rows.map(reminderOf);
    },

    async told(n, times) {
      await knex("reminders").where({ n, times }).update({ told: true });
    },

    answer: (n, at) =>
      write(database, async (trx) => {
        const row = await trx("reminders").where({ n, state: "asked" }).forUpdate().first();
        if (row === undefined) return false;
        const next = at ?? row.at;
        await trx("reminders")
          .where({ n })
          .update({
            state: next === null ? "ended" : "waiting",
            at: next,
            unanswered_since: null,
            told: true,
          });
        return true;
      }),

    async cancel(n) {
      const ended = { state: "ended", at: null, told: true } as const;
      return (await knex("reminders").where({ n }).whereNot({ state: "ended" }).update(ended)) > 0;
    },
  };
}

async function come(
  trx: Knex.Transaction,
  n: number,
  at: number,
  next: number | null,
): Promise<boolean> {
  const row = await trx("reminders")
    .where({ n, at })
    .whereNot({ state: "ended" })
    .forUpdate()
    .first();
  if (row === undefined) return false;
  if (!row.auto) {
    await trx("reminders")
      .where({ n })
      .update({
        at: next,
        state: "asked",
        times: row.times + 1,
        unanswered_since: row.unanswered_since ?? at,
        folds: row.unanswered_since !== null,
        told: false,
      });
    return true;
  }
  // In the calendar by the same commit: whatever dies now, it starts once.
  await trx("schedules").insert({
    project_id: row.project_id,
    channel: row.channel,
    person: row.person,
    request: row.request,
    at,
    state: "waiting",
    told: false,
  });
  const state = next === null ? "ended" : "waiting";
  await trx("reminders")
    .where({ n })
    .update({ at: next, state, times: row.times + 1 });
  return true;
}

function reminderOf(row: ReminderRow): Reminder {
  const { n, channel, person, cron, typed, state, times } = row;
  return {
    n,
    project: row.project_id,
    channel,
    person,
    request: JSON.parse(row.request) as PassRequest,
    recurs: cron === null ? null : { cron, typed: typed ?? cron },
    auto: Boolean(row.auto),
    at: row.at ?? 0,
    state,
    times,
    unansweredSince: row.unanswered_since,
    folds: Boolean(row.folds),
    told: Boolean(row.told),
  };
}
