import type { Knex } from "knex";
import type { Clock } from "../engine/domain/clock.ts";
import { UserError } from "../engine/domain/errors.ts";
import { policyFrom } from "../engine/domain/policy.ts";
import {
  noFilters,
  type Project,
  type ProjectChange,
  type Projects,
} from "../engine/domain/project.ts";
import type { Sealer } from "../engine/domain/secret.ts";
import { isAlwaysOpen } from "../engine/domain/window.ts";
import { available } from "./available.ts";
import { keyOf, knexEndpoints } from "./endpoints.ts";
import { knexEntries } from "./entries.ts";
import type { Database } from "./open.ts";
import type { ProjectRow } from "./tables.ts";
import { write } from "./transaction.ts";
import { endWindowWaits, windowsFrom } from "./windows.ts";

/** Projects, endpoints and entries in the database, every password sealed in its own place. */
export function knexProjects(database: Database, sealer: Sealer, _clock: Clock): Projects {
  const { knex } = database;
  const one = async (where: { id: number } | { name_key: string }) =>
    projectOf((await projectRows(knex).where(prefixed(where)))[0]);

  const byId = async (id: number) => {
    const project = await one({ id });
    if (project === null) throw new Error(`There is no project with the id ${id}.`);
    return project;
  };

  return available({
    ...knexEndpoints(database, sealer),
    ...knexEntries(database, sealer),

    async create(project) {
      const id = await write(database, async (trx) => {
        const name_key = keyOf(project.name);
        if ((await trx("projects").where({ name_key }).first("id")) !== undefined) {
          throw new UserError(
            `There is a project ${project.name} already. Nothing was made. Choose another name, or type \`link ${project.name}\` to use it here.`,
          );
        }
        const [made] = await trx("projects").insert(
          {
            name: project.name,
            name_key,
            source_endpoint_id: project.sourceEndpoint,
            target_endpoint_id: project.targetEndpoint,
            policy: JSON.stringify(project.policy),
            zone: project.zone,
            filters: JSON.stringify(noFilters),
            closed: false,
          },
          "id",
        );
        return made!.id;
      });
      return byId(id);
    },

    byId,
    byName: (name) => one({ name_key: keyOf(name) }),

    async list() {
      const rows = await projectRows(knex).orderBy("projects.id");
      return rows.map((row) => projectOf(row)!);
    },

    async change(id, change) {
      await write(database, async (trx) => {
        await trx("projects").where({ id }).forNoKeyUpdate().first("id");
        const [row] = await projectRows(trx).where({ "projects.id": id });
        const now = projectOf(row);
        if (now === null) throw new Error(`There is no project with the id ${id}.`);
        const columns = columnsOf(typeof change === "function" ? change(now) : change);
        if (Object.keys(columns).length > 0) await trx("projects").where({ id }).update(columns);
        if ("windows" in columns || "zone" in columns) await endWindowWaits(trx, id);
      });
      return byId(id);
    },

    async link(channel, project) {
      await knex("channels")
        .insert({ channel, project_id: project, voice: "normal" })
        .onConflict("channel")
        .merge(["project_id"]);
    },

    async unlink(channel) {
      await knex("channels").where({ channel }).delete();
    },

    async linked(channel) {
      const rows = await projectRows(knex)
        .join("channels", "channels.project_id", "projects.id")
        .where("channels.channel", channel);
      return projectOf(rows[0]);
    },

    channels: (project) =>
      knex("channels").where({ project_id: project }).orderBy("channel").pluck<string[]>("channel"),

    async voice(channel) {
      const row = await knex("channels").where({ channel }).first("voice");
      return row?.voice ?? "normal";
    },

    async setVoice(channel, voice) {
      await knex("channels").where({ channel }).update({ voice });
    },
  });
}

function columnsOf(change: ProjectChange): Partial<ProjectRow> {
  const { policy, zone, filters, windows, closed } = change;
  return {
    ...(policy !== undefined && { policy: JSON.stringify(policy) }),
    ...(zone !== undefined && { zone }),
    ...(filters !== undefined && { filters: JSON.stringify(filters) }),
    ...(windows !== undefined && {
      windows: isAlwaysOpen(windows) ? null : JSON.stringify(windows),
    }),
    ...(closed !== undefined && { closed }),
  };
}

type NamedProject = ProjectRow & { source_endpoint: string; target_endpoint: string };

function projectRows(knex: Knex) {
  return knex("projects")
    .join("endpoints as s", "s.id", "projects.source_endpoint_id")
    .join("endpoints as t", "t.id", "projects.target_endpoint_id")
    .select<NamedProject[]>("projects.*", "s.name as source_endpoint", "t.name as target_endpoint");
}

function prefixed(where: { id: number } | { name_key: string }): Record<string, string | number> {
  return "id" in where ? { "projects.id": where.id } : { "projects.name_key": where.name_key };
}

function projectOf(row: NamedProject | undefined): Project | null {
  if (row === undefined) return null;
  return {
    id: row.id,
    name: row.name,
    sourceEndpoint: { id: row.source_endpoint_id, name: row.source_endpoint },
    targetEndpoint: { id: row.target_endpoint_id, name: row.target_endpoint },
    policy: policyFrom(JSON.parse(row.policy) as Partial<Project["policy"]>),
    zone: row.zone,
    filters: { ...noFilters, ...(JSON.parse(row.filters) as Partial<Project["filters"]>) },
    windows: windowsFrom(row.windows),
    closed: Boolean(row.closed),
  };
}
