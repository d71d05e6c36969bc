import type { Knex } from "knex";
import type { LateMails, LateMark, LateSums } from "../engine/domain/late-mail.ts";
import type { Database } from "./open.ts";
import { read, write } from "./transaction.ts";

/** Domains named of those late mail came from. */
const mostDomains = 10;

/** Late mail in the database, by its cutover. */
export function knexLateMails(database: Database): LateMails {
  const { knex } = database;
  return {
    async marks(n, entry) {
      const rows = await knex("late_marks").where({ cutover_n: n, entry_id: entry });
      return rows.map((row) => ({
        folder: row.folder,
        uidValidity: row.uid_validity,
        uidNext: row.uid_next,
      }));
    },

    async found(n, entry, { mails, marks }) {
      const of = { cutover_n: n, entry_id: entry };
      const before = await knex("late_marks").where(of);
      const stands = ({ folder, uidValidity, uidNext }: LateMark) =>
        before.some(
          (row) =>
            row.folder === folder && row.uid_validity === uidValidity && row.uid_next === uidNext,
        );
      const reached = new Set(marks.map(({ folder }) => folder));
      const moved = marks.filter((mark) => !stands(mark));
      const gone = before.filter(({ folder }) => !reached.has(folder));
      // Most looks find everything as it was.
      if (mails.length === 0 && moved.length === 0 && gone.length === 0) return;
      await write(database, async (trx) => {
        for (const { folder } of gone)
          await trx("late_marks")
            .where({ ...of, folder })
            .delete();
        for (const { folder, uidValidity, uidNext } of moved) {
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
      });
    },

    async settle(n) {
      await knex("late_mails").where({ cutover_n: n, settled: false }).update({ settled: true });
    },

    late: (n) => read(database, (trx) => late(trx, n)),
  };
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
