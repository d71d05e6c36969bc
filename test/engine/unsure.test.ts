import { expect, test } from "vitest";
import { FolderError } from "../../engine/domain/errors.ts";
import type { OpenSource, OpenTarget } from "../../engine/domain/provider.ts";
import { inDoubt } from "../doubles/in-doubt.ts";
import {
  adding,
  annas,
  cutAfter,
  gone,
  hangingUp,
  letter,
  one,
  opening,
  there,
  twisted,
  withholding,
} from "../doubles/twisted.ts";

// What is in doubt, or was numbered anew, while one of the two systems does not hand over what it has.

/** What was refused among others is asked for alone. */
const once = (how: string, reading: number) => (n: number) =>
  n === reading || (how === "refuses it" && n === reading + 1);

test.each(["refuses it", "leaves it out"] as const)(
  "what is in doubt stands there once, though the source %s when it is asked for",
  async (how) => {
    await using world = await annas(1);
    const works = twisted(world, {
      target: cutAfter(1),
      source: withholding(1, how, (n) => n > 1),
    });

    const full = await world.pass("full", { works });
    expect(full).toMatchObject({
      state: "completed_with_errors",
      counters: { listed: 1, migrated: 0, failed: 1 },
    });
    expect(await inDoubt(world)).toEqual([[1]]);
    const delta = await world.pass("delta");

    expect(delta).toMatchObject({ state: "completed", counters: { migrated: 1, failed: 0 } });
    expect(there(world)).toBe(1);
    expect(await inDoubt(world)).toEqual([]);
  },
);

test("a message in doubt that is never handed over again holds up no other and is not sent blindly", async () => {
  await using world = await annas(4);
  const target = cutAfter(2);
  const works = twisted(world, { target, source: withholding(2, "refuses it", (n) => n > 1) });

  const full = await world.pass("full", { works });
  // What arrived there by itself may be it as well, for all that can be told.
  world.system.deliver("anna@new", "INBOX", letter("new"));
  world.system.deliver("anna@old", "INBOX", letter(5));
  const delta = await world.pass("delta", { works });

  expect(full).toMatchObject({ counters: { listed: 4, migrated: 3, failed: 1 } });
  expect(delta).toMatchObject({
    state: "completed_with_errors",
    counters: { listed: 5, migrated: 1, duplicates: 3, failed: 1 },
  });
  expect(await inDoubt(world)).toEqual([[2]]);
  // Nor does it hold up those that may not settle it.
  expect(await world.pass("trial", { works })).toMatchObject({ counters: { failed: 1 } });
  expect(await world.pass("repair")).toMatchObject({ state: "completed", counters: { listed: 4 } });
  expect(await world.pass("delta")).toMatchObject({ state: "completed", counters: { failed: 0 } });
  expect(there(world)).toBe(6);
});

test("what was in doubt and cannot stand there is sent as soon as it is handed over again", async () => {
  await using world = await annas(1);
  let swallow = true;
  const target = adding(async function* (into, items) {
    if (!swallow) return yield* into.add(items);
    swallow = false;
    for await (const item of items) for await (const _ of item.body);
    throw gone();
  });
  const works = twisted(world, {
    target,
    source: withholding(1, "refuses it", once("refuses it", 2)),
  });

  await world.pass("full", { works });
  await world.pass("delta", { works });

  expect(await inDoubt(world)).toEqual([]);
  expect(there(world)).toBe(1);
});

test("where no UIDs are told, nothing more goes to a folder with a message that nobody can judge", async () => {
  await using world = await annas(3);
  const cut = cutAfter(2);
  const source = withholding(2, "refuses it", (n) => n > 1);
  const works = twisted(world, { source, target: (to) => ({ ...cut(to), tellsUids: false }) });

  const full = await world.pass("full", { works });

  expect(full.runs[0]?.reason).toMatch(/a batch in doubt cannot be looked for/);
  expect(await inDoubt(world)).toEqual([[1, 2, 3]]);
  expect(there(world)).toBe(2);
  expect(await world.pass("delta")).toMatchObject({ state: "completed" });
  expect(there(world)).toBe(3);
});

/** A target that does not hand over this UID at its first looks. */
function shy(uid: number, looks: number) {
  return (open: OpenTarget): OpenTarget => ({
    ...open,
    async *look(from, only) {
      looks -= 1;
      for await (const one of open.look(from, only)) if (looks < 0 || one.uid !== uid) yield one;
    },
  });
}

