import { describe, expect, test } from "vitest";
import { gap } from "../../engine/domain/counters.ts";
import { FolderError, TransientError } from "../../engine/domain/errors.ts";
import type { Ledger } from "../../engine/domain/ledger.ts";
import type { Provider } from "../../engine/domain/provider.ts";
import { carryRun } from "../../engine/worker.ts";
import { memoryWorld } from "../doubles/memory-world.ts";

const day = 24 * 60 * 60 * 1000;
const letter = (n: number | string) => Buffer.from(`Subject: ${n}\r\n\r\nletter ${n}\r\n`);

describe("a pass", () => {
  test("carries every folder, and a second one finds only duplicates", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    for (let n = 0; n < 5; n += 1) world.system.deliver("anna@old", "INBOX", letter(n));
    world.system.deliver("anna@old", "Work/2025", letter("w"));

    const first = await world.pass("full");
    const second = await world.pass("delta");

    expect(first).toMatchObject({ state: "completed", counters: { listed: 6, migrated: 6 } });
    expect(second).toMatchObject({ state: "completed", counters: { listed: 6, duplicates: 6 } });
    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(5);
    expect(world.system.letters("anna@new", "Work/2025")).toHaveLength(1);
  });

  test("limits a pre-stage strictly before the limit, to the second", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    const limit = world.clock.now() - 90 * day;
    for (const createdAt of [limit - 1000, limit, limit + 1000]) {
      world.system.deliver("anna@old", "INBOX", letter(createdAt), { createdAt });
    }

    const pass = await world.pass("prestage", { days: 90 });

    expect(pass.counters).toMatchObject({ listed: 3, migrated: 1, filtered: 2 });
    expect(world.system.letters("anna@new", "INBOX")[0]?.createdAt).toBe(limit - 1000);
  });

  test("leaves out and counts what is marked deleted", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    world.system.deliver("anna@old", "INBOX", letter(1), { flags: ["\\Deleted"] });

    const pass = await world.pass("full");

    expect(pass.counters).toMatchObject({ listed: 1, filtered: 1, deleted: 1, migrated: 0 });
  });

  test("carries identical twins as often as they are there", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    for (let n = 0; n < 3; n += 1) world.system.deliver("anna@old", "INBOX", letter("same"));

    await world.pass("full");
    const delta = await world.pass("delta");

    expect(delta.counters.duplicates).toBe(3);
    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(3);
  });

  test("does not put back what its owner deleted at the target", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    world.system.deliver("anna@old", "INBOX", letter(1));
    await world.pass("full");
    world.system.remove("anna@new", "INBOX", 1);

    const delta = await world.pass("delta");

    expect(delta.counters).toMatchObject({ duplicates: 1, migrated: 0 });
    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(0);
  });

  test("counts what changed and what is gone since it was carried, and carries neither", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    for (let n = 1; n <= 3; n += 1) world.system.deliver("anna@old", "INBOX", letter(n));
    await world.pass("full");
    world.system.flag("anna@old", "INBOX", 1, ["\\Seen"]);
    world.system.remove("anna@old", "INBOX", 2);

    const delta = await world.pass("delta");
    const again = await world.pass("delta");

    expect(delta.counters).toMatchObject({ listed: 2, duplicates: 2, changed: 1, gone: 1 });
    expect(again.counters, "from the mark").toMatchObject({ listed: 2, changed: 1, gone: 1 });
    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(3);
  });

  test("re-matches a renumbered folder by content and carries only what is new", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    for (const n of [1, 2, 2, 3]) world.system.deliver("anna@old", "INBOX", letter(n));
    await world.pass("full");
    world.system.remove("anna@old", "INBOX", 1);
    world.system.deliver("anna@old", "INBOX", letter("new"));
    world.system.renumber("anna@old", "INBOX");

    const delta = await world.pass("delta");

    expect(delta.counters).toMatchObject({ listed: 4, duplicates: 3, migrated: 1, gone: 1 });
    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(5);
  });

  test("fails what the target refuses, goes on, and a retry carries only that", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    world.system.deliver("anna@old", "INBOX", Buffer.alloc(0));
    world.system.deliver("anna@old", "INBOX", letter(2));

    const pass = await world.pass("full");
    const retry = await world.pass("retry");

    expect(pass).toMatchObject({
      state: "completed_with_errors",
      counters: { listed: 2, migrated: 1, failed: 1 },
    });
    expect(retry.counters).toMatchObject({ listed: 1, migrated: 0, failed: 1 });
    const failures = await world.godwit.desk.passes.failures(retry.id, 10);
    expect(failures).toMatchObject([{ folder: "INBOX", uid: 1, reason: "an empty message" }]);
  });

  test("fails an item too large for the target before reading it", async () => {
    await using world = await memoryWorld({ maxItemSize: 100 });
    await world.add("anna");
    world.system.deliver("anna@old", "INBOX", Buffer.alloc(101, "x"));

    const pass = await world.pass("full");

    expect(pass.counters).toMatchObject({ listed: 1, failed: 1 });
  });

  test("fails only the message the source will not hand over, and says its words", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    for (let n = 1; n <= 4; n += 1) world.system.deliver("anna@old", "INBOX", letter(n));
    const memory = world.works.providers.memory;
    const corrupt: Provider = {
      target: (address) => memory.target(address),
      async source(address) {
        const source = await memory.source(address);
        const open = source.open.bind(source);
        source.open = async (path) => {
          const folder = await open(path);
          const read = folder.read.bind(folder);
          folder.read = async function* (uids) {
            for await (const item of read(uids)) {
              if (item.uid === 2) throw new FolderError("NO [SERVERBUG] corrupt message");
              yield item;
            }
          };
          return folder;
        };
        return source;
      },
    };
    const works = { ...world.works, providers: { ...world.works.providers, memory: corrupt } };

    const pass = await world.pass("full", { works });

    expect(pass.counters).toMatchObject({ listed: 4, migrated: 3, failed: 1 });
    const failures = await world.godwit.desk.passes.failures(pass.id, 10);
    expect(failures).toMatchObject([{ uid: 2, reason: "NO [SERVERBUG] corrupt message" }]);
    expect((await world.pass("retry")).counters).toMatchObject({ listed: 1, migrated: 1 });
    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(4);
  });

  test("gives a trial ten items a folder, once, without a license", async () => {
    await using world = await memoryWorld();
    const [entry] = await world.add("anna");
    for (let n = 0; n < 15; n += 1) world.system.deliver("anna@old", "INBOX", letter(n));

    const trial = await world.pass("trial");

    expect(trial.counters).toMatchObject({ listed: 15, migrated: 10, filtered: 5 });
    expect(trial.licenses).toMatchObject({ consumed: 0, reserved: 0 });
    expect(await world.godwit.desk.licenses.stateOf(entry?.id ?? 0)).toBe("none");
    await expect(world.pass("trial")).rejects.toThrow("its trial has been used");
    expect((await world.pass("full")).counters).toMatchObject({ duplicates: 10, migrated: 5 });
  });

  test("balances its sums in every pass", async () => {
    await using world = await memoryWorld();
    await world.add("anna", "ben");
    for (let n = 0; n < 30; n += 1) {
      const createdAt = world.clock.now() - n * 10 * day;
      world.system.deliver(n % 2 === 0 ? "anna@old" : "ben@old", `F${n % 3}`, letter(n), {
        createdAt,
        flags: n % 7 === 0 ? ["\\Deleted"] : [],
      });
    }
    for (const kind of ["trial", "prestage", "full", "delta", "retry"] as const) {
      const pass = await world.pass(kind, kind === "prestage" ? { days: 90 } : {});
      expect(gap(pass.counters), kind).toBe(0);
    }
  });
});

