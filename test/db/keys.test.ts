import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { checkKeys, rotateKeys } from "../../db/keys.ts";
import { knexProjects } from "../../db/projects.ts";
import { UserError } from "../../engine/domain/errors.ts";
import { Secret } from "../../engine/domain/secret.ts";
import { aesSealer, makeKey, parseKeys } from "../../engine/secrets.ts";
import { acme, newEntry } from "../contracts/books.ts";
import { openBooks, testKeys } from "./books.ts";
import { freshDatabases } from "./databases.ts";

describe("the keys of a database", () => {
  const fresh = freshDatabases("sqlite");

  test("keys that are not this database's are refused", async () => {
    await using books = await openBooks(await fresh());
    await checkKeys(books.database, aesSealer(testKeys));
    await checkKeys(books.database, aesSealer(testKeys));

    const other = aesSealer(parseKeys(makeKey()));
    await expect(checkKeys(books.database, other)).rejects.toThrow(UserError);
    // The right id with the wrong bytes is no better.
    const sameId = aesSealer(parseKeys(`test:${Buffer.alloc(32, 8).toString("base64")}`));
    await expect(checkKeys(books.database, sameId)).rejects.toThrow(/These keys do not open/);
  });

  test("an older key may stay behind a newer one", async () => {
    await using books = await openBooks(await fresh());
    await checkKeys(books.database, aesSealer(testKeys));

    await checkKeys(books.database, aesSealer([...parseKeys(makeKey()), ...testKeys]));
  });

  test("no password stands in the database as it was given", async () => {
    const url = await fresh();
    await using books = await openBooks(url);
    const { project } = await acme(books, []);
    const [anna] = await books.projects.add(project.id, [
      newEntry("anna", { sourcePassword: new Secret("canary-in-the-table") }),
    ]);
    await books.database.knex.raw("pragma wal_checkpoint(truncate)");

    const file = await readFile(url.slice("sqlite:".length), "latin1");

    expect(file).toContain(anna!.source);
    expect(file).not.toContain("canary-in-the-table");
    expect(file).not.toContain("master's password");
  });

  test("a sealed password that is moved to another entry does not open there", async () => {
    await using books = await openBooks(await fresh());
    const { project } = await acme(books, []);
    await books.database.knex("endpoints").where({ name: "new" }).update({ login: "user" });
    const [anna, bob] = await books.projects.add(project.id, [
      newEntry("anna", { targetPassword: new Secret("hers") }),
      newEntry("bob", { targetPassword: new Secret("his") }),
    ]);
    const { target_password } = (await books.database
      .knex("entries")
      .where({ id: anna!.id })
      .first())!;
    await books.database.knex("entries").where({ id: bob!.id }).update({ target_password });

    await expect(books.projects.addresses(bob!.id)).rejects.toThrow(UserError);
  });

  test("rotated, every secret opens with the new key alone", async () => {
    await using books = await openBooks(await fresh());
    await checkKeys(books.database, aesSealer(testKeys));
    const { project } = await acme(books, []);
    await books.database.knex("endpoints").where({ name: "new" }).update({ login: "user" });
    const [anna] = await books.projects.add(project.id, [
      newEntry("anna", { sourcePassword: new Secret("a"), targetPassword: new Secret("b") }),
    ]);
    const newKeys = parseKeys(makeKey());

    const count = await rotateKeys(books.database, aesSealer([...newKeys, ...testKeys]));

    expect(count).toBe(4);
    await checkKeys(books.database, aesSealer(newKeys));
    await expect(checkKeys(books.database, aesSealer(testKeys))).rejects.toThrow(UserError);
    const projects = knexProjects(books.database, aesSealer(newKeys), books.clock);
    const { source, target } = await projects.addresses(anna!.id);
    expect(source.endpoint.masterPassword?.reveal()).toBe("master's password");
    expect(target.password?.reveal()).toBe("b");
  });

  test("a rotation that cannot open one secret changes none", async () => {
    await using books = await openBooks(await fresh());
    await acme(books, []);
    const before = await books.database.knex("endpoints").orderBy("id");
    await books.database.knex("endpoints").where({ name: "new" }).update({ master_password: "?" });

    const sealer = aesSealer([...parseKeys(makeKey()), ...testKeys]);
    await expect(rotateKeys(books.database, sealer)).rejects.toThrow(UserError);

    const after = await books.database.knex("endpoints").orderBy("id");
    expect(after[0]).toEqual(before[0]);
  });
});
