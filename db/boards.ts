import type { BoardStep, Boards } from "../engine/domain/board.ts";
import type { Database } from "./open.ts";
import type { BoardStepRow } from "./tables.ts";

/** The boards in the database. */
export function knexBoards({ knex }: Database): Boards {
  const note = async (
    project: number,
    step: BoardStep,
    change: Partial<Omit<BoardStepRow, "project_id" | "step">>,
  ) => {
    const blank = { owner: null, ticked_by: null, ticked_at: null, note: "" };
    await knex("board_steps")
      .insert({ project_id: project, step, ...blank, ...change })
      .onConflict(["project_id", "step"])
      .merge(change);
  };
  return {
    async all() {
      const rows = await knex("boards").orderBy("project_id");
      return rows.map((row) => ({ project: row.project_id, channel: row.channel }));
    },

    async put(project, channel) {
      if (channel === null) await knex("boards").where({ project_id: project }).delete();
      else {
        await knex("boards")
          .insert({ project_id: project, channel })
          .onConflict("project_id")
          .merge(["channel"]);
      }
    },

    async notes(project) {
      const rows = await knex("board_steps").where({ project_id: project }).orderBy("step");
      return rows.map((row) => ({
        step: row.step,
        owner: row.owner,
        tickedBy: row.ticked_by,
        tickedAt: row.ticked_at,
        note: row.note,
      }));
    },

    assign: (project, step, owner) => note(project, step, { owner }),

    tick: (project, step, by, at, text) =>
      note(project, step, {
        ticked_by: by,
        ticked_at: by === null ? null : at,
        note: by === null ? "" : text,
      }),
  };
}
