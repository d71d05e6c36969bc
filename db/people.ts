import type { Clock } from "../engine/domain/clock.ts";
import type { People } from "../engine/domain/people.ts";
import type { Database } from "./open.ts";

/** People and their roles in the database. */
export function knexPeople({ knex }: Database, clock: Clock): People {
  return {
    async met({ id, name }) {
      const known = await knex("people").where({ id }).first("name");
      if (known?.name === name) return;
      await knex("people").insert({ id, name }).onConflict("id").merge(["name"]);
    },

    async name(id) {
      const row = await knex("people").where({ id }).first("name");
      return row?.name ?? id;
    },

    async grant(project, person, role, by) {
      if (role === null) {
        await knex("roles").where({ project_id: project, person }).delete();
        return;
      }
      await knex("roles")
        .insert({ project_id: project, person, role, by, at: clock.now() })
        .onConflict(["project_id", "person"])
        .merge(["role", "by", "at"]);
    },

    async grants(project) {
      return knex("roles")
        .leftJoin("people", "people.id", "roles.person")
        .where("roles.project_id", project)
        .orderBy("roles.person")
        .select("roles.person", "people.name", "roles.role", "roles.by", "roles.at");
    },

    async role(project, person) {
      const row = await knex("roles").where({ project_id: project, person }).first("role");
      return row?.role ?? null;
    },

    async projects(person) {
      const rows = await knex("roles").where({ person }).orderBy("project_id").select("project_id");
      return rows.map((row) => row.project_id);
    },
  };
}
