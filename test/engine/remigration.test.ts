import { afterEach, describe, expect, test } from "vitest";
import { FolderError } from "../../engine/domain/errors.ts";
import type { PassKind } from "../../engine/domain/pass.ts";
import { preview, submit } from "../../engine/submit.ts";
import { carryRun } from "../../engine/worker.ts";
import type { Works } from "../../engine/works.ts";
import { type MemoryWorld, memoryWorld } from "../doubles/memory-world.ts";
import {
  annas,
  cutAfter,
  gone,
  letter,
  passes,
  refusing,
  there,
  twisted,
} from "../doubles/twisted.ts";

let world: MemoryWorld;
afterEach(() => world[Symbol.asyncDispose]());

const base = {
  because: "target",
  reason: "test",
  by: "test",
  approvedBy: null,
  acceptsDuplicates: false,
  ticks: [],
} as const;

/** Anna and bob were carried, their new mailboxes are empty again, and both were started from scratch. */
async function remigrated(letters = 2) {
  world = await memoryWorld();
  const old = await world.add("anna", "bob");
  for (const who of ["anna", "bob"]) {
    for (let n = 1; n <= letters; n += 1) world.system.deliver(`${who}@old`, "INBOX", letter(n));
  }
  await world.pass("full");
  for (const who of ["anna", "bob"]) {
    for (const { uid } of [...world.system.letters(`${who}@new`, "INBOX")]) {
      world.system.remove(`${who}@new`, "INBOX", uid);
    }
  }
  const n = await world.godwit.desk.remigrations.begin({
    ...base,
    project: world.project.id,
    entries: old.map(({ id }) => ({ entry: id, target: null })),
    ticks: [],
  });
  return n;
}

const start = async (kind: PassKind, selection: string[] = []) => {
  const { desk } = world.godwit;
  const request = { kind, limit: null, selection, types: null };
  const plan = await preview(request, world.project.id, true, desk);
  return submit(plan, { who: "test", thread: "test:1" }, desk);
};
const free = async () => world.godwit.desk.licenses.balance(world.project.id);

describe("repair", () => {
  test("does not make a free pass of what an earlier pass sent under a license", async () => {
    world = await annas(5);
    const works = twisted(world, { target: cutAfter(5, gone()) });
    const broken: Works = { ...works, settings: { ...works.settings, tries: 1 } };
    const first = await world.pass("full", { works: broken });
    expect(first.state).toBe("failed");
    expect((await free()).consumed).toBe(0);
    await world.pass("repair");
    await world.pass("full");
    expect(there(world)).toBe(5);
    // Five mails were carried: a license was used for them.
    expect((await free()).consumed).toBe(1);
  });

  test.each(["repair", "delta"] as PassKind[])(
    "killed with its batch on the way makes no second copy when a later %s goes on",
    async (next) => {
      world = await annas(4);
      await world.pass("full");
      for (const { uid } of [...world.system.letters("anna@new", "INBOX")]) {
        world.system.remove("anna@new", "INBOX", uid);
      }
      const works = twisted(world, { target: cutAfter(2, gone()) });
      const broken: Works = { ...works, settings: { ...works.settings, tries: 1 } };
      expect(await passes(world, broken, ["repair"])).toEqual(["failed"]);
      await world.pass(next);
      await world.pass("repair");
      expect(there(world)).toBe(4);
      await world.pass("delta");
      expect(there(world)).toBe(4);
      expect((await free()).consumed).toBe(1);
    },
  );

  test("goes on beside a folder of the new mailbox that cannot be opened, or says which", async () => {
    world = await annas(2);
    await world.pass("full");
    const [one] = world.system.letters("anna@new", "INBOX");
    world.system.remove("anna@new", "INBOX", one!.uid);
    world.system.folder("anna@new", "Shared");
    const works = twisted(world, {
      target: (target) => ({
        ...target,
        open: async (path) => {
          if (path === "Shared") throw new FolderError("permission denied");
          return target.open(path);
        },
      }),
    });
    const done = await world.pass("repair", { works });
    expect(done.runs[0]?.reason ?? "").not.toContain("Godwit's own");
  });

  test("leaves no failure that a retry can never mend", async () => {
    world = await annas(2);
    await world.pass("full");
    const [one] = world.system.letters("anna@new", "INBOX");
    world.system.remove("anna@new", "INBOX", one!.uid);
    const works = twisted(world, { target: refusing((uid) => uid === 1) });
    await world.pass("repair", { works });
    expect(there(world)).toBe(1);
    const again = await world.pass("retry");
    const { ledger } = world.works;
    const [row] = await ledger.folders(1);
    const mended = there(world) === 2 || (await ledger.failed(row!.id)) === 0;
    expect([again.state, mended]).toEqual(["completed", true]);
  });
});

