import { expect, test } from "vitest";
import type { Target } from "../../engine/domain/provider.ts";
import {
  askedInVain,
  brokeDown,
  inDoubt,
  inSmallBatches,
  stoppedInVain,
} from "../doubles/in-doubt.ts";
import {
  adding,
  annas,
  gone,
  letter,
  losing,
  one,
  refusedWhole,
  refusing,
  there,
  twisted,
  withholding,
} from "../doubles/twisted.ts";

// What a target did not show when it was asked, and may have all the same: it stays in doubt until the target answers
// for it.

const hour = 60 * 60 * 1000;

test("what was not in sight when the target was asked is asked for again by whoever goes on", async () => {
  await using world = await annas(3);
  await askedInVain(world, twisted(world, { target: losing() }));
  expect(await inDoubt(world)).toEqual([[1, 2, 3]]);
  world.system.deliver("anna@new", "INBOX", letter(2));

  await world.carry();

  expect(there(world)).toBe(3);
  expect(await inDoubt(world)).toEqual([]);
});

test.each([
  ["breaks down", true, false],
  ["was lost, and which it refuses then", false, true],
])(
  "a message over which the target %s is asked for before it goes again",
  async (_, mayStand, loses) => {
    await using world = await annas(3);
    let [isLost, isShown] = [!loses, false];
    const target = adding(async function* (into, items) {
      for await (const item of items) {
        if (item.uid !== 2 || isShown) {
          yield* into.add(one(item));
          continue;
        }
        for await (const _ of item.body);
        if (!isLost) {
          isLost = true;
          throw gone();
        }
        isShown = true;
        world.system.deliver("anna@new", "INBOX", letter(2));
        yield { ...brokeDown(2), mayStand };
      }
    });

    const full = await world.pass("full", { works: twisted(world, { target }) });

    expect(full).toMatchObject({ state: "completed", counters: { migrated: 3, failed: 0 } });
    expect(there(world)).toBe(3);
  },
);

test("what a target shows after it broke down over something else is not sent a second time", async () => {
  await using world = await annas(4);
  const first = twisted(world, { target: refusing((uid) => uid === 1) });
  await world.pass("full", { works: first });
  world.system.deliver("anna@old", "INBOX", letter(5));
  let [isLost, isShown] = [false, false];
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      if (item.uid === 5 && !isLost) {
        isLost = true;
        for await (const _ of item.body);
        throw gone();
      }
      if (isLost && !isShown) {
        // Whatever comes next meets what it has stored out of sight.
        isShown = true;
        world.system.deliver("anna@new", "INBOX", letter(5));
        for await (const _ of item.body);
        yield brokeDown(item.uid);
        continue;
      }
      yield* into.add(one(item));
    }
  });

  const delta = await world.pass("delta", { works: twisted(world, { target }) });

  expect(delta).toMatchObject({ state: "completed", counters: { migrated: 2, duplicates: 3 } });
  expect(there(world)).toBe(5);
});

test("a refusal of what was in doubt that is said again after the target was asked is believed", async () => {
  await using world = await annas(3);

  const full = await world.pass("full", { works: twisted(world, { target: refusingLater(2) }) });

  expect(full).toMatchObject({
    state: "completed_with_errors",
    counters: { listed: 3, migrated: 2, failed: 1 },
  });
  expect(await inDoubt(world)).toEqual([]);
  expect(await world.pass("delta")).toMatchObject({ state: "completed" });
  expect(there(world)).toBe(3);
});

test("that a run waits to ask again is told once, and until when", async () => {
  await using world = await annas(5);
  const start = world.clock.now();
  const works = twisted(world, { target: refusing((uid) => uid > 2, brokeDown) });

  await world.pass("full", { works: inSmallBatches(works) });

  const rows = await world.godwit.desk.newsroom.undelivered(100);
  const waits = rows.map(({ news }) => news).filter(({ type }) => type === "entry waits");
  expect(waits).toMatchObject([{ for: "doubt", until: start + 30_000 }]);
});

test("a breakdown that is said again fails and stays in doubt: it may be shown yet, and holds up no other pass", async () => {
  await using world = await annas(3);
  const works = twisted(world, { target: refusing((uid) => uid === 2, brokeDown) });

  const full = await world.pass("full", { works });

  expect(full).toMatchObject({
    state: "completed_with_errors",
    counters: { listed: 3, migrated: 2, failed: 1 },
  });
  expect(await inDoubt(world)).toEqual([[2]]);
  world.system.deliver("anna@new", "INBOX", letter(2));
  expect(await world.pass("repair", { works })).toMatchObject({ state: "completed" });
  expect(await world.pass("delta", { works })).toMatchObject({ state: "completed" });
  expect(there(world)).toBe(3);
});

/** A target that is lost over this item, and refuses it from then on. */
function refusingLater(uid: number) {
  let isLost = false;
  return adding(async function* (into, items) {
    for await (const item of items) {
      if (item.uid === uid && !isLost) {
        isLost = true;
        throw gone();
      }
      if (item.uid !== uid) {
        yield* into.add(one(item));
        continue;
      }
      yield await refusedWhole(item);
    }
  });
}

