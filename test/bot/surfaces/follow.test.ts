import { expect, test } from "vitest";
import { follow } from "../../../bot/surfaces/local/follow.ts";
import { knexTranscript } from "../../../db/transcript.ts";
import { wallClock } from "../../../engine/domain/clock.ts";
import { UnavailableError } from "../../../engine/domain/errors.ts";
import { openBooks } from "../../db/books.ts";
import { openGate } from "../../servers/gate.ts";
import { startPostgres } from "../../servers/postgres.ts";

const line = (text: string) =>
  ({ kind: "post", thread: "local:main:1", for: null, text, extra: {} }) as const;

test("whoever follows the local channel outlives an outage of the database, and misses nothing", async () => {
  await using postgres = await startPostgres();
  const url = new URL(await postgres.fresh());
  await using books = await openBooks(url.href);
  const there = knexTranscript(books.database, wallClock);
  await using gate = await openGate({ host: "127.0.0.1", port: Number(url.port) });
  url.port = String(gate.port);
  await using far = await openBooks(url.href);
  const transcript = knexTranscript(far.database, wallClock);
  const lines = await follow(transcript, "local:owner");

  gate.cut();
  await there.write(line("said meanwhile"));
  await expect(transcript.last()).rejects.toThrow(UnavailableError);
  expect(await lines.next()).toEqual([]);

  gate.open();
  await expect
    .poll(async () => (await lines.next()).map(({ text }) => text), { timeout: 20_000 })
    .toEqual(["said meanwhile"]);
  await books.database.knex.schema.dropTable("transcript");
  await expect(lines.next()).rejects.toThrow("transcript");
});
