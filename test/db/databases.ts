import { afterAll, beforeAll } from "vitest";
import { startPostgres } from "../servers/postgres.ts";
import { sqliteFolder } from "./books.ts";

/**
 * For the tests beside the call: each time it is asked, the URL of an empty database, made for that. All are gone
 * after the last test. `unsafe` is of PostgreSQL: see `startPostgres`.
 */
export function freshDatabases(
  kind: "sqlite" | "postgres",
  options: { unsafe?: boolean } = {},
): () => Promise<string> {
  let place: { fresh(): string | Promise<string> } & AsyncDisposable;
  beforeAll(async () => {
    place = await (kind === "sqlite" ? sqliteFolder() : startPostgres(options));
  });
  afterAll(() => place[Symbol.asyncDispose]());
  return async () => place.fresh();
}
