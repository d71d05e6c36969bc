import { describe, expect, test } from "vitest";
import { startEngine } from "../../engine/engine.ts";
import { memorySystem } from "../../engine/providers/memory/provider.ts";
import { memoryQueue } from "../../engine/queues/memory.ts";
import { ringWaiting } from "../../engine/submit.ts";
import { defaults, type Works } from "../../engine/works.ts";
import { acme, newEntry, passOver } from "../contracts/books.ts";
import { openBooks, sqliteFolder } from "../db/books.ts";

const hour = 3_600_000;

describe("a small project does not wait for a large one that came before it", () => {
  test.each([
    ["looks by itself", 20, false],
    ["is rung for", hour, true],
    ["is rung for, and looks", 20, true],
  ])("where the engine %s", async (_how, lookMs, rung) => {
    await using folder = await sqliteFolder();
    await using books = await openBooks(folder.fresh());
    const queue = memoryQueue();
    const many = Array.from({ length: 30 }, (_, n) => `user${n}`);
    const { project, entries } = await acme(books, many);
    const { sourceEndpoint, targetEndpoint, policy, zone } = project;
    const small = await books.projects.create({
      name: "small",
      sourceEndpoint: sourceEndpoint.id,
      targetEndpoint: targetEndpoint.id,
      policy,
      zone,
    });
    const its = await books.projects.add(small.id, [newEntry("anna"), newEntry("bob")]);
    const system = memorySystem();
    const opened: string[] = [];
    const watched: Works["providers"]["memory"] = {
      ...system,
      source(address) {
        opened.push(address.mailbox);
        return system.source(address);
      },
    };
    const works: Works = {
      ...books,
      providers: { imap: watched, memory: watched },
      log: { info() {}, warn() {}, error() {} },
      settings: defaults,
    };
    await books.passes.submit(passOver(project, entries, { license: "none" }));
    if (rung) await ringWaiting({ passes: books.passes, queue });
    await books.passes.submit(passOver(small, its, { license: "none" }));
    if (rung) await ringWaiting({ passes: books.passes, queue });
    await using _engine = startEngine(works, queue, { concurrency: 1, lookMs, wantedMs: 500 });

    await expect.poll(() => opened, { timeout: 20_000 }).toContain("bob@old.example");

    expect(opened.indexOf("bob@old.example")).toBeLessThan(6);
    expect(new Set(opened).size, "none twice").toBe(opened.length);
  });
});

test("an engine that is stopped leaves its run to the next ring, and another ends it", async () => {
  await using folder = await sqliteFolder();
  await using books = await openBooks(folder.fresh());
  await using queue = memoryQueue({ times: 3, ms: 20 });
  const { project, entries } = await acme(books, ["anna"]);
  const [anna] = entries;
  const system = memorySystem();
  system.deliver(anna!.source, "INBOX", Buffer.from("Subject: one\r\n\r\none\r\n"));
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const gated: Works["providers"]["memory"] = {
    ...system,
    async source(address) {
      reached.resolve();
      await gate.promise;
      return system.source(address);
    },
  };
  const log = { info() {}, warn() {}, error() {} };
  const works = (memory: Works["providers"]["memory"]): Works => ({
    ...books,
    providers: { imap: memory, memory },
    log,
    settings: defaults,
  });
  const options = { concurrency: 1, lookMs: hour, wantedMs: 500 };
  const first = startEngine(works(gated), queue, options);
  await using _second = startEngine(works(system), queue, options);
  const pass = await books.passes.submit(passOver(project, entries));
  await ringWaiting({ passes: books.passes, queue });
  await reached.promise;
  const stopping = first[Symbol.asyncDispose]();
  gate.resolve();
  await stopping;

  await expect.poll(async () => (await books.passes.snapshot(pass)).state).toBe("completed");

  expect(system.letters(anna!.target, "INBOX")).toHaveLength(1);
  expect(first.busy()).toBe(false);
});
