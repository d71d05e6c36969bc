import { expect, test } from "vitest";
import { TransientError } from "../../engine/domain/errors.ts";
import type { Item } from "../../engine/domain/item.ts";
import { noFilters } from "../../engine/domain/project.ts";
import type { Receipt } from "../../engine/domain/provider.ts";
import type { MemorySystem } from "../../engine/providers/memory/provider.ts";
import type { Works } from "../../engine/works.ts";
import {
  askedInVain,
  brokeDown,
  inDoubt,
  inSmallBatches,
  lastPass,
  stoppedInVain,
} from "../doubles/in-doubt.ts";
import {
  adding,
  annas,
  gone,
  letter,
  losing,
  one,
  opening,
  refused,
  refusedWhole,
  refusing,
  there,
  twisted,
  withholding,
} from "../doubles/twisted.ts";

// What befalls a mailbox while something in it is held: twins, other numbers, other passes, further faults.

const minute = 60_000;
test("a copy whose UID was not told is not taken for its twin", async () => {
  await using world = await annas(1);
  world.system.deliver("anna@old", "INBOX", letter(1));
  await askedInVain(world, twisted(world, { target: losing() }));
  let [given, isLost] = [0, false];
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      given += 1;
      if (given === 2 && !isLost) {
        isLost = true;
        throw gone();
      }
      for await (const receipt of into.add(one(item))) {
        const isUntold = given === 1 && receipt.outcome === "added";
        yield isUntold ? { ...receipt, targetUid: null } : receipt;
      }
    }
  });

  await world.carry(inSmallBatches(twisted(world, { target })));

  expect(there(world)).toBe(2);
});

test("a target numbered anew is asked by its new numbers from then on", async () => {
  await using world = await annas(1);
  await world.pass("full");
  world.system.deliver("anna@old", "INBOX", letter(1));
  await askedInVain(world, twisted(world, { target: losing() }));
  world.system.remove("anna@new", "INBOX", 1);
  world.system.renumber("anna@new", "INBOX");
  let losses = 0;
  const target = adding(async function* (into, items) {
    for await (const receipt of into.add(items)) {
      losses += 1;
      if (losses <= 2) throw gone();
      yield receipt;
    }
  });

  await world.carry(twisted(world, { target }));

  expect(there(world)).toBe(1);
});

test("what a target stored out of sight is asked for, though it had broken down over it before", async () => {
  await using world = await annas(1);
  let given = 0;
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      given += 1;
      if (given > 3) {
        yield* into.add(one(item));
        continue;
      }
      for await (const _ of item.body);
      if (given === 2) throw gone();
      if (given === 3) world.system.deliver("anna@new", "INBOX", letter(1));
      yield brokeDown(item.uid);
    }
  });
  const works = twisted(world, { target });

  const full = await world.pass("full", { works });
  await world.pass("delta", { works });

  expect(full).toMatchObject({ state: "completed", counters: { migrated: 1 } });
  expect(there(world)).toBe(1);
});

test("what the source leaves out of its listing stays in doubt", async () => {
  await using world = await annas(3);
  await askedInVain(world, twisted(world, { target: losing() }));
  const source = opening((open) => ({
    ...open,
    async *list(uids) {
      for await (const page of open.list(uids)) {
        yield uids === undefined ? page.filter(({ uid }) => uid !== 2) : page;
      }
    },
  }));
  await world.carry(twisted(world, { source }));
  expect(await inDoubt(world)).toEqual([[2]]);
  world.system.deliver("anna@new", "INBOX", letter(2));

  await world.pass("delta");

  expect(there(world)).toBe(3);
});

test("a source that numbers a folder anew between the question and the sending is asked anew", async () => {
  await using world = await annas(3);
  world.system.remove("anna@old", "INBOX", 1);
  await askedInVain(world, twisted(world, { target: losing() }));
  let [opened, asked] = [0, 0];
  const works = twisted(world, {
    source: (source) => ({
      ...source,
      async open(path) {
        opened += 1;
        if (opened === 2) world.system.renumber("anna@old", "INBOX");
        return source.open(path);
      },
    }),
    target: (to) => ({
      ...to,
      async open(path) {
        const into = await to.open(path);
        return {
          ...into,
          uids(from) {
            asked += 1;
            return into.uids(from);
          },
        };
      },
    }),
  });

  await world.carry(works);

  expect(asked).toBe(3);
  expect(await lastPass(world)).toMatchObject({ state: "completed", counters: { migrated: 2 } });
  expect(there(world)).toBe(2);
});

