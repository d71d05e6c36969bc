import type { Knex } from "knex";
import {
  type Cutover,
  type Cutovers,
  type MailLook,
  type NewCutover,
  watchedAlready,
} from "../engine/domain/cutover.ts";
import type { MxKnown } from "../engine/domain/mx.ts";
import { knexLateMails } from "./late-mails.ts";
import type { Database } from "./open.ts";
import type { CutoverRow } from "./tables.ts";
import { write } from "./transaction.ts";

const watched = ["watching", "moved"] as const;

/** The cutovers in the database. */
export function knexCutovers(database: Database): Cutovers {
  const { knex } = database;
  const one = (n: number) => knex("cutovers").where({ n });
  return {
    async add(cutover) {
      try {
        return await write(database, (trx) => add(trx, cutover));
      } catch (error) {
        // Another process watched it at the same moment.
        throw isTaken(error) ? watchedAlready(cutover.domain) : error;
      }
    },

    async look(n) {
      const row = await one(n).first();
      return row === undefined ? null : cutoverOf(row);
    },

    async open(project) {
      const rows = await knex("cutovers")
        .where({ project_id: project })
        .whereIn("state", watched)
        .orderBy("domain");
      return rows.map(cutoverOf);
    },

    async over(project) {
      const rows = await knex("cutovers")
        .where({ project_id: project, state: "ended" })
        .whereNotNull("moved_at")
        .orderBy(["domain", "n"]);
      return rows.map(cutoverOf);
    },

    async live() {
      const rows = await knex("cutovers").whereIn("state", watched).orderBy("n");
      return rows.map(cutoverOf);
    },

    async claim(n, what, due, next) {
      const column = what === "dns" ? "due_at" : "mail_due_at";
      const claimed = await one(n)
        .where({ [column]: due })
        .whereIn("state", watched)
        .update({ [column]: next });
      return claimed > 0;
    },

    async saw(n, before, known) {
      const kept = await one(n)
        .where({ seen_at: before })
        .whereIn("state", watched)
        .update({ known: JSON.stringify(known), seen_at: known.sight.at });
      return kept > 0;
    },

    async told(n, phase) {
      await one(n).update({ told: phase });
    },

    async moved(n, at, by) {
      const change = {
        state: "moved",
        moved_at: at,
        moved_by: by,
        mail_due_at: at,
        due_at: at,
        offers: 1,
        offered_at: at,
      } as const;
      return (await one(n).where({ state: "watching" }).update(change)) > 0;
    },

    async looked(n, look) {
      await one(n)
        .where((older) => older.whereNull("looked_at").orWhere("looked_at", "<", look.at))
        .update({ look: JSON.stringify(look), looked_at: look.at });
    },

    async offer(n, at) {
      const offered = await one(n)
        .where({ state: "moved" })
        .whereNotNull("answered_by")
        .increment("offers", 1)
        .update({ offered_at: at, answered_by: null, answered_at: null });
      return offered > 0;
    },

    async answer(n, by, at) {
      const answered = await one(n)
        .where({ state: "moved" })
        .whereNull("answered_by")
        .update({ answered_by: by, answered_at: at });
      return answered > 0;
    },

    async judge(n, safeAt, seenAt) {
      const judged =
        safeAt === null
          ? await one(n)
              .where({ seen_at: seenAt })
              .whereNotNull("safe_at")
              .update({ safe_at: null })
          : await one(n)
              .where({ state: "moved", seen_at: seenAt })
              .whereNull("safe_at")
              .increment("verdicts", 1)
              .update({ safe_at: safeAt });
      return judged > 0;
    },

    async end(n, how) {
      return (await one(n).whereIn("state", watched).update({ state: how })) > 0;
    },

    ...knexLateMails(database),
  };
}

async function add(trx: Knex.Transaction, cutover: NewCutover): Promise<number> {
  const { project, domain, known } = cutover;
  const before = await trx("cutovers")
    .where({ project_id: project, domain })
    .whereIn("state", watched)
    .first("n");
  if (before !== undefined) throw watchedAlready(domain);
  const [made] = await trx("cutovers").insert(
    {
      project_id: project,
      channel: cutover.channel,
      person: cutover.person,
      domain,
      old_hosts: JSON.stringify(cutover.old),
      wanted_hosts: JSON.stringify(cutover.wanted),
      planned_at: cutover.plannedAt,
      quiet_hours: cutover.quietHours,
      at: cutover.at,
      state: "watching",
      known: JSON.stringify(known),
      seen_at: known.sight.at,
      told: known.phase,
      due_at: cutover.dueAt,
      offers: 0,
      verdicts: 0,
    },
    "n",
  );
  return made!.n;
}

/** Whether a unique index says that it is there already. */
function isTaken(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "23505";
}

function cutoverOf(row: CutoverRow): Cutover {
  return {
    n: row.n,
    project: row.project_id,
    channel: row.channel,
    person: row.person,
    domain: row.domain,
    old: JSON.parse(row.old_hosts) as string[],
    wanted: JSON.parse(row.wanted_hosts) as string[],
    plannedAt: row.planned_at,
    quietHours: row.quiet_hours,
    at: row.at,
    state: row.state,
    known: JSON.parse(row.known) as MxKnown,
    told: row.told,
    movedAt: row.moved_at,
    movedBy: row.moved_by,
    dueAt: row.due_at,
    mailDueAt: row.mail_due_at,
    look: row.look === null ? null : (JSON.parse(row.look) as MailLook),
    offer:
      row.offered_at === null
        ? null
        : {
            n: row.offers,
            at: row.offered_at,
            by: row.answered_by,
            answeredAt: row.answered_at,
          },
    safeAt: row.safe_at,
    verdicts: row.verdicts,
  };
}
