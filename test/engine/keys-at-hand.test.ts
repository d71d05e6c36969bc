import { afterAll, beforeAll, expect, test } from "vitest";
import { rotateKeys } from "../../db/keys.ts";
import { UserError } from "../../engine/domain/errors.ts";
import { Secret } from "../../engine/domain/secret.ts";
import { startEngine } from "../../engine/engine.ts";
import { type Opened, openGodwit } from "../../engine/open.ts";
import { memorySystem } from "../../engine/providers/memory/provider.ts";
import { memoryQueue } from "../../engine/queues/memory.ts";
import { aesSealer, parseKeys } from "../../engine/secrets.ts";
import type { Works } from "../../engine/works.ts";
import { acme, passOver } from "../contracts/books.ts";
import { sqliteFolder } from "../db/books.ts";

// Keys are changed in one process after another; those that have the old one alone are still at work.

const oldKey = `old:${Buffer.alloc(32, 1).toString("base64")}`;
const newKey = `new:${Buffer.alloc(32, 2).toString("base64")}`;

let folder: Awaited<ReturnType<typeof sqliteFolder>>;
beforeAll(async () => {
  folder = await sqliteFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

/** A run of one mail waits, and processes with these keys can be had. */
async function openHouse() {
  const stack = new AsyncDisposableStack();
  const databaseUrl = folder.fresh();
  const system = memorySystem();
  const logged: string[] = [];
  const log = {
    info() {},
    warn() {},
    error: (_facts: object, text: string) => void logged.push(text),
  };
  const open = async (keys: string) =>
    stack.use(await openGodwit({ databaseUrl, keys, settings: {}, log, tell() {} }));
  const first = await open(oldKey);
  const { project, entries } = await acme(first.desk, ["anna"]);
  const source = entries[0]!.source;
  system.deliver(source, "INBOX", Buffer.from("Subject: 1\r\n\r\none\r\n"));
  await first.desk.passes.submit(passOver(project, entries));
  return {
    first,
    open,
    logged,
    endpoint: project.sourceEndpoint.id,
    works: ({ works }: Opened): Works => ({
      ...works,
      providers: { imap: system, memory: system },
    }),
    runs: () => first.database.knex("runs").select("state", "reason"),
    carried: () => system.letters("anna@new.example", "INBOX").length,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type House = Awaited<ReturnType<typeof openHouse>>;

/** Has an engine carry what waits until the run has ended, or for so many looks. */
async function atWork(house: House, works: Works, most = Number.POSITIVE_INFINITY): Promise<void> {
  let looks = 0;
  const counted: Works = {
    ...works,
    passes: {
      ...works.passes,
      waiting: (limit) => {
        looks += 1;
        return works.passes.waiting(limit);
      },
    },
  };
  await using queue = memoryQueue();
  await using _engine = startEngine(counted, queue, { concurrency: 2, lookMs: 20, wantedMs: 500 });
  await queue.ring(1, 1);
  await expect
    .poll(async () => looks >= most || ends.includes((await house.runs())[0]!.state), {
      timeout: 20_000,
    })
    .toBe(true);
}

const ends = ["completed", "failed"];

test("a password sealed with a key that is not here leaves the run to who has it, and is said once", async () => {
  await using house = await openHouse();
  const both = await house.open(`${newKey},${oldKey}`);
  await both.desk.projects.setMasterPassword(house.endpoint, new Secret("another password"));

  await atWork(house, house.works(house.first), 6);
  expect(await house.runs()).toMatchObject([{ state: "queued", reason: null }]);
  expect(house.logged.filter((text) => text.includes("with a key this process"))).toHaveLength(1);
  const tries = house.logged.filter((text) => text.includes("left to the next look"));
  expect(tries.length, "it is not tried again and again").toBeLessThan(3);

  // A command that needs it is refused with what to do.
  const asked = house.first.desk.projects.endpoints();
  await expect(asked).rejects.toThrow(/a key that is not here. Put the key back: into GODWIT_KEYS/);
  await expect(asked).rejects.toThrow(UserError);

  await atWork(house, house.works(both));
  expect(await house.runs()).toMatchObject([{ state: "completed", reason: null }]);
  expect(house.carried()).toBe(1);
});

test("after a rotation, a process with the old key alone begins no run and says what to set", async () => {
  await using house = await openHouse();
  const both = await house.open(`${newKey},${oldKey}`);
  const sealer = aesSealer(parseKeys(`${newKey},${oldKey}`));
  await rotateKeys(both.database, sealer);

  await atWork(house, house.works(house.first), 6);
  expect(await house.runs()).toMatchObject([{ state: "queued", reason: null }]);
  const said = house.logged.filter((text) => text.includes("`keys rotate` was typed"));
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/started again with GODWIT_KEYS/);

  await atWork(house, house.works(await house.open(newKey)));
  expect(await house.runs()).toMatchObject([{ state: "completed" }]);
  expect(house.carried()).toBe(1);
});

test("without that it would end the run as failed", async () => {
  await using house = await openHouse();
  await rotateKeys(house.first.database, aesSealer(parseKeys(`${newKey},${oldKey}`)));
  const { passes, projects } = house.first.desk;

  await atWork(house, { ...house.works(house.first), passes, projects });

  expect(await house.runs()).toMatchObject([
    { state: "failed", reason: expect.stringContaining("a key that is not here") },
  ]);
});
