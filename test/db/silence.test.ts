import pg from "pg";
import { expect, test } from "vitest";
import { available } from "../../db/available.ts";
import { connectPostgres } from "../../db/connect.ts";
import { UnavailableError } from "../../engine/domain/errors.ts";
import { openGate } from "../servers/gate.ts";
import { freshDatabases } from "./databases.ts";

const patience = { every: 30, within: 500 };

const fresh = freshDatabases("postgres");

/** An empty database, and the same behind a gate. */
async function behindGate() {
  const direct = new URL(await fresh());
  const gate = await openGate({ host: direct.hostname, port: Number(direct.port) });
  const url = new URL(direct);
  url.port = String(gate.port);
  return { gate, direct: direct.href, url: url.href };
}

test("a question to a server that went silent is given up, in a transaction too, and the next one is asked anew", async () => {
  const { gate, url } = await behindGate();
  await using _gate = gate;
  await using database = connectPostgres(url, patience);
  const { knex } = database;
  await knex.raw("select 1");

  const { ask } = available({
    ask: () =>
      knex.transaction(async (trx) => {
        await trx.raw("select 1");
        gate.silence();
        await trx.raw("select 2");
      }),
  });
  await expect(ask()).rejects.toThrow(UnavailableError);
  const alone = knex.raw("select 3");
  gate.cut();
  await expect(alone).rejects.toThrow();

  gate.open();
  await knex.raw("select 4");
});

test("a session that the server no longer knows is given up, though the server answers others", async () => {
  const { gate, direct, url } = await behindGate();
  await using _gate = gate;
  await using database = connectPostgres(url, patience);
  await using other = connectPostgres(direct);
  const { rows } = await database.knex.raw("select pg_backend_pid() as process");
  gate.silence();
  const waits = database.knex.raw("select 1");
  await other.knex.raw("select pg_terminate_backend(?)", [rows[0].process]);
  gate.openAnew();

  await expect(waits).rejects.toThrow(/Connection terminated/);
  await database.knex.raw("select 2");
});

test("what the server works at may take as long as it likes", async () => {
  await using database = connectPostgres(await fresh(), patience);

  const { rows } = await database.knex.raw("select 7 as seven from pg_sleep(0.5)");

  expect(rows).toEqual([{ seven: 7 }]);
});

test("a server that takes no more connections is not taken for gone", async () => {
  const url = new URL(await fresh());
  await using root = connectPostgres(url.href);
  await root.knex.raw("create role one login connection limit 1");
  url.username = "one";
  await using database = connectPostgres(url.href, patience);
  await database.knex.raw("select 1");
  await expect(new pg.Client({ connectionString: url.href }).connect()).rejects.toThrow(/too many/);

  await database.knex.raw("select pg_sleep(0.5)");
});

test("a question that was given up is looked for no longer once its connection is gone", async () => {
  const { gate, direct, url } = await behindGate();
  await using _gate = gate;
  await using database = connectPostgres(url, { every: 10, within: 500 });
  await using other = connectPostgres(direct);
  const { rows } = await database.knex.raw("select pg_backend_pid() as process");
  const sessions = async (state: string) =>
    (await other.knex("pg_stat_activity").where({ pid: rows[0].process, state })).length;
  await other.knex.transaction(async (trx) => {
    await trx.raw("select pg_advisory_xact_lock(1)");
    const asked = database.knex.raw("select pg_advisory_xact_lock(1)").timeout(20);
    await expect(asked).rejects.toThrow(/timeout/);
  });
  await expect.poll(() => sessions("idle")).toBe(1);

  await database.knex.raw("select 1");

  const opened = async () => {
    const before = gate.count();
    await soon("some rounds later");
    return gate.count() - before;
  };
  await expect.poll(opened).toBe(0);
});

test("a server that was silent for a moment is waited for", async () => {
  const { gate, url } = await behindGate();
  await using _gate = gate;
  await using database = connectPostgres(url, { every: 60_000, within: 500 });
  await database.knex.raw("select 1");
  gate.silence();
  const waits = database.knex.raw("select 7 as seven").then(({ rows }) => rows);
  const first = await Promise.race([waits, soon("nothing yet")]);
  expect(first).toBe("nothing yet");

  gate.open();
  expect(await waits).toEqual([{ seven: 7 }]);
});

/** Later than an answer of the server that stands behind no gate. */
async function soon(word: string): Promise<string> {
  await using direct = connectPostgres(await fresh());
  await direct.knex.raw("select 1");
  return word;
}