test("a target that breaks down over everything ends the run, and is not asked for each", async () => {
  await using world = await annas(60);
  let tries = 0;
  const target = refusing(
    () => true,
    (uid) => {
      tries += 1;
      return brokeDown(uid);
    },
  );

  const works = twisted(world, { target });

  const full = await world.pass("full", { works: inSmallBatches(works) });

  expect(full).toMatchObject({
    state: "completed_with_errors",
    counters: { listed: 60, migrated: 0, failed: 60 },
  });
  expect(tries).toBeLessThan(60 + 10);
  // Nor is what was not asked for believed.
  expect((await inDoubt(world)).flat()).toHaveLength(60);
});

test("what is in doubt and a pass leaves to later ones stays in doubt", async () => {
  await using world = await annas(2);
  const { system, clock } = world;
  system.deliver("anna@old", "INBOX", letter(3), { createdAt: clock.now() - hour, flags: [] });
  await stoppedInVain(world, twisted(world, { target: losing() }));

  expect(await world.pass("prestage", { days: 1 })).toMatchObject({ state: "completed" });
  expect(await inDoubt(world)).toEqual([[3]]);
  system.deliver("anna@new", "INBOX", letter(3));
  const delta = await world.pass("delta");

  expect(delta).toMatchObject({ state: "completed", counters: { listed: 3, failed: 0 } });
  expect(there(world)).toBe(3);
});

test("of copies that were stored late those of what is still in doubt are not counted", async () => {
  await using world = await annas(2);
  const { system, clock } = world;
  system.deliver("anna@old", "INBOX", letter(3), { createdAt: clock.now() - hour, flags: [] });
  await stoppedInVain(world, twisted(world, { target: losing() }));
  let isAsked = false;
  const target = (to: Target): Target => ({
    ...to,
    async open(path) {
      const into = await to.open(path);
      return {
        ...into,
        async uids(...asked) {
          const before = await into.uids(...asked);
          if (!isAsked) for (const n of [1, 3]) system.deliver("anna@new", "INBOX", letter(n));
          isAsked = true;
          return before;
        },
      };
    },
  });

  const prestage = await world.pass("prestage", { days: 1, works: twisted(world, { target }) });

  expect(prestage.runs[0]?.reason).toContain("1 stand there twice");
  expect(await world.pass("delta")).toMatchObject({ state: "completed" });
  expect(there(world)).toBe(4);
});

test("what is in doubt and no pass will carry is in doubt no longer", async () => {
  await using world = await annas(2);
  await askedInVain(world, twisted(world, { target: losing() }));
  world.system.flag("anna@old", "INBOX", 2, ["\\Deleted"]);

  await world.carry();

  expect(await inDoubt(world)).toEqual([]);
  expect(there(world)).toBe(1);
});

test("what is given up while it is in doubt stays in doubt", async () => {
  await using world = await annas(2);
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      for await (const _ of item.body);
      if (item.uid === 2) throw gone();
      yield* into.add(one({ ...item, body: one(letter(item.uid)) }));
    }
  });

  const full = await world.pass("full", { works: twisted(world, { target }) });

  expect(full).toMatchObject({ counters: { migrated: 1, failed: 1 } });
  expect(await inDoubt(world)).toEqual([[2]]);
  world.system.deliver("anna@new", "INBOX", letter(2));
  expect(await world.pass("delta")).toMatchObject({ state: "completed" });
  expect(there(world)).toBe(2);
});

test("what the source withholds while it is in doubt stays in doubt, though nothing stands there yet", async () => {
  await using world = await annas(2);
  await askedInVain(world, twisted(world, { target: losing() }));
  const source = withholding(2, "leaves it out", () => true);
  await world.carry(twisted(world, { source }));
  expect(await inDoubt(world)).toEqual([[2]]);
  world.system.deliver("anna@new", "INBOX", letter(2));

  await world.pass("delta");

  expect(there(world)).toBe(2);
});

test("of what was carried before the target was numbered anew nothing is told as stored late", async () => {
  await using world = await annas(1);
  await world.pass("full");
  world.system.renumber("anna@new", "INBOX");
  // Twins of what stands there.
  world.system.deliver("anna@old", "INBOX", letter(1));
  world.system.deliver("anna@old", "INBOX", letter(2));
  await askedInVain(world, twisted(world, { target: losing() }));
  world.system.renumber("anna@new", "INBOX");

  await world.carry();

  const [last] = await world.godwit.desk.passes.recent(world.project.id, 1);
  expect(last).toMatchObject({ state: "completed" });
  expect(there(world)).toBe(3);
});

test("copies that were stored late are told of, though nothing was in doubt any more in the last try", async () => {
  await using world = await annas(2);
  let [adds, isAsked, losses] = [0, false, 0];
  const target = (to: Target): Target => ({
    ...to,
    async open(path) {
      // After the first has been sent again, before anything is said of the second.
      if (adds === 2 && losses === 0) {
        losses += 1;
        throw gone();
      }
      const into = await to.open(path);
      return {
        ...into,
        async *add(items) {
          adds += 1;
          if (adds > 1) return yield* into.add(items);
          for await (const item of items) for await (const _ of item.body);
          throw gone();
        },
        async uids(...asked) {
          const before = await into.uids(...asked);
          if (!isAsked) world.system.deliver("anna@new", "INBOX", letter(1));
          isAsked = true;
          return before;
        },
      };
    },
  });
  const works = twisted(world, { target });

  const full = await world.pass("full", { works: inSmallBatches(works) });

  expect(losses).toBe(1);
  expect(there(world)).toBe(3);
  expect(full.state).toBe("completed_with_errors");
  expect(full.runs[0]?.reason).toContain("1 stand there twice");
});
