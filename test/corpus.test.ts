import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gap } from "../engine/domain/counters.ts";
import { emptyLetter, extremes, hugeLetter } from "./doubles/letters.ts";
import { foundLetters } from "./fixtures/mail.ts";
import { compare } from "./servers/checker.ts";
import { type Dovecot, startDovecot } from "./servers/dovecot.ts";
import type { Dump } from "./servers/imap-client.ts";
import { startWorld } from "./servers/world.ts";

let old: Dovecot;
/** Real mail and what servers stumble over, all in one mailbox. */
const user = "corpus@old.example";
let refusedBySource: { name: string; size: number }[];
let source: Dump;

beforeAll(async () => {
  old = await startDovecot();
  await using client = await old.login(user);
  refusedBySource = [];
  for (const folder of ["Found", "Extremes"]) await client.create(folder);
  for (const { name, raw } of foundLetters()) {
    const answer = await client.append("Found", { body: raw });
    if (answer.status !== "OK") refusedBySource.push({ name, size: raw.length });
  }
  for (const { name, raw } of [...extremes(), emptyLetter(), hugeLetter(50)]) {
    const answer = await client.append("Extremes", { body: raw });
    if (answer.status !== "OK") refusedBySource.push({ name, size: raw.length });
  }
  source = await client.dump();
});
afterAll(async () => {
  await old[Symbol.asyncDispose]();
});

const clean = { lost: [], duplicated: [], foreign: [], differences: [] };

describe("the whole corpus of real mail, and generated extremes", () => {
  test("stand at the source, but for those of no bytes, which no server takes", () => {
    expect(refusedBySource).toHaveLength(2);
    expect(refusedBySource.every(({ size }) => size === 0)).toBe(true);
    expect(source.get("Found")?.messages).toHaveLength(563);
  });

  test.each(["sdbox", "maildir", "mdbox"] as const)("arrive whole on %s", async (location) => {
    await using fresh = await startDovecot({ location });
    await using world = await startWorld(old, fresh);
    await world.add("corpus");

    const pass = await world.pass("full");

    await using client = await fresh.login("corpus@new.example");
    const verdict = compare(source, await client.dump());
    expect(verdict).toMatchObject(clean);
    expect(verdict.present).toBe(563 + extremes().length + 1);
    expect(pass).toMatchObject({ state: "completed", counters: { failed: 0 } });
    expect(pass.counters.migrated).toBe(verdict.present);
  });

  test("what the target refuses is a failed item with its reason, and nothing else is lost", async () => {
    await using fresh = await startDovecot({ maxMailSize: "100k" });
    await using world = await startWorld(old, fresh);
    await world.add("corpus");
    const small = (size: number) => size <= 100 * 1024;

    const pass = await world.pass("full");

    await using client = await fresh.login("corpus@new.example");
    const verdict = compare(source, await client.dump(), { carried: ({ size }) => small(size) });
    expect(verdict).toMatchObject(clean);
    const all = [...source.values()].flatMap((folder) => folder.messages);
    const large = all.filter(({ size }) => !small(size));
    expect(large.length).toBeGreaterThan(4);
    expect(pass).toMatchObject({
      state: "completed_with_errors",
      counters: { failed: large.length, migrated: all.length - large.length },
    });
    expect(gap(pass.counters)).toBe(0);
    for (const { reason } of await world.godwit.desk.passes.failures(pass.id, 100)) {
      expect(reason).toMatch(/too large|size|exceed/i);
    }
  });
});
