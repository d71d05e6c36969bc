import { readFile, rm, truncate } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tolerantFingerprinter } from "../../engine/domain/item.ts";
import type { Owners } from "../../engine/domain/owner.ts";
import type { Provider } from "../../engine/domain/provider.ts";
import { preview, submit } from "../../engine/submit.ts";
import { carryRun } from "../../engine/worker.ts";
import type { Works } from "../../engine/works.ts";
import { type MemoryWorld, memoryWorld } from "../doubles/memory-world.ts";
import { foundLetters } from "../fixtures/mail.ts";
import { compare } from "../servers/checker.ts";
import { type Dovecot, startDovecot } from "../servers/dovecot.ts";
import { startWorld } from "../servers/world.ts";
import { dump, startEngineProcess } from "./kills.ts";

// Each guard of exactness beside itself taken away (F10): with it nothing is lost or twice, without it the
// same fault does damage. A control that stays clean means that the fault matrix does not bite.

const letter = (n: number | string) => Buffer.from(`Subject: ${n}\r\n\r\nletter ${n}\r\n`);

describe("asking the target what became of a batch", () => {
  let old: Dovecot;
  let fresh: Dovecot;
  beforeAll(async () => {
    [old, fresh] = await Promise.all([startDovecot(), startDovecot()]);
  });
  afterAll(async () => {
    await Promise.all([old[Symbol.asyncDispose](), fresh[Symbol.asyncDispose]()]);
  });

  test.each([
    ["with it", false, 0],
    ["without it (a naive retry)", true, 5],
  ])("%s, an engine killed before its result was written", async (_, naive, twice) => {
    const name = `naive-${naive}`;
    await deliver(name);
    await using world = await startWorld(old, fresh);
    await world.add(name);
    await world.submit("full");

    expect(await startEngineProcess(world, "before settle:1").ended).toBe("SIGKILL");
    expect(await startEngineProcess(world, "", naive ? "naive" : "").ended).toBe("DONE");

    expect((await verdict(name)).duplicated).toHaveLength(twice);
  });

  test.each([
    ["whole", false, 0],
    ["cut before its last commit, as by a power cut without FULL", true, 5],
  ])("a write-ahead log %s", async (_, cut, twice) => {
    const name = `wal-${cut}`;
    await deliver(name);
    const world = await startWorld(old, fresh);
    const { file } = world.godwit.database;
    if (file === null) throw new Error("This control is about SQLite's log.");
    await world.add(name);
    const pass = await world.submit("full");
    // Nobody else holds the database, so that the log stays as the killed engine left it.
    await world.godwit[Symbol.asyncDispose]();

    expect(await startEngineProcess(world, "before settle:1").ended).toBe("SIGKILL");
    if (cut) await cutLastCommit(file);
    expect(await startEngineProcess(world).ended).toBe("DONE");

    expect((await verdict(name)).duplicated).toHaveLength(twice);
    expect(pass).toBe(1);
    await rm(world.folder, { recursive: true, force: true });
  });

  async function deliver(name: string): Promise<void> {
    await using client = await old.login(`${name}@old.example`);
    await client.appendMany(
      "INBOX",
      [1, 2, 3, 4, 5].map((n) => ({ body: letter(n) })),
    );
  }

  async function verdict(name: string) {
    return compare(
      await dump(old, `${name}@old.example`),
      await dump(fresh, `${name}@new.example`),
    );
  }
});

/** Takes the last transaction off the log (the format: sqlite.org/fileformat2.html#the_write_ahead_log). */
async function cutLastCommit(file: string): Promise<void> {
  const log = await readFile(`${file}-wal`);
  const frame = 24 + log.readUInt32BE(8);
  const salt = log.subarray(16, 24);
  const commits: number[] = [];
  for (let at = 32; at + frame <= log.length; at += frame) {
    // Frames of an older round of the log have another salt.
    if (!log.subarray(at + 8, at + 16).equals(salt)) break;
    if (log.readUInt32BE(at + 4) !== 0) commits.push(at + frame);
  }
  await truncate(`${file}-wal`, commits.at(-2) ?? 32);
  await rm(`${file}-shm`, { force: true });
}

