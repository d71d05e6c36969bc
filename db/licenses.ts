import type { Knex } from "knex";
import type { Clock, Instant } from "../engine/domain/clock.ts";
import type { Balance, Licenses } from "../engine/domain/license.ts";
import type { ProjectId } from "../engine/domain/project.ts";
import type { Database } from "./open.ts";
import type { MovementRow } from "./tables.ts";
import { write } from "./transaction.ts";

/** The books of licenses in the database. */
export function knexLicenses(database: Database, clock: Clock): Licenses {
  const { knex } = database;
  return {
    grant: (project, count, by, note) =>
      write(database, async (trx) => {
        const nobody = { entry_id: null, run_id: null, pass_id: null };
        const grant = { project_id: project, kind: "grant", count, by, note, ...nobody } as const;
        await trx("license_movements").insert({ ...grant, at: clock.now() });
        return balanceOf(trx, project);
      }),

    balance: (project) => balanceOf(knex, project),

    async history(project, limit) {
      const rows = await knex("license_movements as m")
        .leftJoin("entries", "entries.id", "m.entry_id")
        .where("m.project_id", project)
        .orderBy("m.id", "desc")
        .limit(limit)
        .select<(MovementRow & { source: string | null })[]>("m.*", "entries.source");
      return rows.map(({ at, kind, count, by, source, pass_id, note }) => ({
        at,
        kind,
        count,
        by,
        entry: source,
        pass: pass_id,
        note,
      }));
    },

    async stateOf(entry) {
      const row = await knex("entries").where({ id: entry }).first("license");
      if (row === undefined) throw new Error(`There is no entry with the id ${entry}.`);
      return row.license;
    },
  };
}

/** The sums over a project's movements. */
export async function balanceOf(knex: Knex, project: ProjectId): Promise<Balance> {
  return (await balancesOf(knex, [project])).get(project)!;
}

/** The same for several projects at once. */
export async function balancesOf(
  knex: Knex,
  projects: ProjectId[],
): Promise<Map<ProjectId, Balance>> {
  const rows = await knex("license_movements")
    .whereIn("project_id", projects)
    .groupBy("project_id", "kind")
    .select<{ project_id: number; kind: MovementRow["kind"]; count: number }[]>(
      "project_id",
      "kind",
      knex.raw("sum(count) as count"),
    );
  return new Map(
    projects.map((project) => {
      const of = (kind: MovementRow["kind"]) =>
        rows.find((row) => row.project_id === project && row.kind === kind)?.count ?? 0;
      const [owned, consumed] = [of("grant"), of("consume")];
      const reserved = of("reserve") - consumed - of("release");
      return [project, { owned, reserved, consumed, free: owned - reserved - consumed }];
    }),
  );
}

/** Whose reservation moves, and where it stands. */
export interface Movable {
  project: ProjectId;
  entry: number;
  run: number;
  pass: number;
  by: string;
}

/**
 * Reserves, consumes or releases one license for a run, and the entry's license with it. What an entry has
 * consumed it keeps, whatever becomes of a further one.
 */
export async function moveLicense(
  trx: Knex.Transaction,
  kind: "reserve" | "consume" | "release",
  { project, entry, run, pass, by }: Movable,
  at: Instant,
): Promise<void> {
  await trx("license_movements").insert({
    project_id: project,
    kind,
    count: 1,
    by,
    entry_id: entry,
    run_id: run,
    pass_id: pass,
    note: null,
    at,
  });
  await trx("runs")
    .where({ id: run })
    .update({ reserved: kind === "reserve" });
  const state = { reserve: "reserved", consume: "consumed", release: "released" } as const;
  await trx("entries")
    .where({ id: entry })
    .whereNot({ license: "consumed" })
    .update({ license: state[kind] });
}
