import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import type { News, Newsroom } from "../engine/domain/news.ts";
import type { PassId } from "../engine/domain/pass.ts";
import type { Database } from "./open.ts";
import { activeStates } from "./tables.ts";

/** The outbox in the database. */
export function knexNewsroom({ knex }: Database): Newsroom {
  return {
    async undelivered(limit) {
      const rows = await knex("news")
        .where({ delivered: false })
        .orderBy(["pass_id", "id"])
        .limit(limit);
      return rows.map((row) => ({
        id: row.id,
        pass: row.pass_id,
        at: row.at,
        news: JSON.parse(row.body) as News,
      }));
    },

    async delivered(ids) {
      for (let start = 0; start < ids.length; start += 500) {
        await knex("news")
          .whereIn("id", ids.slice(start, start + 500))
          .update({ delivered: true });
      }
    },

    async live() {
      const untold = knex("news").where({ delivered: false }).select("pass_id");
      return knex("passes")
        .whereIn("state", activeStates)
        .orWhereIn("id", untold)
        .orderBy("id")
        .pluck<PassId[]>("id");
    },

    async root(pass) {
      const row = await knex("passes").where({ id: pass }).first("root_message");
      return row?.root_message ?? null;
    },

    async posted(pass, message) {
      await knex("passes").where({ id: pass }).update({ root_message: message });
    },
  };
}

/** Writes news in the transaction of the fact itself. */
export async function tell(
  trx: Knex.Transaction,
  pass: PassId,
  news: News,
  at: Instant,
): Promise<void> {
  await tellAll(trx, pass, [news], at);
}

/** Several at once, in this order. */
export async function tellAll(
  trx: Knex.Transaction,
  pass: PassId,
  news: News[],
  at: Instant,
): Promise<void> {
  await trx("news").insert(
    news.map((one) => ({ pass_id: pass, at, body: JSON.stringify(one), delivered: false })),
  );
}