describe("a pass that was cut", () => {
  /** Sends the batch, then dies before its result is written. */
  const torn = (ledger: Ledger): Ledger => ({
    ...ledger,
    settle: () => Promise.reject(new Error("power cut")),
  });

  test("asks the target and makes no duplicate", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    for (const n of [1, 2, 2, 3]) world.system.deliver("anna@old", "INBOX", letter(n));
    const cut = { ...world.works, ledger: torn(world.works.ledger) };

    await cutRun(world, cut);
    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(4);
    await world.pass("delta");

    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(4);
  });

  test("negative control: without asking, the same cut makes duplicates", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    world.system.deliver("anna@old", "INBOX", letter(1));
    await cutRun(world, { ...world.works, ledger: torn(world.works.ledger) });

    const forgetful = { ...world.works.ledger, intents: () => Promise.resolve([]) };
    await world.pass("delta", { works: { ...world.works, ledger: forgetful } });

    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(2);
  });

  test("finds what was stored although both sides renumbered meanwhile", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    world.system.deliver("anna@old", "INBOX", letter("twin"));
    await world.pass("full");
    for (const n of ["twin", 2]) world.system.deliver("anna@old", "INBOX", letter(n));
    await cutRun(world, { ...world.works, ledger: torn(world.works.ledger) });
    world.system.renumber("anna@old", "INBOX");
    world.system.renumber("anna@new", "INBOX");

    await world.pass("delta");

    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(3);
  });

  test("whose folder cannot be opened now keeps its doubt, and settles it when it can", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    world.system.deliver("anna@old", "INBOX", letter(1));
    world.system.deliver("anna@old", "Work", letter(2));
    await cutRun(world, { ...world.works, ledger: torn(world.works.ledger) });
    const memory = world.works.providers.memory;
    const closed: Provider = {
      target: (address) => memory.target(address),
      async source(address) {
        const source = await memory.source(address);
        const open = source.open.bind(source);
        source.open = (path) => {
          if (path === "INBOX") throw new FolderError("NO [NOPERM] not now");
          return open(path);
        };
        return source;
      },
    };
    const works = { ...world.works, providers: { ...world.works.providers, memory: closed } };

    const pass = await world.pass("delta", { works });
    const after = await world.pass("delta");

    expect(pass).toMatchObject({ state: "completed_with_errors", counters: { failed: 1 } });
    expect(after).toMatchObject({ state: "completed", counters: { listed: 2, failed: 0 } });
    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(1);
    expect(world.system.letters("anna@new", "Work")).toHaveLength(1);
  });

  async function cutRun(
    world: Awaited<ReturnType<typeof memoryWorld>>,
    works: typeof world.works,
  ): Promise<void> {
    const failed = await world.pass("full", { works });
    expect(failed.state).toBe("failed");
  }
});