test("what the target does not hand over when it is asked is not sent a second time", async () => {
  await using world = await annas(4);
  const cut = cutAfter(3);
  const look = shy(2, 1);
  const works = twisted(world, {
    target: (to) => {
      const bad = cut(to);
      return { ...bad, open: async (path) => look(await bad.open(path)) };
    },
  });

  const full = await world.pass("full", { works });
  expect(full).toMatchObject({
    state: "completed_with_errors",
    counters: { listed: 4, migrated: 2, failed: 2 },
  });
  expect(await inDoubt(world)).toEqual([[2, 4]]);
  const delta = await world.pass("delta");

  expect(delta).toMatchObject({ state: "completed", counters: { migrated: 2, failed: 0 } });
  expect(there(world)).toBe(4);
});

test("a repair puts nothing back while the target does not hand over what may be it", async () => {
  await using world = await annas(2);
  await world.pass("full");
  world.system.move("anna@new", "INBOX", 1, "Kept");
  const look = shy(1, 1);
  const works = twisted(world, {
    target: (to) => ({
      ...to,
      open: async (path) => (path === "Kept" ? look : same)(await to.open(path)),
    }),
  });

  const first = await world.pass("repair", { works });
  expect(first).toMatchObject({
    state: "completed_with_errors",
    counters: { migrated: 0, failed: 1 },
  });
  expect(first.runs[0]?.reason).toMatch(/it does not hand over all it has/);
  expect(await world.pass("repair")).toMatchObject({
    state: "completed",
    counters: { migrated: 0 },
  });
  expect([there(world), there(world, "Kept")]).toEqual([1, 1]);
});

const same = (open: OpenTarget) => open;

test.each(["refuses it", "leaves it out"] as const)(
  "what was carried stands there once, though the source %s when it was numbered anew",
  async (how) => {
    await using world = await annas(3);
    await world.pass("full");
    world.system.renumber("anna@old", "INBOX");
    world.system.deliver("anna@old", "INBOX", letter(4));
    const works = twisted(world, { source: withholding(1, how, (n) => n < 5) });

    const delta = await world.pass("delta", { works });
    expect(delta).toMatchObject({
      state: "completed_with_errors",
      counters: { listed: 4, migrated: 1, duplicates: 2, failed: 1 },
    });
    const next = await world.pass("delta");

    expect(next).toMatchObject({ state: "completed", counters: { duplicates: 4, failed: 0 } });
    expect(there(world)).toBe(4);
  },
);

test("though the source numbers it anew once more before it hands it over", async () => {
  await using world = await annas(2);
  await world.pass("full");
  world.system.renumber("anna@old", "INBOX");
  await world.pass("delta", {
    works: twisted(world, { source: withholding(1, "refuses it", () => true) }),
  });
  world.system.renumber("anna@old", "INBOX");

  expect(await world.pass("delta")).toMatchObject({
    state: "completed",
    counters: { duplicates: 2 },
  });
  expect(there(world)).toBe(2);
});

test("what could not be read when it was numbered anew and never was carried is carried then", async () => {
  await using world = await annas(2);
  await world.pass("full");
  // Carried, and gone since: what cannot be read might be it.
  world.system.remove("anna@old", "INBOX", 1);
  world.system.deliver("anna@old", "INBOX", letter(3));
  world.system.renumber("anna@old", "INBOX");
  const source = withholding(2, "leaves it out", (n) => n < 3);

  const first = await world.pass("delta", { works: twisted(world, { source }) });
  const next = await world.pass("delta");

  expect(first).toMatchObject({ counters: { listed: 2, migrated: 0, duplicates: 1, failed: 1 } });
  expect(next).toMatchObject({ state: "completed", counters: { migrated: 1, duplicates: 1 } });
  expect(there(world)).toBe(3);
});

test("a message that breaks off in the middle fails alone, however it stands among others", async () => {
  await using world = await annas(5);
  const source = opening((open: OpenSource) => ({
    ...open,
    async *read(uids) {
      for await (const item of open.read(uids)) {
        yield item.uid === 2 ? { ...item, body: breakingOff() } : item;
      }
    },
  }));

  const full = await world.pass("full", { works: twisted(world, { source }) });

  expect(full).toMatchObject({ counters: { listed: 5, migrated: 4, failed: 1 } });
  expect(there(world)).toBe(4);
  expect(await inDoubt(world)).toEqual([]);
});

async function* breakingOff(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("Subject: x\r\n");
  throw new FolderError("NO [SERVERBUG] cannot read");
}

test("of what was sent again only what no row claims is read to find late copies", async () => {
  await using world = await annas(40);
  let [cut, read] = [true, 0];
  const works = twisted(world, {
    target: (to) => ({
      ...to,
      async open(path) {
        const into = await to.open(path);
        return {
          ...into,
          async *add(items) {
            if (!cut) return yield* into.add(items);
            cut = false;
            for await (const item of items) {
              for await (const _ of item.body);
              throw gone();
            }
          },
          async *look(from, only) {
            for await (const one of into.look(from, only)) {
              read += 1;
              yield one;
            }
          },
        };
      },
    }),
  });

  const full = await world.pass("full", { works });

  expect(full).toMatchObject({ state: "completed", counters: { migrated: 40 } });
  expect(read).toBe(0);
});

