import type { Knex } from "knex";
import type { Cutover, Cutovers, MailLook, NewCutover } from "../engine/domain/cutover.ts";
import { UserError } from "../engine/domain/errors.ts";
import type { LateSums } from "../engine/domain/late-mail.ts";
import type { MxKnown } from "../engine/domain/mx.ts";
import type { Database } from "./open.ts";
import type { CutoverRow } from "./tables.ts";
import { read, write } from "./transaction.ts";

/** Domains named of those late mail came from. */
const mostDomains = 10;

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
        throw isTaken(error) ? watched(cutover.domain) : error;
      }
    },

    async look(n) {
      const row = await one(n).first();
      return row === undefined ? null : cutoverOf(row);
    },

    async open(project) {
      const rows = await knex("cutovers")
        .where({ project_id: project })
        .whereNot({ state: "ended" })
        .orderBy("domain");
      return rows.map(cutoverOf);
    },

    async live() {
      const rows = await knex("cutovers").whereNot({ state: "ended" }).orderBy("n");
      return rows.map(cutoverOf);
    },

    async claim(n, what, due, next) {
      const column = what === "dns" ? "due_at" : "mail_due_at";
      const claimed = await one(n)
        .where({ [column]: due })
        .whereNot({ state: "ended" })
        .update({ [column]: next });
      return claimed > 0;
    },

    async saw(n, before, known) {
      const kept = await one(n)
        .where({ seen_at: before })
        .whereNot({ state: "ended" })
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
      await one(n).update({ look: JSON.stringify(look) });
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

    async judge(n, safeAt) {
      const judged =
        safeAt === null
          ? await one(n).whereNotNull("safe_at").update({ safe_at: null })
          : await one(n)
              .where({ state: "moved" })
              .whereNull("safe_at")
              .increment("verdicts", 1)
              .update({ safe_at: safeAt });
      return judged > 0;
    },

    async end(n) {
      return (await one(n).whereNot({ state: "ended" }).update({ state: "ended" })) > 0;
    },

    async marks(n, entry) {
      const rows = await knex("late_marks").where({ cutover_n: n, entry_id: entry });
      return rows.map((row) => ({
        folder: row.folder,
        uidValidity: row.uid_validity,
        uidNext: row.uid_next,
      }));
    },

    found: (n, entry, { mails, marks }) =>
      write(database, async (trx) => {
        const of = { cutover_n: n, entry_id: entry };
        await trx("late_marks").where(of).delete();
        for (const { folder, uidValidity, uidNext } of marks) {
          const mark = { ...of, folder, uid_validity: uidValidity, uid_next: uidNext };
          await trx("late_marks")
            .insert(mark)
            .onConflict(Object.keys({ ...of, folder }))
            .merge();
        }
        for (const { folder, uidValidity, uid, at, from } of mails) {
          const key = { ...of, folder, uid_validity: uidValidity, uid };
          const mail = { ...key, at, from_domain: from, settled: false };
          await trx("late_mails").insert(mail).onConflict(Object.keys(key)).ignore();
        }
      }),

    async settle(n) {
      await knex("late_mails").where({ cutover_n: n, settled: false }).update({ settled: true });
    },

    late: (n) => read(database, (trx) => late(trx, n)),
  };
}

async function add(trx: Knex.Transaction, cutover: NewCutover): Promise<number> {
  const { project, domain, known } = cutover;
  const before = await trx("cutovers")
    .where({ project_id: project, domain })
    .whereNot({ state: "ended" })
    .first("n");
  if (before !== undefined) {
    throw watched(domain);
  }
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

function watched(domain: string): UserError {
  return new UserError(
    `${domain} is watched already; nothing was changed. Type \`cutover status ${domain}\` to see it, or \`cutover cancel ${domain}\` first.`,
  );
}

/** Whether a unique index says that it is there already. */
function isTaken(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "23505";
}

async function late(trx: Knex.Transaction, n: number): Promise<LateSums> {
  const all = () => trx("late_mails as l").where("l.cutover_n", n);
  const sums = await all().first<Sums>(
    trx.raw("count(*) as mails"),
    trx.raw("count(distinct l.entry_id) as mailboxes"),
    trx.raw("max(l.at) as last_at"),
  );
  const waiting = await all()
    .where("l.settled", false)
    .whereNotExists(
      trx("folders as f")
        .join("items as i", "i.folder_id", "f.id")
        .whereRaw("f.entry_id = l.entry_id and f.source = l.folder")
        .whereRaw("i.uid_validity = l.uid_validity and i.uid = l.uid")
        .select(trx.raw("1")),
    )
    .count({ mails: "*" })
    .first();
  const from = await all()
    .groupBy("l.from_domain")
    .select<{ domain: string | null; mails: number }[]>(
      "l.from_domain as domain",
      trx.raw("count(*) as mails"),
    )
    .orderByRaw("mails desc, l.from_domain is null, l.from_domain")
    .limit(mostDomains);
  const { mails, mailboxes, last_at: lastAt } = sums;
  return { mails, mailboxes, waiting: Number(waiting?.mails ?? 0), lastAt, from };
}

interface Sums {
  mails: number;
  mailboxes: number;
  last_at: number | null;
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