describe("the one that goes first", () => {
  test("is let through where its owner moved a mail at the new place", async () => {
    const n = await remigrated();
    const first = await start("full", ["anna@old"]);
    // Anna moves one between its last batch and the check.
    const [run] = await world.godwit.desk.passes.waiting(1);
    const works = twisted(world, {
      target: (target) => {
        let folders = 0;
        return {
          ...target,
          folders: () => {
            folders += 1;
            const [one] = world.system.letters("anna@new", "INBOX");
            if (folders === 2 && one) world.system.move("anna@new", "INBOX", one.uid, "Mine");
            return target.folders();
          },
        };
      },
    });
    await carryRun(run!, works, new AbortController().signal);
    const end = await world.godwit.desk.passes.snapshot(first);
    expect(end.state).toBe("completed");
    await world.pass("full");
    expect((await world.godwit.desk.remigrations.look(n))?.releasedAt).not.toBeNull();
    expect(world.system.letters("bob@new", "INBOX").length).toBe(2);
  });

  test("is not passed by a pass that carried nothing", async () => {
    const n = await remigrated();
    // All of it is younger than the limit.
    for (const who of ["anna", "bob"]) {
      for (const one of world.system.letters(`${who}@old`, "INBOX")) {
        (one as { createdAt: number }).createdAt = world.clock.now();
      }
    }
    const done = await world.pass("prestage", { days: 30 });
    expect(done.state).toBe("completed");
    expect(there(world)).toBe(0);
    expect((await world.godwit.desk.remigrations.look(n))?.releasedAt).toBeNull();
  });

  test("is validated by full passes, not by a pre-stage", async () => {
    const n = await remigrated();
    const ticked = async () =>
      (await world.godwit.desk.remigrations.look(n))?.ticks.map(({ item }) => item) ?? [];
    await world.pass("prestage", { days: 1 });
    expect(await ticked()).toContain("counts");
    expect(await ticked()).not.toContain("validated");

    await world.pass("full");

    expect(await ticked()).toContain("validated");
  });

  test("stopped before it began ends each of the others once, with its reason", async () => {
    await remigrated();
    const { desk } = world.godwit;
    const before = await free();
    const pass = await start("full");
    await desk.passes.control(pass, "stop", "test");
    const { runs } = await desk.passes.snapshot(pass);
    expect(runs.map(({ state }) => state)).toEqual(["stopped", "stopped"]);
    expect((await free()).free).toBe(before.free);
    const told = await ended(pass);
    expect(told).toEqual(["anna@old", "bob@old"]);
  });

  test("is not got round by a retry", async () => {
    const n = await remigrated();
    const works = twisted(world, {
      target: (target) => ({ ...target, open: () => Promise.reject(gone()) }),
    });
    const broken: Works = { ...works, settings: { ...works.settings, tries: 1 } };
    for (const who of ["anna@old", "bob@old"]) {
      await start("full", [who]);
      await world.carry(broken);
    }
    await start("retry");
    const waiting = await world.godwit.desk.passes.waiting(10);
    expect(waiting.length).toBe(1);
    await world.carry();
    expect(await world.godwit.desk.remigrations.look(n)).toMatchObject({ n });
  });

  test("tells of a folder that cannot be opened for the check in words for people", async () => {
    await remigrated();
    await start("full", ["anna@old"]);
    let checks = false;
    const works = twisted(world, {
      target: (target) => {
        let folders = 0;
        return {
          ...target,
          folders: () => {
            folders += 1;
            checks = folders > 1;
            return target.folders();
          },
          open: async (path) => {
            if (checks) throw new FolderError("permission denied");
            return target.open(path);
          },
        };
      },
    });
    await world.carry(works);
    const [pass] = await world.godwit.desk.passes.recent(world.project.id, 1);
    expect(pass?.runs[0]?.reason ?? "").not.toContain("Godwit's own");
  });
});

describe("advice", () => {
  test("compares with the filters of the last pass over more than failures", async () => {
    world = await annas(2);
    const [entry] = await world.godwit.desk.projects.entries(world.project.id);
    await world.pass("full");
    const [one] = world.system.letters("anna@new", "INBOX");
    world.system.remove("anna@new", "INBOX", one!.uid);
    const { desk } = world.godwit;
    const { filters } = await desk.projects.byId(world.project.id);
    await desk.projects.change(world.project.id, {
      filters: { ...filters, map: { INBOX: "Old" } },
    });
    await world.pass("repair");
    expect((await desk.passes.lastFilters(entry!.id))?.map).toEqual({});
  });
});

async function ended(pass: number): Promise<string[]> {
  const rows = await world.godwit.desk.newsroom.undelivered(1000);
  return rows.flatMap(({ pass: of, news }) =>
    of === pass && news.type === "entry ended" ? news.entry : [],
  );
}