test.each([
  [0, "", 2],
  [1, ", which brings one of them to light before it is sent again", 1],
])(
  "copies that were stored late are told of, though %s connections are lost after them%s",
  async (losses, _, copies) => {
    await using world = await annas(6);
    let [adds, lost, asked] = [0, 0, false];
    const works = twisted(world, {
      target: (to) => ({
        ...to,
        async open(path) {
          const into = await to.open(path);
          return {
            ...into,
            async *add(items) {
              adds += 1;
              if (adds === 1) {
                for await (const item of items) for await (const _ of item.body);
                throw gone();
              }
              if (adds > 2 && lost < losses) {
                lost += 1;
                throw gone();
              }
              yield* into.add(items);
            },
            async *look(from, only) {
              yield* into.look(from, only);
              if (asked) return;
              asked = true;
              // Now it stores what it had swallowed.
              for (const n of [1, 2]) world.system.deliver("anna@new", "INBOX", letter(n));
            },
          };
        },
      }),
    });
    const settings = { ...works.settings, batch: { items: 2, bytes: 1e6 } };

    const full = await world.pass("full", { works: { ...works, settings } });

    expect(lost).toBe(losses);
    expect(there(world)).toBe(6 + copies);
    expect(full.state).toBe("completed_with_errors");
    expect(full.runs[0]?.reason).toContain(`${copies} stand there twice`);
  },
);

test.each([
  ["once", 2],
  ["always", 0],
])(
  "a repair puts nothing back that stands in a folder the target %s leaves out of its list",
  async (_, nth) => {
    await using world = await annas(3, "Work");
    await world.pass("full");
    let lists = 0;
    const works = twisted(world, {
      target: (to) => ({
        ...to,
        async folders() {
          lists += 1;
          const all = await to.folders();
          return nth === 0 || nth === lists ? all.filter(({ path }) => path !== "Work") : all;
        },
      }),
    });

    const repair = await world.pass("repair", { works });

    expect(repair).toMatchObject({ state: "completed", counters: { duplicates: 3, migrated: 0 } });
    expect(there(world, "Work")).toBe(3);
  },
);

test("a message on which the source hangs up each time fails alone, in this pass and in the next", async () => {
  await using world = await annas(30);
  world.system.deliver("anna@old", "Work", letter(1));
  const works = twisted(world, { source: hangingUp(7) });

  const full = await world.pass("full", { works });
  world.system.deliver("anna@old", "INBOX", letter(31));
  const delta = await world.pass("delta", { works });

  expect(full).toMatchObject({
    state: "completed_with_errors",
    counters: { listed: 31, migrated: 30, failed: 1 },
  });
  expect(delta).toMatchObject({ counters: { migrated: 1, duplicates: 30, failed: 1 } });
  expect(there(world)).toBe(30);
  expect(await world.pass("delta")).toMatchObject({
    state: "completed",
    counters: { migrated: 1 },
  });
  expect(there(world)).toBe(31);
});

test("so does one on which the target hangs up, and one that was met when the source numbered it anew", async () => {
  await using world = await annas(12);
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      if (item.uid === 5) throw gone();
      yield* into.add(one(item));
    }
  });

  const full = await world.pass("full", { works: twisted(world, { target }) });
  world.system.renumber("anna@old", "INBOX");
  const delta = await world.pass("delta", { works: twisted(world, { source: hangingUp(3) }) });

  expect(full).toMatchObject({ counters: { listed: 12, migrated: 11, failed: 1 } });
  expect(delta).toMatchObject({
    state: "completed_with_errors",
    counters: { listed: 12, migrated: 1, duplicates: 10, failed: 1 },
  });
  expect(await world.pass("delta")).toMatchObject({ state: "completed" });
  expect(there(world)).toBe(12);
});

test("several of them do not make a run give up, a server that hangs up on all does", async () => {
  await using world = await annas(60);
  const bad = (uid: number) => uid % 10 === 3;
  const read = (when: (uid: number) => boolean) =>
    opening((open) => ({
      ...open,
      async *read(uids) {
        for await (const item of open.read(uids)) {
          if (when(item.uid)) throw gone();
          yield item;
        }
      },
    }));

  const full = await world.pass("full", { works: twisted(world, { source: read(bad) }) });
  expect(full).toMatchObject({
    state: "completed_with_errors",
    counters: { listed: 60, migrated: 54, failed: 6 },
  });
  for (let n = 61; n <= 90; n += 1) world.system.deliver("anna@old", "INBOX", letter(n));
  const dead = await world.pass("delta", { works: twisted(world, { source: read(() => true) }) });

  expect(dead.state).toBe("failed");
  expect(dead.runs[0]?.reason).toMatch(/gave up/);
  expect(there(world)).toBe(54);
});