test("refusals of half a batch cost one more question", async () => {
  await using world = await annas(30);
  const start = world.clock.now();
  let isLost = false;
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      if (item.uid === 30 && !isLost) {
        isLost = true;
        throw gone();
      }
      if (item.uid % 2 === 1) yield* into.add(one(item));
      else yield await refusedWhole(item, "NO a header is too long");
    }
  });

  await world.pass("full", { works: twisted(world, { target }) });

  expect(world.clock.now() - start).toBeLessThan(3 * minute);
});

test("a mailbox that is full is believed at once", async () => {
  await using world = await annas(50);
  await askedInVain(world, twisted(world, { target: losing() }));
  const start = world.clock.now();
  const target = adding(async function* (_, items) {
    for await (const item of items) yield await refusedWhole(item, "NO [OVERQUOTA]", true);
  });

  await world.carry(twisted(world, { target }));

  expect(world.clock.now() - start).toBeLessThan(minute);
});

test("a run ends, though each reconnection after a breakdown is refused", async () => {
  await using world = await annas(1);
  const [entry] = await world.godwit.desk.projects.entries(world.project.id);
  const { endpoint } = (await world.godwit.desk.projects.addresses(entry!.id)).target;
  let [opened, breakdowns] = [0, 0];
  const target = adding(async function* (_, items) {
    for await (const item of items) {
      breakdowns += 1;
      // Else it would not end at all.
      if (breakdowns > 200) throw new Error("it goes on and on");
      for await (const _ of item.body);
      yield brokeDown(item.uid);
    }
  });
  const works = twisted(world, { target });
  const memory: Works["providers"]["memory"] = {
    ...works.providers.memory,
    async target(address) {
      opened += 1;
      if (opened % 2 === 1) return works.providers.memory.target(address);
      const options = { server: endpoint.id, retryAfterMs: 10_000 };
      throw new TransientError("too many connections", "connection limit", options);
    },
  };

  await world.pass("full", { works: { ...works, providers: { ...works.providers, memory } } });

  expect(breakdowns).toBeLessThan(100);
});

test("two batches in doubt of a folder numbered anew leave nothing behind", async () => {
  await using world = await annas(2);
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      const bytes = Buffer.concat(await Array.fromAsync(item.body));
      if (/letter [23]/.test(bytes.toString())) throw gone();
      yield* into.add(one({ ...item, body: one(bytes) }));
    }
  });
  await world.pass("full", { works: twisted(world, { target }) });
  world.system.deliver("anna@old", "INBOX", letter(3));
  await world.pass("delta", { works: twisted(world, { target }) });
  expect(await inDoubt(world)).toEqual([[2], [3]]);
  world.system.renumber("anna@old", "INBOX");

  expect(await world.pass("delta")).toMatchObject({ state: "completed" });

  expect(await inDoubt(world)).toEqual([]);
  expect(there(world)).toBe(3);
});

test("what is in doubt in a place that is no more, and carried to another, is asked for no more", async () => {
  await using world = await annas(1, "A");
  await askedInVain(world, twisted(world, { target: losing() }));
  const works = twisted(world, {
    target: (to) => ({
      ...to,
      folders: async () => (await to.folders()).filter(({ path }) => path !== "A"),
      ensure: (wanted, taken) => to.ensure(wanted, new Set([...taken, "A"])),
    }),
  });
  await world.carry(works);

  const [entry] = await world.godwit.desk.projects.entries(world.project.id);
  const rows = await world.works.ledger.folders(entry!.id);
  const row = rows.find(({ source }) => source === "A");
  const placed = (await Array.fromAsync(world.works.ledger.placed(row!.id))).flat();
  expect(placed.map(({ target }) => target)).toEqual([row!.target]);
  expect(row!.target).not.toBe("A");
  expect(await inDoubt(world)).toEqual([]);
});

