import type { Knex } from "knex";
import type { Clock, Instant } from "../engine/domain/clock.ts";
import type { Balance, Licenses, Wasted } from "../engine/domain/license.ts";
import type { ProjectId } from "../engine/domain/project.ts";
import type { Database } from "./open.ts";
import type { MovementRow } from "./tables.ts";
import { read, write } from "./transaction.ts";

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

    wasted: (project) => read(database, (trx) => wastedOf(trx, project)),

    async stateOf(entry) {
      const row = await knex("entries").where({ id: entry }).first("license");
      if (row === undefined) throw new Error(`There is no entry with the id ${entry}.`);
      return row.license;
    },
  };
}

async function wastedOf(trx: Knex.Transaction, project: ProjectId): Promise<Wasted[]> {
  const used = await trx("license_movements as m")
    .join("entries", "entries.id", "m.entry_id")
    .where({ "m.project_id": project, "m.kind": "consume" })
    .orderBy("m.id")
    .select<Used[]>(
      "m.at",
      "m.by",
      "m.entry_id",
      "m.pass_id",
      "entries.source",
      "entries.closed_at",
    );
  const runs = await trx("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .where("passes.project_id", project)
    .whereNotIn("runs.state", ["failed", "stopped"])
    .whereNot("passes.kind", "verify")
    .select<{ entry_id: number; pass_id: number }[]>("runs.entry_id", "runs.pass_id");
  const usedOf = Map.groupBy(used, (one) => one.entry_id);
  const runsOf = Map.groupBy(runs, (run) => run.entry_id);
  const wasted: Wasted[] = [];
  for (const { at, by, entry_id, pass_id, source, closed_at } of used) {
    // Until the next license of the same entry: what came after is that one's result.
    const next = usedOf.get(entry_id)?.find((one) => one.pass_id > pass_id);
    const end = next?.pass_id ?? Number.POSITIVE_INFINITY;
    const own = runsOf.get(entry_id) ?? [];
    const result = own.some((run) => run.pass_id >= pass_id && run.pass_id < end);
    const line = { at, by, entry: source, pass: pass_id };
    if (!result) wasted.push({ ...line, why: "no pass completed" });
    else if (closed_at !== null) wasted.push({ ...line, why: "remigrated" });
  }
  return wasted;
}

interface Used {
  at: Instant;
  by: string;
  entry_id: number;
  pass_id: number;
  source: string;
  closed_at: Instant | null;
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
 * Reserves, consumes or releases one license for each run, and the entry's license with it. What an entry has
 * consumed it keeps, whatever becomes of a further one. At most so many at once as a statement takes rows.
 */
export async function moveLicenses(
  trx: Knex.Transaction,
  kind: "reserve" | "consume" | "release",
  moves: Movable[],
  at: Instant,
): Promise<void> {
  await trx("license_movements").insert(
    moves.map(({ project, entry, run, pass, by }) => ({
      ...{ project_id: project, kind, count: 1, by, entry_id: entry, run_id: run },
      ...{ pass_id: pass, note: null, at },
    })),
  );
  await trx("runs")
    .whereIn(
      "id",
      moves.map(({ run }) => run),
    )
    .update({ reserved: kind === "reserve" });
  const state = { reserve: "reserved", consume: "consumed", release: "released" } as const;
  await trx("entries")
    .whereIn(
      "id",
      moves.map(({ entry }) => entry),
    )
    .whereNot({ license: "consumed" })
    .update({ license: state[kind] });
}
