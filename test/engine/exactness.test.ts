import { expect, test } from "vitest";
import { gap } from "../../engine/domain/counters.ts";
import { FolderError } from "../../engine/domain/errors.ts";
import type { Target } from "../../engine/domain/provider.ts";
import { carryRun } from "../../engine/worker.ts";
import {
  adding,
  annas,
  cutAfter,
  gone,
  letter,
  opening,
  passes,
  refusing,
  there,
  twisted,
} from "../doubles/twisted.ts";

// What a review of the exactness code found, each as the promise that was broken.

const minute = 60_000;
test("a silence keeps its quiet time when another connection is lost after it", async () => {
  await using world = await annas(1);
  let [opens, cutAt, askedAt] = [0, 0, 0];
  const works = twisted(world, {
    target: (target) => {
      opens += 1;
      if (opens === 2) throw gone();
      const silent = adding(async function* (into, items) {
        if (cutAt > 0) return yield* into.add(items);
        for await (const item of items) for await (const _ of item.body);
        cutAt = world.clock.now();
        throw gone(true);
      })(target);
      return {
        ...silent,
        async open(path) {
          const into = await silent.open(path);
          return {
            ...into,
            async *look(from) {
              askedAt ||= world.clock.now();
              yield* into.look(from);
            },
          };
        },
      };
    },
  });
  await world.pass("full", { works });
  expect(askedAt - cutAt).toBeGreaterThanOrEqual(15 * minute);
  expect(there(world)).toBe(1);
});

test("a silence keeps its quiet time in the next pass", async () => {
  await using world = await annas(1);
  let [down, cutAt, askedAt] = [false, 0, 0];
  const works = twisted(world, {
    target: (target) => {
      if (down) throw gone(true);
      return {
        ...target,
        async open(path) {
          const into = await target.open(path);
          return {
            ...into,
            async *add(items) {
              if (cutAt > 0) return yield* into.add(items);
              for await (const item of items) for await (const _ of item.body);
              cutAt = world.clock.now();
              down = true;
              throw gone(true);
            },
            async *look(from) {
              askedAt ||= world.clock.now();
              yield* into.look(from);
            },
          };
        },
      };
    },
  });
  expect((await world.pass("full", { works })).state).toBe("failed");
  down = false;
  expect((await world.pass("delta", { works })).state).toBe("completed");
  expect(askedAt - cutAt).toBeGreaterThanOrEqual(15 * minute);
});

test("not an item more is sent once the lock is lost", async () => {
  await using world = await annas(50);
  const lost = new AbortController();
  let after = 0;
  const works = twisted(world, {
    owners: {
      async take(entry) {
        const owned = await world.works.owners.take(entry);
        if (owned === null) return null;
        const free = () => owned[Symbol.asyncDispose]();
        return { fence: owned.fence, lost: lost.signal, [Symbol.asyncDispose]: free };
      },
    },
    target: adding(async function* (into, items) {
      for await (const receipt of into.add(items)) {
        if (lost.signal.aborted) after += 1;
        if (receipt.uid === 3) lost.abort();
        yield receipt;
      }
    }),
  });
  const { desk } = world.godwit;
  const [entry] = await desk.projects.entries(world.project.id);
  await desk.passes.submit({
    project: world.project.id,
    kind: "full",
    limit: null,
    types: ["mail"],
    filters: world.project.filters,
    policy: world.project.policy,
    startedBy: "test",
    thread: "test:1",
    entries: [{ entry: entry!.id, license: "reserve" }],
  });
  const [run] = await desk.passes.waiting(1);
  await carryRun(run!, works, new AbortController().signal);
  expect(after).toBe(0);
});

test("a target folder listed in another spelling is not taken for deleted", async () => {
  await using world = await annas(5, "Archiv");
  const cut = cutAfter(4);
  const works = twisted(world, {
    target: (target) => ({
      ...cut(target),
      folders: async () =>
        (await target.folders()).map((folder) => ({ ...folder, path: folder.path.toLowerCase() })),
    }),
  });
  await world.pass("full", { works });
  expect(there(world, "Archiv")).toBe(5);
});

test("a source folder missing from one listing keeps its batch in doubt", async () => {
  await using world = await annas(5, "Work");
  let listings = 0;
  const works = twisted(world, {
    source: (source) => ({
      ...source,
      async folders() {
        listings += 1;
        const all = await source.folders();
        return listings === 2 ? all.filter((folder) => folder.path !== "Work") : all;
      },
    }),
    target: cutAfter(4),
  });
  await passes(world, works, ["full", "delta"]);
  expect(there(world, "Work")).toBe(5);
});

