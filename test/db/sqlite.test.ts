import { describe } from "vitest";
import { databaseContract } from "./contract.ts";
import { freshDatabases } from "./databases.ts";

describe("the SQLite database", () => databaseContract(freshDatabases("sqlite")));