test("what is in doubt and carried, by whatever way, is asked for no more", async () => {
  await using world = await annas(1);
  await world.pass("full");
  const { ledger, owners } = world.works;
  const [entry] = await world.godwit.desk.projects.entries(world.project.id);
  const [row] = await ledger.folders(entry!.id);
  const { uidValidity } = world.system.folder("anna@new", "INBOX");
  await using owned = await owners.take(entry!.id);
  const batch = { folder: row!.id, uidValidity: row!.uidValidity!, uids: [1], target: "INBOX" };
  const sent = { targetUidValidity: uidValidity, floor: 1, run: null, repairs: false };
  await ledger.intend({ ...batch, ...sent }, owned!.fence);
  await owned![Symbol.asyncDispose]();
  world.system.deliver("anna@new", "INBOX", letter(1));

  expect(await world.pass("delta")).toMatchObject({ state: "completed" });
  expect(await inDoubt(world)).toEqual([]);
});

/** Anna's two letters are in doubt, and two more are too young for a pre-stage. */
async function stoppedWithYoungOnes() {
  const world = await annas(2);
  for (const n of [3, 4]) {
    const createdAt = world.clock.now() - minute;
    world.system.deliver("anna@old", "INBOX", letter(n), { createdAt, flags: [] });
  }
  await stoppedInVain(world, inSmallBatches(twisted(world, { target: losing() }), 2));
  expect(await inDoubt(world)).toEqual([[1, 2]]);
  return world;
}

test.each([
  [
    "what is marked to be deleted",
    (system: MemorySystem) => system.flag("anna@old", "INBOX", 2, ["\\Deleted"]),
  ],
  [
    "of a folder numbered anew what was never sent",
    (system: MemorySystem) => system.renumber("anna@old", "INBOX"),
  ],
])("a pass that leaves mail to others does not leave in doubt %s", async (_, befalls) => {
  await using world = await stoppedWithYoungOnes();
  befalls(world.system);

  await world.pass("prestage", { days: 1 });

  expect(await inDoubt(world)).toEqual([]);
  expect(await world.pass("repair")).toMatchObject({ state: "completed" });
});

test("what was not carried in the end is not told as standing twice", async () => {
  await using world = await annas(2);
  await askedInVain(world, twisted(world, { target: losing() }));
  let refusals = 0;
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      if (item.uid === 1) {
        yield* into.add(one(item));
        continue;
      }
      refusals += 1;
      if (refusals === 2) world.system.deliver("anna@new", "INBOX", letter(2));
      yield await refusedWhole(item);
    }
  });

  await world.carry(twisted(world, { target }));

  const { state, runs } = await lastPass(world);
  expect([state, refusals]).toEqual(["completed_with_errors", 2]);
  expect(runs[0]?.reason ?? "").not.toContain("twice");
});

test("that the target could not be asked is said only where it could not", async () => {
  await using world = await annas(2);
  await askedInVain(world, twisted(world, { target: losing() }));

  await world.carry(twisted(world, { source: withholding(2, "leaves it out", () => true) }));

  const { state, runs } = await lastPass(world);
  expect(state).toBe("completed_with_errors");
  expect(runs[0]?.reason ?? "").not.toContain("could not be asked");
});

test("of two folders that go to one place the one with something in doubt goes first", async () => {
  await using world = await annas(1, "A");
  const map = { A: "All", B: "All" };
  await world.godwit.desk.projects.change(world.project.id, { filters: { ...noFilters, map } });
  await world.pass("full");
  world.system.deliver("anna@old", "B", letter(2));
  await askedInVain(world, twisted(world, { target: losing() }));
  world.system.deliver("anna@old", "A", letter(3));
  let isShown = false;
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      if (isShown) {
        yield* into.add(one(item));
        continue;
      }
      isShown = true;
      world.system.deliver("anna@new", "All", letter(2));
      yield await refusedWhole(item);
    }
  });

  await world.carry(twisted(world, { target }));
  await world.pass("delta");

  expect(there(world, "All")).toBe(3);
});