test("a twin is carried though the target was renumbered and tells no UIDs", async () => {
  await using world = await annas(0);
  world.system.deliver("anna@old", "INBOX", letter("same"));
  const untold = (target: Target): Target => ({
    ...adding(async function* (into, items) {
      for await (const receipt of into.add(items)) {
        yield receipt.outcome === "added" ? { ...receipt, targetUid: null } : receipt;
      }
    })(target),
    tellsUids: false,
  });
  await world.pass("full", { works: twisted(world, { target: untold }) });
  world.system.deliver("anna@old", "INBOX", letter("same"));
  let cut = true;
  const lost = adding(async function* (into, items) {
    if (!cut) return yield* into.add(items);
    cut = false;
    for await (const item of items) for await (const _ of item.body);
    world.system.renumber("anna@new", "INBOX");
    throw gone();
  });
  await world.pass("delta", {
    works: twisted(world, { target: (target) => lost(untold(target)) }),
  });
  expect(there(world)).toBe(2);
});

test("a retry carries a folder that had failed as a whole", async () => {
  await using world = await annas(5, "Work");
  let refuse = true;
  const works = twisted(world, {
    source: (source) => ({
      ...source,
      open(path) {
        if (path === "Work" && refuse) throw new FolderError("NO [SERVERBUG]");
        return source.open(path);
      },
    }),
  });
  expect((await world.pass("full", { works })).state).toBe("completed_with_errors");
  refuse = false;
  expect((await world.pass("retry", { works })).counters.migrated).toBe(5);
  expect(there(world, "Work")).toBe(5);
  expect((await world.pass("retry", { works })).counters.listed).toBe(0);
});

test("a retry brings what a pass that gave up had not reached, or says that it is missing", async () => {
  await using world = await annas(5);
  world.system.deliver("anna@old", "Zoo", letter("z"));
  const broken = twisted(world, {
    target: (target) => ({ ...target, open: () => Promise.reject(gone()) }),
  });
  expect((await world.pass("full", { works: broken })).state).toBe("failed");
  const retry = await world.pass("retry");
  expect(there(world)).toBe(5);
  expect(retry.state).toBe("completed_with_errors");
  expect(retry.runs[0]?.reason).toMatch(/Zoo: no pass has carried it yet; type `delta`/);
});

test("a retry brings what a full pass had failed to, whatever the project's dates", async () => {
  await using world = await annas(0);
  const after = Date.UTC(2026, 0, 1);
  await world.godwit.desk.projects.change(world.project.id, {
    filters: { ...world.project.filters, after },
  });
  world.system.deliver("anna@old", "INBOX", letter(1), { createdAt: Date.UTC(2024, 0, 1) });
  let refuse = true;
  const works = twisted(world, { target: refusing(() => refuse) });
  await world.pass("full", { works });
  refuse = false;
  await world.pass("retry", { works });
  expect(there(world)).toBe(1);
});

test("a retry brings what had failed though the source renumbered it", async () => {
  await using world = await annas(3);
  let refuse = true;
  const works = twisted(world, { target: refusing((uid) => refuse && uid === 2) });
  await world.pass("full", { works });
  refuse = false;
  world.system.renumber("anna@old", "INBOX");
  await world.pass("retry", { works });
  expect(there(world)).toBe(3);
});

test("a retry counts what it found of a batch in doubt", async () => {
  await using world = await annas(50);
  let opens = 0;
  const broken = twisted(world, {
    target: (target) => {
      opens += 1;
      if (opens > 1) throw gone();
      return cutAfter(50)(target);
    },
  });
  await world.pass("full", { works: broken });
  const { counters } = await world.pass("retry");
  expect(counters).toMatchObject({ listed: 50, migrated: 50 });
});

test("a retry that lost its connection counts what it had brought before", async () => {
  await using world = await annas(250);
  let [refuse, cut] = [true, true];
  const works = twisted(world, {
    target: (target) => {
      const lost = adding(async function* (into, items) {
        for await (const receipt of into.add(items)) {
          if (cut && !refuse && receipt.uid === 210) {
            cut = false;
            throw gone();
          }
          yield receipt;
        }
      });
      return refusing(() => refuse)(lost(target));
    },
  });
  expect((await world.pass("full", { works })).counters.failed).toBe(250);
  refuse = false;
  const { counters, state } = await world.pass("retry", { works });
  expect(counters).toMatchObject({ listed: 250, migrated: 250, failed: 0 });
  expect(state).toBe("completed");
  expect(there(world)).toBe(250);
});

