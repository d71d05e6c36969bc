import type { Clock } from "../engine/domain/clock.ts";
import type { Transcript, TranscriptLine } from "../engine/domain/thread.ts";
import { available } from "./available.ts";
import type { Database } from "./open.ts";
import type { TranscriptRow } from "./tables.ts";
import { write } from "./transaction.ts";

/** Held while a line is written to PostgreSQL; the number itself means nothing. */
const writing = 0x60d303;

/** The transcript in the database. Lines appear in the order of their ids, so that a reader misses none. */
export function knexTranscript(database: Database, clock: Clock): Transcript {
  const { knex } = database;
  return available({
    write: ({ kind, thread, for: reader, text, extra }) =>
      write(database, async (trx) => {
        // PostgreSQL gives out ids before it commits: without turns, a reader could pass a line by.
        if (database.kind === "postgres") await trx.raw("select pg_advisory_xact_lock(?)", writing);
        const at = clock.now();
        const row = { at, kind, thread, reader, text, extra: JSON.stringify(extra) };
        const [made] = await trx("transcript").insert(row, "id");
        return { id: made!.id, at, kind, thread, for: reader, text, extra };
      }),

    async after(id, limit) {
      const rows = await knex("transcript").where("id", ">", id).orderBy("id").limit(limit);
      return rows.map(lineOf);
    },

    async last() {
      const row = await knex("transcript").max<{ last: number | null }>("id as last").first();
      return row?.last ?? 0;
    },
  });
}

function lineOf(row: TranscriptRow): TranscriptLine {
  return {
    id: row.id,
    at: row.at,
    kind: row.kind,
    thread: row.thread,
    for: row.reader,
    text: row.text,
    extra: JSON.parse(row.extra) as TranscriptLine["extra"],
  };
}
