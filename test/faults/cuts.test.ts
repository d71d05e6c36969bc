import { describe, expect, test } from "vitest";
import { compare, touched } from "../servers/checker.ts";
import type { Dovecot } from "../servers/dovecot.ts";
import { twoDovecots } from "../servers/dovecots.ts";
import { type ProxyRule, startProxy } from "../servers/proxy.ts";
import { startWorld } from "../servers/world.ts";
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

describe("a connection cut (F3)", () => {
  const append = /^APPEND /i;
  const fetch = /^UID FETCH .*BODY/i;
  const cuts: ["target" | "source", string, ProxyRule[]][] = [
    ["target", "before the first APPEND", [{ on: append, do: "cut before" }]],
    ["target", "after a command line", [{ on: append, nth: 7, do: "cut after" }]],
    [
      "target",
      "in the middle of a message",
      [{ on: append, nth: 7, do: "cut in literal", after: 3000 }],
    ],
    [
      "target",
      "before the answer to a stored message",
      [{ on: append, nth: 7, do: "cut before answer" }],
    ],
    [
      "target",
      "before the answer, three times",
      [2, 9, 25].map((nth) => ({ on: append, nth, do: "cut before answer" as const })),
    ],
    ["source", "before a FETCH", [{ on: fetch, do: "cut before" }]],
    ["source", "after a FETCH, its answer lost", [{ on: fetch, nth: 2, do: "cut before answer" }]],
  ];

  test.each(cuts)(
    "at the %s, %s: the pass goes on by itself, nothing is lost or twice",
    async (side, _, rules) => {
      const { name, from, to } = await person();
      const before = await dump(old, from);
      await using proxy = await startProxy(side === "target" ? fresh : old, { rules });
      await using world =
        side === "target" ? await startWorld(old, proxy) : await startWorld(proxy, fresh);
      await world.add(name);

      const pass = await world.pass("full");

      expect(pass).toMatchObject({ state: "completed", counters: { listed: 30, migrated: 30 } });
      expect(compare(before, await dump(fresh, to))).toMatchObject(clean);
      expect(touched(before, await dump(old, from))).toEqual([]);
    },
  );

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
