import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { approvalsContract } from "../contracts/approvals.ts";
import { boardsContract } from "../contracts/boards.ts";
import { acme, own } from "../contracts/books.ts";
import { conversationsContract } from "../contracts/conversations.ts";
import { cutoversContract } from "../contracts/cutovers.ts";
import { ledgerContract } from "../contracts/ledger.ts";
import { licensesContract } from "../contracts/licenses.ts";
import { newsroomContract } from "../contracts/newsroom.ts";
import { ownersContract } from "../contracts/owners.ts";
import { passesContract } from "../contracts/passes.ts";
import { projectsContract } from "../contracts/projects.ts";
import { remigrationsContract } from "../contracts/remigrations.ts";
import { remindersContract } from "../contracts/reminders.ts";
import { schedulesContract } from "../contracts/schedules.ts";
import { vitalsContract } from "../contracts/vitals.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { openBooks } from "./books.ts";
import { deathContract } from "./death.ts";

describe("the PostgreSQL database", () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  let url = "";
  const open = async () => {
    url = await server.fresh();
    return openBooks(url);
  };

  projectsContract(open);
  passesContract(open);
  ledgerContract(open);
  licensesContract(open);
  newsroomContract(open);
  vitalsContract(open);
  conversationsContract(open);
  approvalsContract(open);
  remigrationsContract(open);
  schedulesContract(open);
  remindersContract(open);
  cutoversContract(open);
  boardsContract(open);
  ownersContract(open);
  deathContract(open, () => url);

  test("every lock is lost with the connection that holds it, and its owner is told", async () => {
    await using books = await open();
    const { entries } = await acme(books, ["anna"]);
    const owned = await own(books, entries[0]!);
    const told = new Promise((resolve) => owned.lost.addEventListener("abort", resolve));

    await books.database.knex.raw(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'godwit locks' and datname = current_database()",
    );

    await told;
    await owned[Symbol.asyncDispose]();
    await using next = await own(books, entries[0]!);
    expect(next.fence.token).toBe(owned.fence.token + 1);
    expect(next.lost.aborted).toBe(false);
  });
});
