import { expect, test } from "vitest";
import { FolderError, TransientError } from "../../engine/domain/errors.ts";
import type { PassKind } from "../../engine/domain/pass.ts";
import type { Source } from "../../engine/domain/provider.ts";
import { preview, submit } from "../../engine/submit.ts";
import { carryRun } from "../../engine/worker.ts";
import type { Works } from "../../engine/works.ts";
import type { MemoryWorld } from "../doubles/memory-world.ts";
import {
  adding,
  annas,
  cutAfter,
  gone,
  hangingUp,
  letter,
  opening,
  refusing,
  there,
  twisted,
  withholding,
} from "../doubles/twisted.ts";

// What comes after something could not be judged: other kinds of passes, other tries, other numbers.

async function begun(world: MemoryWorld, kind: PassKind, works: Works, stop: AbortController) {
  const { desk } = world.godwit;
  const request = { kind, limit: null, selection: [], types: null };
  const plan = await preview(request, world.project.id, false, desk);
  const pass = await submit(plan, { who: "test", thread: "test:1" }, desk);
  for (const run of await desk.passes.waiting(1)) await carryRun(run, works, stop.signal);
  return desk.passes.snapshot(pass);
}

/** Stores all of the first batch, is lost before it says so, and is stopped then. */
async function stoppedInDoubt(world: MemoryWorld, stored: number) {
  const stop = new AbortController();
  const target = adding(async function* (into, items) {
    let n = 0;
    for await (const receipt of into.add(items)) {
      n += 1;
      if (n === stored) {
        stop.abort("stop");
        throw gone();
      }
      yield receipt;
    }
  });
  return begun(world, "full", twisted(world, { target }), stop);
}

test("a trial sends nothing of a folder that was numbered anew and has something in doubt", async () => {
  await using world = await annas(4);
  await world.pass("full", {
    works: twisted(world, {
      target: cutAfter(3),
      source: withholding(3, "refuses it", (n) => n > 1),
    }),
  });
  world.system.remove("anna@old", "INBOX", 1);
  world.system.renumber("anna@old", "INBOX");

  const trial = await world.pass("trial");
  expect(trial.runs[0]?.reason).toMatch(/some of it is in doubt; type `delta`/);
  expect(await world.pass("delta")).toMatchObject({ state: "completed" });
  expect(there(world)).toBe(4);
});

test("a retry is not green while something of what it asked about failed", async () => {
  await using world = await annas(3);
  await stoppedInDoubt(world, 3);

  const works = twisted(world, { source: withholding(2, "refuses it", () => true) });
  const retry = await world.pass("retry", { works });

  expect(retry).toMatchObject({ state: "completed_with_errors", counters: { failed: 1 } });
});

test("nor where its first try failed and it was shut down", async () => {
  await using world = await annas(3);
  await stoppedInDoubt(world, 3);
  const stop = new AbortController();
  const source = (one: Source): Source => ({
    ...one,
    async open(path) {
      if (stop.signal.aborted) return one.open(path);
      stop.abort("shutdown");
      throw new FolderError("NO");
    },
  });
  const { id } = await begun(world, "retry", twisted(world, { source }), stop);

  await world.carry();

  const retry = await world.godwit.desk.passes.snapshot(id);
  expect(retry.counters.failed).toBeGreaterThan(0);
  expect(retry.state).toBe("completed_with_errors");
});

test("what a repair left in doubt is counted by no delta, and holds up no trial", async () => {
  await using world = await annas(3);
  await world.pass("full");
  await world.pass("delta");
  world.system.remove("anna@new", "INBOX", 2);
  const source = withholding(2, "refuses it", (n) => n > 2);
  const works = twisted(world, { target: cutAfter(1), source });
  await world.pass("repair", { works });

  expect(await world.pass("delta", { works })).toMatchObject({
    state: "completed",
    counters: { listed: 3, duplicates: 3, failed: 0 },
  });
  expect(await world.pass("trial", { works })).toMatchObject({ state: "completed" });
  expect(await world.pass("repair")).toMatchObject({ state: "completed" });
  expect(there(world)).toBe(3);
});