test("a listing that is short is never green, and the next pass looks again", async () => {
  await using world = await annas(5);
  const works = twisted(world, {
    source: opening((open) => ({
      ...open,
      async *list(uids) {
        for await (const page of open.list(uids)) yield page.slice(0, 3);
      },
    })),
  });
  const full = await world.pass("full", { works });
  expect(full.state).toBe("completed_with_errors");
  expect(full.counters).toMatchObject({ listed: 5, migrated: 3, failed: 2 });
  expect(full.runs[0]?.reason).toMatch(/counts 2 more than it lists/);
  await world.pass("delta");
  expect(there(world)).toBe(5);
});

const unreadable = (bad: number) =>
  opening((open) => ({
    ...open,
    async *read(uids) {
      for await (const item of open.read(uids)) {
        if (item.uid === bad) throw new FolderError("NO corrupt message");
        yield item;
      }
    },
  }));

test("one message nobody can read fails alone, also after a cut", async () => {
  await using world = await annas(20);
  const works = twisted(world, { source: unreadable(10), target: cutAfter(5) });
  await passes(world, works, ["full", "delta"]);
  expect(there(world)).toBe(19);
});

test("one message nobody can read fails alone, also after the source renumbered it", async () => {
  await using world = await annas(5);
  const works = twisted(world, { source: unreadable(3) });
  await world.pass("full", { works });
  world.system.renumber("anna@old", "INBOX");
  for (let n = 6; n <= 9; n += 1) world.system.deliver("anna@old", "INBOX", letter(n));
  await world.pass("delta", { works });
  expect(there(world)).toBe(8);
});

test("a run that gains ground with every try does not give up", async () => {
  await using world = await annas(400);
  const works = twisted(world, {
    target: (target) => {
      let left = 30;
      return adding(async function* (into, items) {
        for await (const receipt of into.add(items)) {
          if (left === 0) throw gone();
          left -= 1;
          yield receipt;
        }
      })(target);
    },
  });
  expect((await world.pass("full", { works })).state).toBe("completed");
  expect(there(world)).toBe(400);
});

test("the sums balance though a folder was removed between two tries", async () => {
  await using world = await annas(250, "Work");
  let [left, cut] = [false, true];
  const works = twisted(world, {
    source: (source) => ({
      ...source,
      folders: async () =>
        (await source.folders()).filter((folder) => !(left && folder.path === "Work")),
    }),
    target: adding(async function* (into, items) {
      for await (const receipt of into.add(items)) {
        if (cut && receipt.uid === 104) {
          cut = false;
          left = true;
          throw gone();
        }
        yield receipt;
      }
    }),
  });
  const { counters, state } = await world.pass("full", { works });
  expect(gap(counters)).toBe(0);
  expect(counters.vanished).toBeGreaterThan(0);
  expect(state).toBe("completed");
});

test("a trial carries ten a folder, however often its connection is lost", async () => {
  await using world = await annas(50);
  world.system.deliver("anna@old", "Zoo", letter("z"));
  let cuts = 3;
  const works = twisted(world, {
    source: opening((open, path) => {
      if (path === "Zoo" && cuts > 0) {
        cuts -= 1;
        throw gone();
      }
      return open;
    }),
  });
  await world.pass("trial", { works });
  expect(there(world)).toBe(10);
});

test("a trial settles nothing of an earlier pass, whose license is counted", async () => {
  await using world = await annas(50);
  let opens = 0;
  const broken = twisted(world, {
    target: (target) => {
      opens += 1;
      if (opens > 1) throw gone();
      return cutAfter(50)(target);
    },
  });
  await world.pass("full", { works: broken });
  const trial = await world.pass("trial");
  expect(trial.state).toBe("failed");
  expect(trial.runs[0]?.reason).toMatch(/in doubt. Type `delta` first/);
  await world.pass("delta");
  const { consumed } = await world.godwit.desk.licenses.balance(world.project.id);
  expect(consumed).toBe(1);
  expect(there(world)).toBe(50);
});
