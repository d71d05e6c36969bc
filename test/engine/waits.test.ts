import { expect, test } from "vitest";
import { FolderError, TransientError, UnavailableError } from "../../engine/domain/errors.ts";
import { noFilters } from "../../engine/domain/project.ts";
import type { Address, Source, Target } from "../../engine/domain/provider.ts";
import { withKeysAtHand } from "../../engine/keys-at-hand.ts";
import { MissingKeyError } from "../../engine/secrets.ts";
import { carryRun } from "../../engine/worker.ts";
import type { Works } from "../../engine/works.ts";
import { passOver } from "../contracts/books.ts";
import { type MemoryWorld, memoryWorld } from "../doubles/memory-world.ts";
import { annas, letter, losing, refusing, twisted } from "../doubles/twisted.ts";

const minute = 60_000;
const hour = 60 * minute;
const never = new AbortController().signal;

/** Works whose old mailboxes are opened this way; the first `opens` are those before. */
function openedBy(
  world: MemoryWorld,
  opens: (address: Address, nth: number) => Source | Error | null,
  change: Partial<Works> = {},
): Works {
  let nth = 0;
  const memory = {
    ...world.works.providers.memory,
    async source(address: Address) {
      nth += 1;
      const said = opens(address, nth);
      if (said instanceof Error) throw said;
      return said ?? world.system.source(address);
    },
  };
  return { ...world.works, ...change, providers: { ...world.works.providers, memory } };
}

const throttled = (server: number, retryAfterMs: number) =>
  new TransientError("old wants a pause.", "throttled", { server, retryAfterMs });
const away = (server: number) =>
  new TransientError("old cannot be reached.", "connection", { server });
const dropped = () => new TransientError("The connection to old ended.", "connection");

async function submitted(world: MemoryWorld): Promise<number> {
  const { passes, projects } = world.godwit.desk;
  const entries = await projects.entries(world.project.id);
  return passes.submit(passOver(world.project, entries, { license: "none" }));
}

test.each([
  { named: 99_999_999_999_999, waits: hour },
  { named: 1e25, waits: hour },
  { named: 5 * minute, waits: 5 * minute },
])("a pause of $named ms that a server names is kept for an hour at most", async (word) => {
  await using world = await memoryWorld();
  await world.add("anna");
  const works = openedBy(world, ({ endpoint }) => throttled(endpoint.id, word.named));
  const pass = await submitted(world);
  const [run] = await works.passes.waiting(1);

  await carryRun(run!, works, never);

  const { runs } = await works.passes.snapshot(pass);
  expect(runs[0]?.waiting?.until).toBe(world.clock.now() + word.waits);
});

test("a server that names too short a pause is asked less and less often", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  const began = world.clock.now();
  let asked = 0;
  const works = openedBy(world, ({ endpoint }) => {
    if (world.clock.now() - began > 5 * minute) return null;
    asked += 1;
    return throttled(endpoint.id, 37);
  });

  expect((await world.pass("full", { works })).state).toBe("completed");
  expect(asked).toBeLessThan(15);
});

test("a server that was away ten minutes and then drops one connection fails nobody", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  const works = openedBy(world, ({ endpoint }, nth) =>
    nth <= 12 ? away(endpoint.id) : nth === 13 ? dropped() : null,
  );

  expect((await world.pass("full", { works })).state).toBe("completed");
});

test("a mailbox whose connection is dropped each time still fails after eight tries", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  const works = openedBy(world, ({ endpoint }, nth) =>
    nth % 2 === 0 ? away(endpoint.id) : dropped(),
  );

  const { state, runs } = await world.pass("full", { works });

  expect([state, runs[0]?.reason]).toEqual([
    "failed",
    expect.stringMatching(/gave up after 8 tries/),
  ]);
});

test("tries from before something was carried are forgotten, a shutdown between or not", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  for (const n of [1, 2, 3]) {
    world.system.deliver("anna@old", "INBOX", Buffer.from(`Subject: ${n}\r\n\r\n${n}\r\n`));
  }
  let refusals = 6;
  const stop = new AbortController();
  const { ledger, settings } = world.works;
  const works = openedBy(world, ({ endpoint }) => (refusals-- > 0 ? away(endpoint.id) : null), {
    ledger: {
      ...ledger,
      async settle(...given) {
        await ledger.settle(...given);
        stop.abort("shutdown");
      },
    },
    settings: { ...settings, serverTries: 7, batch: { items: 1, bytes: 1 } },
  });
  const pass = await submitted(world);
  const { passes } = works;
  const run = (await passes.snapshot(pass)).runs[0]!.id;
  while ((await passes.snapshot(pass)).counters.migrated === 0) {
    world.clock.set(world.clock.now() + 2 * minute);
    await carryRun(run, works, stop.signal);
  }

  refusals = 1;
  await world.carry({ ...works, ledger });

  expect((await passes.snapshot(pass)).state).toBe("completed");
});

test("a wait is told once, however often the server lets us in and then asks for a pause", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  world.system.deliver("anna@old", "INBOX", Buffer.from("Subject: 1\r\n\r\nx\r\n"));
  const works = openedBy(world, () => null);
  let opened = 0;
  const { memory } = works.providers;
  const slow: Works["providers"]["memory"] = {
    ...memory,
    async source(address) {
      const source = await memory.source(address);
      return {
        ...source,
        open(path) {
          opened += 1;
          if (opened <= 10) throw throttled(address.endpoint.id, 5 * minute);
          return source.open(path);
        },
      };
    },
  };
  const providers = { ...works.providers, memory: slow };

  expect((await world.pass("full", { works: { ...works, providers } })).state).toBe("completed");

  const news = await world.godwit.desk.newsroom.undelivered(1_000);
  expect(news.filter((row) => row.news.type === "entry waits")).toHaveLength(1);
});