describe("one owner an entry", () => {
  /** Anybody may have it: the fence alone is left. */
  const anybody = (world: MemoryWorld): Owners => ({
    async take(entry) {
      const db = world.godwit.database.knex;
      await db("owners")
        .insert({ entry_id: entry, token: 1 })
        .onConflict("entry_id")
        .merge({ token: db.raw("owners.token + 1") });
      const row = await db("owners").where({ entry_id: entry }).first("token");
      const token = row?.token ?? 0;
      return {
        fence: { entry, token },
        lost: new AbortController().signal,
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  });

  test.each([
    ["with the lock", true, 1],
    ["with the fence alone", false, 2],
  ])(
    "%s, a second engine beside one that is in the middle of a batch",
    async (_, locked, copies) => {
      await using world = await memoryWorld();
      await world.add("anna");
      world.system.deliver("anna@old", "INBOX", letter(1));
      const run = await submitted(world);
      const gate = Promise.withResolvers<void>();
      const reached = Promise.withResolvers<void>();
      const works: Works = locked ? world.works : { ...world.works, owners: anybody(world) };
      const slow = withTarget(works, async function* (items, add) {
        reached.resolve();
        await gate.promise;
        yield* add(items);
      });

      const first = carryRun(run, slow, new AbortController().signal);
      await reached.promise;
      await carryRun(run, works, new AbortController().signal);
      gate.resolve();
      await first;

      expect(world.system.letters("anna@new", "INBOX")).toHaveLength(copies);
    },
  );
});

describe("the quiet time", () => {
  /** The process dies with a message on its way, which the target stores when `arrive` is called. */
  async function dyingPass(quietMs: number, arriveAfter: number) {
    const world = await memoryWorld();
    await world.add("anna");
    world.system.deliver("anna@old", "INBOX", letter(1));
    let onItsWay = false;
    const arrive = () => {
      if (onItsWay) world.system.deliver("anna@new", "INBOX", letter(1));
      onItsWay = false;
    };
    const began = world.clock.now();
    const clock = {
      ...world.clock,
      async sleep(ms: number, signal?: AbortSignal) {
        await world.clock.sleep(ms, signal);
        if (world.clock.now() - began >= arriveAfter) arrive();
      },
    };
    const works = { ...world.works, clock, settings: { ...world.works.settings, quietMs } };
    const dying = withTarget(works, async function* (items) {
      for await (const _ of items) onItsWay = true;
      if (onItsWay) throw new Error("the process dies here");
      yield* [];
    });
    await world.pass("full", { works: dying });
    return { world, works, arrive };
  }
  const copies = (world: MemoryWorld) => world.system.letters("anna@new", "INBOX").length;

  test("waited for, finds what the target stored late", async () => {
    const { world, works } = await dyingPass(30_000, 20_000);
    await using _world = world;

    const pass = await world.pass("delta", { works });

    expect(pass).toMatchObject({ state: "completed", counters: { migrated: 1 } });
    expect(copies(world)).toBe(1);
  });

  test("left out, carries it twice", async () => {
    const { world, works, arrive } = await dyingPass(0, 20_000);
    await using _world = world;

    await world.pass("delta", { works });
    arrive();

    expect(copies(world)).toBe(2);
  });

  test("too short for a frozen target, the copy is counted and said after the pass", async () => {
    const { world, works, arrive } = await dyingPass(1_000, 20_000);
    await using _world = world;
    const frozen = withTarget(works, async function* (items, add) {
      yield* add(items);
      arrive();
    });

    const pass = await world.pass("delta", { works: frozen });

    expect(copies(world)).toBe(2);
    expect(pass.state).toBe("completed_with_errors");
    expect(pass.runs[0]?.reason).toContain("1 stand there twice");
  });
});

describe("the tolerant fingerprint", () => {
  const found = foundLetters().filter(({ raw }) => raw.length > 0);
  const collisions = (key: (raw: Buffer) => string) => {
    // The corpus has some letters twice, with other line ends.
    const lines = (raw: Buffer) => raw.toString("latin1").replace(/\r\n/g, "\n").trimEnd();
    const distinct = new Map(found.map(({ raw }) => [lines(raw), raw]));
    const seen = new Map<string, number>();
    for (const raw of distinct.values()) seen.set(key(raw), (seen.get(key(raw)) ?? 0) + 1);
    return [...seen.values()].filter((count) => count > 1).length;
  };

  test("tells every letter of the corpus apart", () => {
    const tolerant = (raw: Buffer) => {
      const hash = tolerantFingerprinter();
      hash.update(raw);
      return hash.end().toString("hex");
    };
    expect(collisions(tolerant)).toBe(0);
  });

  test("a hash of the header alone does not", () => {
    const header = (raw: Buffer) => raw.toString("latin1").split(/\r?\n\r?\n/)[0] ?? "";
    expect(collisions(header)).toBeGreaterThan(0);
  });
});

async function submitted(world: MemoryWorld): Promise<number> {
  const request = { kind: "full" as const, limit: null, selection: [], types: null };
  const plan = await preview(request, world.project.id, false, world.godwit.desk);
  await submit(plan, { who: "test", thread: "test:1" }, world.godwit.desk);
  const [run = 0] = await world.godwit.desk.passes.waiting(1);
  return run;
}

type Add = Awaited<ReturnType<Awaited<ReturnType<Provider["target"]>>["open"]>>["add"];

/** The same works, with another way to add. */
function withTarget(
  works: Works,
  add: (items: Parameters<Add>[0], real: Add) => ReturnType<Add>,
): Works {
  const { memory } = works.providers;
  const changed: Provider = {
    source: (address) => memory.source(address),
    async target(address) {
      const target = await memory.target(address);
      const open = target.open.bind(target);
      target.open = async (path) => {
        const folder = await open(path);
        const real = folder.add.bind(folder);
        folder.add = (items) => add(items, real);
        return folder;
      };
      return target;
    },
  };
  return { ...works, providers: { ...works.providers, memory: changed } };
}
