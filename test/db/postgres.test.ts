import { afterAll, beforeAll, describe } from "vitest";
import { ledgerContract } from "../contracts/ledger.ts";
import { licensesContract } from "../contracts/licenses.ts";
import { newsroomContract } from "../contracts/newsroom.ts";
import { ownersContract } from "../contracts/owners.ts";
import { passesContract } from "../contracts/passes.ts";
import { projectsContract } from "../contracts/projects.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { openBooks } from "./books.ts";

describe("the PostgreSQL database", () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const open = async () => openBooks(await server.fresh());

  projectsContract(open);
  passesContract(open);
  ledgerContract(open);
  licensesContract(open);
  newsroomContract(open);
  ownersContract(open);
});