test("a folder that cannot be opened and is left out is no failure", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  world.system.deliver("anna@old", "INBOX", Buffer.from("Subject: 1\r\n\r\nx\r\n"));
  const filters = { ...noFilters, exclude: ["Huge*"] };
  const { memory } = world.works.providers;
  const huge: Works["providers"]["memory"] = {
    ...memory,
    async source(address) {
      const source = await memory.source(address);
      const folder = { path: "Huge", segments: ["Huge"], role: null, state: null };
      return {
        ...source,
        folders: async () => [...(await source.folders()), folder],
        open: (path) =>
          path === "Huge"
            ? Promise.reject(new FolderError("it holds more than are taken"))
            : source.open(path),
      };
    },
  };
  const works = { ...world.works, providers: { ...world.works.providers, memory: huge } };

  expect((await world.pass("full", { works })).state).toBe("completed_with_errors");
  await world.godwit.desk.projects.change(world.project.id, { filters });
  expect((await world.pass("full", { works })).state).toBe("completed");
});

test("a mailbox whose password this process cannot open takes nobody's place", async () => {
  await using world = await memoryWorld();
  const [anna] = await world.add("anna", "bob");
  const { desk } = world.godwit;
  await desk.paces.set(world.project.sourceEndpoint.id, 1);
  const projects: Works["projects"] = {
    ...desk.projects,
    addresses: (entry) =>
      entry === anna!.id
        ? Promise.reject(new MissingKeyError("no key"))
        : desk.projects.addresses(entry),
  };
  const works = withKeysAtHand({ ...world.works, projects }, async () => true);
  const pass = await submitted(world);
  for (const run of await works.passes.waiting(10)) {
    await carryRun(run, works, never).catch(() => undefined);
  }

  const { runs } = await works.passes.snapshot(pass);
  expect(runs.map(({ state }) => state)).toEqual(["queued", "completed"]);
});

test("a mailbox whose password nobody can open is stopped even so", async () => {
  await using world = await memoryWorld();
  const [anna] = await world.add("anna");
  const { passes, owners, projects } = world.works;
  const pass = await submitted(world);
  const [run] = await passes.waiting(1);
  {
    await using owned = await owners.take(anna!.id);
    await passes.begin(run!, owned!.fence);
  }
  const addresses = () => Promise.reject(new MissingKeyError("no key"));
  const works = withKeysAtHand(
    { ...world.works, projects: { ...projects, addresses } },
    async () => true,
  );
  await expect(carryRun(run!, works, never)).rejects.toThrow(UnavailableError);
  expect((await passes.snapshot(pass)).state).toBe("processing");

  await passes.control(pass, "stop", "test");
  world.clock.set(world.clock.now() + minute);
  for (const one of await works.passes.waiting(1)) await carryRun(one, works, never);

  expect((await passes.snapshot(pass)).state).toBe("stopped");
});

test("a mailbox whose connection is dropped each time fails after eight tries, though another folder's mail is refused each time", async () => {
  await using world = await memoryWorld();
  await world.add("anna");
  world.system.deliver("anna@old", "INBOX", letter("refused"));
  world.system.deliver("anna@old", "Poison", letter("poison"));
  let waits = 0;
  const works = twisted(
    {
      ...world,
      works: {
        ...world.works,
        passes: {
          ...world.works.passes,
          wait: (...given) => {
            waits += 1;
            if (waits > 100) throw new Error("It goes on and on.");
            return world.works.passes.wait(...given);
          },
        },
      },
    },
    {
      target: (target) => {
        const refuses = refusing(() => true)(target);
        const open = (path: string) =>
          path === "INBOX" ? refuses.open(path) : Promise.reject(dropped());
        return { ...target, open };
      },
    },
  );

  const { state, runs } = await world.pass("full", { works });

  expect([state, runs[0]?.reason]).toEqual([
    "failed",
    expect.stringMatching(/gave up after 8 tries/),
  ]);
});

test("of a connection that is dropped again and again people are told once, and of what is in doubt", async () => {
  await using world = await annas(1);
  const lost = losing();
  let opens = 0;
  const target = (one: Target): Target => ({
    ...one,
    open: (path) => {
      opens += 1;
      return opens === 1 ? lost(one).open(path) : Promise.reject(dropped());
    },
  });

  const { state } = await world.pass("full", { works: twisted(world, { target }) });

  const news = await world.godwit.desk.newsroom.undelivered(1_000);
  const told = news.flatMap((row) => (row.news.type === "entry waits" ? [row.news.for] : []));
  expect(state).toBe("failed");
  expect(told).toEqual(["connection", "doubt"]);
});

test("a batch in doubt since a clock that was a day ahead waits a quarter of an hour at most", async () => {
  await using world = await annas(1);
  const asked = new AbortController();
  const works = twisted(world, {
    target: losing(() => asked.abort("shutdown")),
  });
  const pass = await submitted(world);
  const [run] = await works.passes.waiting(1);
  const { now, sleep } = world.works.clock;
  const ahead = { now: () => now() + 24 * hour, sleep };
  await carryRun(run!, { ...works, clock: ahead }, asked.signal);
  const began = now();

  await carryRun(run!, world.works, never);

  expect((await works.passes.snapshot(pass)).state).toBe("completed");
  expect(now() - began).toBeGreaterThan(minute);
  expect(now() - began).toBeLessThan(hour);
});