/** As a target stores it that rewrites what it is given: by its content it is never found. */
async function rewritten(item: Item): Promise<Item> {
  const bytes = Buffer.concat([
    Buffer.from("X-Stored: here\r\n"),
    ...(await Array.fromAsync(item.body)),
  ]);
  return { ...item, body: one(bytes) };
}

test.each([
  ["breaks down over another", (uid: number) => brokeDown(uid), false],
  ["refuses another of a batch in doubt", (uid: number) => refused(uid), true],
])(
  "what a target answered for that rewrites what it stores is not sent again where it %s",
  async (_, answer, isHeld) => {
    await using world = await annas(5);
    const target = adding(async function* (into, items) {
      for await (const item of items) {
        if (item.uid !== 5) {
          yield* into.add(one(await rewritten(item)));
          continue;
        }
        for await (const _ of item.body);
        yield answer(5);
      }
    });
    const works = twisted(world, { target });
    if (isHeld) {
      await askedInVain(world, twisted(world, { target: losing() }));
      await world.carry(works);
    } else await world.pass("full", { works });

    expect(there(world)).toBe(4);
    expect(await lastPass(world)).toMatchObject({
      counters: { listed: 5, migrated: 4, failed: 1 },
    });
  },
);

test("what its owner removes after the target answered for it is not put back", async () => {
  await using world = await annas(3);
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      if (item.uid !== 3) {
        yield* into.add(one(item));
        continue;
      }
      for await (const _ of item.body);
      if (there(world) === 2) world.system.remove("anna@new", "INBOX", 1);
      yield brokeDown(3);
    }
  });

  await world.pass("full", { works: twisted(world, { target }) });

  expect(there(world)).toBe(1);
});

test("what a target shows when it breaks down once more over what it always does is not sent a second time", async () => {
  await using world = await annas(2);
  const lost = new Set<number>();
  let isShown = false;
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      const isKilled = !lost.has(item.uid);
      if (item.uid === 2 && !isKilled && isShown) {
        yield* into.add(one(item));
        continue;
      }
      for await (const _ of item.body);
      if (!isKilled && lost.size === 2 && !isShown) {
        // Killed over 2, which it keeps out of sight until whatever comes next has met it.
        isShown = true;
        world.system.deliver("anna@new", "INBOX", letter(2));
      }
      lost.add(item.uid);
      if (isKilled) throw gone();
      yield brokeDown(item.uid);
    }
  });

  await world.pass("full", { works: twisted(world, { target }) });

  expect(isShown).toBe(true);
  expect(there(world)).toBe(1);
});

test("plain refusals of many batches in doubt cost three questions", async () => {
  await using world = await annas(40);
  const pass = (kind: "full" | "delta", answer: (uid: number) => Receipt) => {
    const target = adding(async function* (_, items) {
      for await (const item of items) {
        for await (const _ of item.body);
        yield answer(item.uid);
      }
    });
    return world.pass(kind, { works: inSmallBatches(twisted(world, { target })) });
  };
  await pass("full", brokeDown);
  const start = world.clock.now();

  await pass("delta", (uid) => refused(uid));

  expect(world.clock.now() - start).toBeLessThan(4 * minute);
});

test("a copy whose UID was not told is not taken for a twin in another batch in doubt", async () => {
  await using world = await annas(2);
  const first = refusing((uid) => uid === 1);
  await world.pass("full", { works: twisted(world, { target: first }) });
  world.system.deliver("anna@old", "INBOX", letter(1));
  const second = adding(async function* (_, items) {
    for await (const item of items) {
      if (item.uid !== 1) throw gone();
      yield await refusedWhole(item);
    }
  });
  await world.pass("delta", { works: inSmallBatches(twisted(world, { target: second })) });
  expect(await inDoubt(world)).toEqual([[3]]);
  let isLost = false;
  const third = adding(async function* (into, items) {
    for await (const item of items) {
      if (item.uid === 3 && !isLost) {
        isLost = true;
        throw gone();
      }
      for await (const receipt of into.add(one(item))) {
        const isUntold = item.uid === 1 && receipt.outcome === "added";
        yield isUntold ? { ...receipt, targetUid: null } : receipt;
      }
    }
  });

  await world.pass("delta", { works: inSmallBatches(twisted(world, { target: third })) });

  expect(there(world)).toBe(3);
});
