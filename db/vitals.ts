import type { Knex } from "knex";
import type { Clock, Instant } from "../engine/domain/clock.ts";
import type { Figures, Outcomes, Vitals } from "../engine/domain/vitals.ts";
import type { Database } from "./open.ts";
import { waitingCount } from "./waiting.ts";

/** After this a connection is given up and leaves the pool: nobody knows whether its server still lives. */
const givenUpMs = 10_000;

/** Says of a query how long its answer is waited for. */
type Ask = Parameters<typeof waitingCount>[2];

/** The figures of the database, added up where they lie. */
export function knexVitals({ knex, kind }: Database, clock: Clock): Vitals {
  // The only connection of an SQLite database is never given up: it waits for nothing but the disk.
  const ask: Ask = (query) => {
    if (kind === "postgres") query.timeout(givenUpMs);
    return query;
  };
  const count = async (rows: Knex.QueryBuilder): Promise<number> => {
    const [row] = await ask(
      rows.select<{ count: number }[]>(knex.raw("count(*) as ??", ["count"])),
    );
    return row!.count;
  };
  return {
    async answers() {
      await ask(knex.raw("select 1"));
    },

    // One after the other, and no transaction: who carries needs the connections more.
    async figures() {
      return {
        passes: await ask(
          knex("passes")
            .groupBy("kind", "state")
            .select<Figures["passes"]>("kind", "state", knex.raw("count(*) as ??", ["count"])),
        ),
        waiting: await waitingCount(knex, clock.now(), ask),
        begun: await count(knex("runs").where({ state: "processing" })),
        waits: await ask(
          knex("runs")
            .whereIn("state", ["queued", "processing"])
            .whereNotNull("waiting_for")
            .groupBy("waiting_for")
            .select<Figures["waits"]>(
              "waiting_for as reason",
              knex.raw("count(*) as ??", ["count"]),
            ),
        ),
        ...(await carried(knex, ask)),
        licenses: await licensesOf(knex, ask),
        news: await untold(knex, ask),
      };
    },

    async runs() {
      const begun = knex("runs").where({ state: "processing" });
      const active = await count(begun.whereNull("waiting_for"));
      const waiting = await waitingCount(knex, clock.now(), ask);
      const all = await count(knex("runs").whereIn("state", ["queued", "processing"]));
      return { waiting, active, held: Math.max(0, all - waiting - active) };
    },
  };
}

const sums = [
  "migrated",
  "duplicates",
  "filtered",
  "failed",
  "vanished",
  "not_carried",
  "bytes",
] as const;

async function carried(knex: Knex, ask: Ask): Promise<{ items: Outcomes; bytes: number }> {
  const [row] = await ask(
    knex("run_folders").select<Record<(typeof sums)[number], number>[]>(
      sums.map((column) => knex.raw("coalesce(sum(??), 0) as ??", [column, column])),
    ),
  );
  const { not_carried: notCarried, bytes, ...items } = row!;
  return { items: { ...items, notCarried }, bytes };
}

async function licensesOf(knex: Knex, ask: Ask): Promise<Figures["licenses"]> {
  const rows = await ask(
    knex("license_movements")
      .groupBy("kind")
      .select<{ kind: string; count: number }[]>(
        "kind",
        knex.raw("sum(??) as ??", ["count", "count"]),
      ),
  );
  const of = (kind: string) => rows.find((row) => row.kind === kind)?.count ?? 0;
  const [owned, consumed] = [of("grant"), of("consume")];
  const reserved = of("reserve") - consumed - of("release");
  return { reserved, consumed, free: owned - reserved - consumed };
}

async function untold(knex: Knex, ask: Ask): Promise<Figures["news"]> {
  const [row] = await ask(
    knex("news")
      .where({ delivered: false })
      .select<{ undelivered: number; oldestAt: Instant | null }[]>(
        knex.raw("count(*) as ??", ["undelivered"]),
        knex.raw("min(??) as ??", ["at", "oldestAt"]),
      ),
  );
  return row!;
}
