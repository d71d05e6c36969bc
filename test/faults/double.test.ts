import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { trustedMs } from "../../db/server-locks.ts";
import type { Item } from "../../engine/domain/item.ts";
import { imapProvider } from "../../engine/providers/imap/provider.ts";
import { defaults } from "../../engine/works.ts";
import { frozenAndThawed, openStage, type Stage, stalled, takenOver, together } from "./double.ts";
import { dump } from "./kills.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage(10);
});
afterAll(() => stage[Symbol.asyncDispose]());

const clean = { faults: 1, carried: 45, lost: 0, duplicated: 0, foreign: 0, wrong: [] };

describe("a run given to two engines is carried once (F7)", () => {
  test("by a ring whose owner's process did nothing for longer than the ring was its own", async () => {
    expect(await stalled(stage, { at: 20, ms: 2_500 })).toEqual(clean);
  });

  test("by a start of both at once, and the other lets the owner thaw however long that takes", async () => {
    const both = await Promise.all([
      together("server")(stage, { at: null, ms: 0 }),
      frozenAndThawed("file")(stage, { at: null, ms: 1_000 }),
    ]);

    expect(both).toEqual([clean, clean]);
  });

  test("by a server that ended the frozen owner's session: thawed, it sends nothing more", async () => {
    // Before the last bytes of a letter.
    expect(await takenOver(stage, { at: 30, ms: 0 })).toEqual(clean);
  });

  test("unless the thawed owner does not hear that its lock is lost", async () => {
    const { duplicated } = await takenOver(stage, { at: 30, ms: 0, deaf: true });

    expect(duplicated).toBeGreaterThan(0);
  });
});

test("a lock is trusted for less time than the next owner waits before it judges what was sent", () => {
  expect(trustedMs()).toBeLessThan(defaults.quietMs);
});

describe("a letter that may no longer leave", () => {
  test.each([
    ["before its command", 1, 0],
    ["when the server asks for its bytes", 2, 0],
    ["before its end", 3, 0],
    ["after that", 4, 1],
  ])("%s, is stored so often", async (_, at, stored) => {
    const mailbox = `leaving${at}@new.example`;
    const { target } = await stage.file.godwit.desk.projects.addresses(
      (await stage.file.add(`leaving${at}`))[0]!.id,
    );
    await using opened = await imapProvider().target(target);
    const folder = await opened.open("INBOX");
    let asked = 0;
    const mayLeave = () => {
      asked += 1;
      if (asked === at) throw new Error("The lock is lost.");
    };

    const adding = Array.fromAsync(folder.add(one({ ...letter(), mayLeave })));

    if (stored === 0) await expect(adding).rejects.toThrow("The lock is lost.");
    else expect(await adding).toMatchObject([{ outcome: "added" }]);
    expect((await dump(stage.fresh, mailbox)).get("INBOX")?.messages ?? []).toHaveLength(stored);
  });
});

async function* one(item: Item): AsyncGenerator<Item> {
  yield item;
}

function letter(): Item {
  const bytes = Buffer.from(`Subject: large\r\n\r\n${"words\r\n".repeat(1_000)}`);
  return {
    uid: 1,
    createdAt: Date.UTC(2026, 10, 20),
    flags: [],
    modseq: null,
    identity: null,
    size: bytes.length,
    body: pieces(bytes),
  };
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