describe("a run", () => {
  test("waits for a server that is down, tells it once, and goes on when it is up", async () => {
    await using world = await memoryWorld();
    await world.add("anna");
    world.system.deliver("anna@old", "INBOX", letter(1));
    let tries = 0;
    const memory = world.works.providers.memory;
    const down: Provider = {
      target: (address) => memory.target(address),
      source(address) {
        tries += 1;
        if (tries < 4) throw new TransientError("refused", "connection");
        return memory.source(address);
      },
    };
    const works = { ...world.works, providers: { ...world.works.providers, memory: down } };

    const pass = await world.pass("full", { works });

    expect(pass).toMatchObject({ state: "completed", counters: { migrated: 1 } });
    const told = (await world.godwit.desk.newsroom.undelivered(100)).map((row) => row.news.type);
    expect(told.filter((type) => type === "entry waits")).toHaveLength(1);
  });

  test("is left alone while another engine owns the entry", async () => {
    await using world = await memoryWorld();
    const [entry] = await world.add("anna");
    world.system.deliver("anna@old", "INBOX", letter(1));
    await using owned = await world.works.owners.take(entry?.id ?? 0);
    expect(owned).not.toBeNull();

    const { preview, submit } = await import("../../engine/submit.ts");
    const request = { kind: "full" as const, limit: null, selection: [], types: null };
    const plan = await preview(request, world.project.id, false, world.godwit.desk);
    await submit(plan, { who: "test", thread: "test:1" }, world.godwit.desk);
    const [run] = await world.godwit.desk.passes.waiting(1);
    await carryRun(run ?? 0, world.works, new AbortController().signal);

    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(0);
  });
});
