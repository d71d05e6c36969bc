import { expect, test } from "vitest";
import { FolderError, TransientError } from "../../engine/domain/errors.ts";
import type { Owners } from "../../engine/domain/owner.ts";
import { preview, submit } from "../../engine/submit.ts";
import { carryRun } from "../../engine/worker.ts";
import type { Interruption } from "../../engine/works.ts";
import type { MemoryWorld } from "../doubles/memory-world.ts";
import { annas, letter, one, twisted } from "../doubles/twisted.ts";

const minute = 60_000;

test.each(["pause", "shutdown"] as const)(
  "a silence keeps its quiet time though a %s came in the middle of it",
  async (why: Interruption) => {
    await using world = await annas(1);
    const asked = new AbortController();
    let [cutAt, askedAt] = [0, 0];
    const works = twisted(world, {
      target: (target) => ({
        ...target,
        async open(path) {
          const into = await target.open(path);
          return {
            ...into,
            async *add(items) {
              if (cutAt !== 0) return yield* into.add(items);
              for await (const item of items) for await (const _ of item.body);
              cutAt = world.clock.now();
              asked.abort(why);
              throw new TransientError("gone", "connection", { silent: true });
            },
            look(from) {
              askedAt ||= world.clock.now();
              return into.look(from);
            },
          };
        },
      }),
    });
    const pass = await submitted(world);
    const [run] = await world.godwit.desk.passes.waiting(1);
    await carryRun(run!, works, asked.signal);
    await world.godwit.desk.passes.control(pass, "run", "test");

    await world.carry(works);

    expect(askedAt - cutAt).toBeGreaterThanOrEqual(15 * minute);
    expect((await world.godwit.desk.passes.snapshot(pass)).state).toBe("completed");
    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(1);
  },
);

test("what was stored is carried though its folder is refused right after", async () => {
  await using world = await annas(5);
  let opens = 0;
  const works = twisted(world, {
    source: (source) => ({
      ...source,
      async open(path) {
        opens += 1;
        if (opens > 1) throw new FolderError("NO [SERVERBUG]");
        const open = await source.open(path);
        return { ...open, read: (uids) => open.read(uids.slice(1)) };
      },
    }),
  });

  const pass = await world.pass("full", { works });
  const retry = await world.pass("retry");

  expect(pass).toMatchObject({
    state: "completed_with_errors",
    counters: { listed: 5, migrated: 4, failed: 1 },
    licenses: { consumed: 1, reserved: 0 },
  });
  expect(retry).toMatchObject({ state: "completed", counters: { migrated: 1, failed: 0 } });
  expect(world.system.letters("anna@new", "INBOX")).toHaveLength(5);
});

test("nothing more goes to a folder where a batch came in doubt during the pass", async () => {
  await using world = await annas(2, "A");
  world.system.deliver("anna@old", "B", letter(2));
  const { projects } = world.godwit.desk;
  const map = { A: "All", B: "All" };
  await projects.change(world.project.id, { filters: { ...world.project.filters, map } });
  const works = twisted(world, {
    // Whose copy is whose cannot be told from the numbers.
    target: (target) => ({
      ...target,
      tellsUids: false,
      async open(path) {
        const into = await target.open(path);
        return {
          ...into,
          async *add(items) {
            for await (const item of items) {
              if (item.uid === 2) {
                for await (const _ of item.body);
                throw new FolderError("NO not this one");
              }
              for await (const receipt of into.add(one(item))) {
                yield receipt.outcome === "added" ? { ...receipt, targetUid: null } : receipt;
              }
            }
          },
        };
      },
    }),
  });

  const full = await world.pass("full", { works });
  const delta = await world.pass("delta");

  expect(full).toMatchObject({ state: "completed_with_errors", counters: { migrated: 0 } });
  expect(delta).toMatchObject({ state: "completed", counters: { listed: 3, failed: 0 } });
  expect(world.system.letters("anna@new", "All")).toHaveLength(3);
});

test.each([
  ["refused", () => new FolderError("NO [SERVERBUG]")],
  ["lost", () => new TransientError("gone", "connection")],
] as const)(
  "a pass in which everything was carried ends so though the last look at the target is %s",
  async (_, error) => {
    await using world = await annas(3);
    let [cut, looks] = [true, 0];
    const works = twisted(world, {
      target: (target) => ({
        ...target,
        async open(path) {
          const into = await target.open(path);
          return {
            ...into,
            async *add(items) {
              for await (const item of items) {
                if (cut) {
                  cut = false;
                  for await (const _ of item.body);
                  throw new TransientError("gone", "connection");
                }
                yield* into.add(one(item));
              }
            },
            async *look(from) {
              looks += 1;
              if (looks === 2) throw error();
              yield* into.look(from);
            },
          };
        },
      }),
    });

    const pass = await world.pass("full", { works });

    expect(looks).toBe(2);
    expect(pass).toMatchObject({ state: "completed_with_errors", counters: { migrated: 3 } });
    expect(pass.runs[0]?.reason).toMatch(/could not be asked/);
    expect(world.system.letters("anna@new", "INBOX")).toHaveLength(3);
  },
);

test("what is found of a batch in doubt is counted once, though its folder fails after it", async () => {
  await using world = await annas(10);
  let cut = true;
  let opens = 0;
  const works = twisted(world, {
    source: (source) => ({
      ...source,
      async open(path) {
        opens += 1;
        // Opened to be carried, opened to be asked for; then refused.
        if (opens > 2) throw new FolderError("NO [SERVERBUG]");
        return source.open(path);
      },
    }),
    target: (target) => ({
      ...target,
      async open(path) {
        const into = await target.open(path);
        return {
          ...into,
          async *add(items) {
            for await (const receipt of into.add(items)) {
              if (cut && receipt.uid === 4) {
                cut = false;
                throw new TransientError("gone", "connection");
              }
              yield receipt;
            }
          },
        };
      },
    }),
  });

  const pass = await world.pass("full", { works });

  expect(pass).toMatchObject({
    state: "completed_with_errors",
    counters: { listed: 10, migrated: 4, failed: 6 },
  });
});

test("a message whose last bytes were read when the lock was lost is not sent", async () => {
  await using world = await annas(1);
  const lost = new AbortController();
  const works = twisted(world, {
    source: (source) => ({
      ...source,
      async open(path) {
        const open = await source.open(path);
        return {
          ...open,
          async *read(uids) {
            for await (const item of open.read(uids)) {
              yield { ...item, body: thenLost(item.body, lost) };
            }
          },
        };
      },
    }),
  });
  const owners: Owners = {
    async take(entry) {
      const owned = await works.owners.take(entry);
      if (owned === null) return null;
      const { fence } = owned;
      return {
        fence,
        lost: lost.signal,
        [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
      };
    },
  };
  await submitted(world);
  const [run] = await world.godwit.desk.passes.waiting(1);

  await carryRun(run!, { ...works, owners }, new AbortController().signal);

  expect(lost.signal.aborted).toBe(true);
  expect(world.system.letters("anna@new", "INBOX")).toHaveLength(0);
});

async function* thenLost(
  body: AsyncIterable<Uint8Array>,
  lost: AbortController,
): AsyncGenerator<Uint8Array> {
  yield* body;
  lost.abort();
}

async function submitted({ godwit, project }: MemoryWorld) {
  const request = { kind: "full" as const, limit: null, selection: [], types: null };
  const plan = await preview(request, project.id, false, godwit.desk);
  return submit(plan, { who: "test", thread: "test:1" }, godwit.desk);
}
