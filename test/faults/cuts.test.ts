import { beforeAll, describe, expect, test } from "vitest";
import { compare, touched } from "../servers/checker.ts";
import type { Dovecot } from "../servers/dovecot.ts";
import { twoDovecots } from "../servers/dovecots.ts";
import { startProxy } from "../servers/proxy.ts";
import { startWorld } from "../servers/world.ts";
import { type CutKind, cutKinds } from "./cut-kinds.ts";
import { cutAt, type Occasions, rehearse } from "./cuts.ts";
import { dump, startEngineProcess } from "./kills.ts";

let old: Dovecot;
let fresh: Dovecot;

twoDovecots((...both) => {
  [old, fresh] = both;
});

const clean = { lost: [], duplicated: [], foreign: [], differences: [], present: 30 };
let people = 0;

/** Thirty letters of 6 KB, every third of them like the one before. */
async function person(): Promise<{ name: string; from: string; to: string }> {
  const name = `cut${++people}`;
  const from = `${name}@old.example`;
  await using client = await old.login(from);
  await client.appendMany(
    "INBOX",
    Array.from({ length: 30 }, (_, n) => {
      const words = `letter ${n % 3 === 2 ? n - 1 : n}`;
      return { body: `Subject: ${words}\r\n\r\n${`${words}\r\n`.repeat(500)}` };
    }),
  );
  return { name, from, to: `${name}@new.example` };
}

describe("a connection cut (F3, the short form)", () => {
  const series = { seed: 7, passes: "one" as const };
  const clean = { carried: 32, lost: 0, duplicated: 0, foreign: 0, wrong: [] };
  let occasions: Occasions;
  beforeAll(async () => {
    occasions = await rehearse({ old, fresh }, { ...series, user: "rehearsal" });
  });
  const middle = (kind: CutKind) => Math.ceil((occasions.get(kind) ?? 0) / 2);

  test.each(cutKinds)(
    "at the $side, $name: the pass goes on by itself, nothing is lost or twice",
    async (kind) => {
      const user = `${kind.side}-${kind.name.replaceAll(/\W+/g, "-")}`;
      const tally = await cutAt({ old, fresh }, kind, middle(kind), { ...series, user });

      expect(tally).toEqual({ faults: 1, ...clean });
    },
  );

  test("an engine that forgets what is in doubt makes second copies: the control", async () => {
    const kind = cutKinds.find(({ name }) => name === "APPEND before OK")!;
    const options = { ...series, user: "naive", naive: true };
    const tally = await cutAt({ old, fresh }, kind, middle(kind), options);

    expect(tally.duplicated).toBeGreaterThan(0);
  });
});

describe("a connection cut", () => {
  const append = /^APPEND /i;

  test("before the answer, three times: the pass goes on by itself, nothing is lost or twice", async () => {
    const { name, from, to } = await person();
    const before = await dump(old, from);
    await using proxy = await startProxy(fresh, {
      rules: [2, 9, 25].map((nth) => ({ on: append, nth, do: "cut before answer" as const })),
    });
    await using world = await startWorld(old, proxy);
    await world.add(name);

    const pass = await world.pass("full");

    expect(pass).toMatchObject({ state: "completed", counters: { listed: 30, migrated: 30 } });
    expect(compare(before, await dump(fresh, to))).toMatchObject(clean);
    expect(touched(before, await dump(old, from))).toEqual([]);
  });

  test("the target's UIDs left out of its answers (no UIDPLUS): nothing is lost or twice", async () => {
    const { name, from, to } = await person();
    await using proxy = await startProxy(fresh, {
      rules: [{ on: append, nth: 25, do: "cut before answer" }],
      rewrite: (line) => line.replace(/\[APPENDUID [^\]]*\] /i, "").replace(/ UIDPLUS/gi, ""),
    });
    await using world = await startWorld(old, proxy);
    await world.add(name);

    const pass = await world.pass("full");

    expect(pass).toMatchObject({ state: "completed", counters: { migrated: 30 } });
    expect(compare(await dump(old, from), await dump(fresh, to))).toMatchObject(clean);
  });
});

describe("an engine killed while the target holds its answer back (K4)", () => {
  test("asks the target after the quiet time: nothing is lost or twice", async () => {
    const { name, from, to } = await person();
    await using proxy = await startProxy(fresh, {
      rules: [{ on: /^APPEND /i, nth: 5, do: "silence before answer" }],
    });
    await using world = await startWorld(old, proxy);
    await world.add(name);
    const pass = await world.submit("full");

    const engine = startEngineProcess(world);
    await expect
      .poll(async () => (await dump(fresh, to)).get("INBOX")?.messages.length, { timeout: 20_000 })
      .toBe(5);
    engine.kill();
    expect(await engine.ended).toBe("SIGKILL");
    const snapshot = await world.finish(pass);

    expect(snapshot).toMatchObject({ state: "completed", counters: { migrated: 30 } });
    expect(compare(await dump(old, from), await dump(fresh, to))).toMatchObject(clean);
  });
});