test("a repair is not green where what is missing could not be read under its new number", async () => {
  await using world = await annas(3);
  await world.pass("full");
  world.system.remove("anna@new", "INBOX", 2);
  world.system.renumber("anna@old", "INBOX");

  const works = twisted(world, { source: withholding(2, "refuses it", () => true) });
  const repair = await world.pass("repair", { works });

  expect(repair).toMatchObject({ state: "completed_with_errors", counters: { failed: 1 } });
  expect(repair.runs[0]?.reason).toMatch(/1 were not put back: type `delta`/);
});

test("a repair puts back what it can, though another folder cannot be brought to its new numbers", async () => {
  await using world = await annas(3);
  for (const n of [4, 5, 6]) world.system.deliver("anna@old", "Work", letter(n));
  await world.pass("full");
  for (const folder of ["INBOX", "Work"]) world.system.remove("anna@new", folder, 2);
  world.system.remove("anna@old", "Work", 1);
  world.system.renumber("anna@old", "Work");
  const source = opening((open, path) => ({
    ...open,
    async *list(uids) {
      const isShort = path === "Work" && uids === undefined;
      for await (const page of open.list(uids)) yield isShort ? page.slice(1) : page;
    },
  }));

  const repair = await world.pass("repair", { works: twisted(world, { source }) });

  expect(repair.state).toBe("completed_with_errors");
  expect(repair.runs[0]?.reason).toMatch(/^Work: .* counts 1 more than it lists/);
  expect([there(world), there(world, "Work")]).toEqual([3, 2]);
});

test("a retry brings what failed in a folder that was numbered anew, though nothing was carried of it", async () => {
  await using world = await annas(1);
  await world.pass("full", { works: twisted(world, { target: refusing(() => true) }) });
  world.system.renumber("anna@old", "INBOX");

  expect(await world.pass("retry")).toMatchObject({
    state: "completed",
    counters: { migrated: 1 },
  });
  expect(there(world)).toBe(1);
});

test("a message over which the source goes silent each time fails alone", async () => {
  await using world = await annas(5);
  world.system.deliver("anna@old", "Work", letter(6));

  const works = twisted(world, { source: hangingUp(1, true) });
  const full = await world.pass("full", { works });

  expect(full).toMatchObject({ counters: { listed: 6, migrated: 4, failed: 2 } });
  expect([there(world), there(world, "Work")]).toEqual([4, 0]);
});

test("a message over which it hangs up fails alone, though the connection was lost twice before", async () => {
  await using world = await annas(5);
  const hangs = hangingUp(1);
  let left = 2;
  const source = (one: Source): Source => ({
    ...hangs(one),
    folders: () => {
      left -= 1;
      return left >= 0 ? Promise.reject(gone()) : one.folders();
    },
  });

  const full = await world.pass("full", { works: twisted(world, { source }) });

  expect(full).toMatchObject({ counters: { listed: 5, migrated: 4, failed: 1 } });
});

test("no message is blamed for connections that are lost elsewhere after the server asked to wait", async () => {
  await using world = await annas(3);
  const { id } = world.project.sourceEndpoint;
  let [reads, waits, lists] = [0, 0, 0];
  const opened = opening((open) => ({
    ...open,
    async *read(uids) {
      reads += 1;
      if (reads === 1) throw gone();
      if (uids.includes(1) && waits < 3) {
        waits += 1;
        throw new TransientError("busy", "throttled", { server: id });
      }
      yield* open.read(uids);
    },
  }));
  const source = (one: Source): Source => ({
    ...opened(one),
    folders: () => {
      if (waits <= lists) return one.folders();
      lists += 1;
      return Promise.reject(gone());
    },
  });

  const full = await world.pass("full", { works: twisted(world, { source }) });

  expect(full).toMatchObject({ state: "completed", counters: { migrated: 3, failed: 0 } });
});
