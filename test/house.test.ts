import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = path.dirname(import.meta.dirname);
let house: string;

beforeEach(() => {
  house = mkdtempSync(path.join(tmpdir(), "godwit-house-"));
  const rules = JSON.parse(readFileSync(path.join(root, "biome.json"), "utf8"));
  // There is no git where the copy stands.
  writeFileSync(
    path.join(house, "biome.json"),
    JSON.stringify({ ...rules, vcs: { enabled: false } }),
  );
});

afterEach(() => rmSync(house, { recursive: true, force: true }));

/** The rules Biome finds broken in a file of this text at this place. */
function broken(place: string, text: string): string[] {
  const file = path.join(house, place);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, "node_modules/@biomejs/biome/bin/biome"), "lint", "--reporter=github", "."],
    { cwd: house, encoding: "utf8" },
  );
  expect(stdout + stderr).not.toContain("configuration resulted in errors");
  return [...stdout.matchAll(/^::error title=lint\/\w+\/(\w+)/gm)].map((match) => match[1] ?? "");
}

const imports = (from: string) =>
  `import { thing } from "${from}";\nexport const kept = [thing];\n`;

describe("the linter refuses", () => {
  it.each([
    ["engine/domain/plan.ts", "../worker.ts", "the domain to know the engine"],
    ["engine/domain/plan.ts", "../../db/ledger.ts", "the domain to know the database"],
    ["engine/domain/plan.ts", "luxon", "the domain a package"],
    ["engine/domain/plan.ts", "node:fs", "the domain the file system"],
    ["engine/run-pass.ts", "../db/ledger.ts", "the algorithm to name an adapter"],
    ["engine/worker.ts", "./providers/imap/source.ts", "the worker to name a provider"],
    ["engine/worker.ts", "../bot/wording.ts", "the engine to know the bot"],
    ["engine/worker.ts", "knex", "the engine to know a database's SDK"],
    ["engine/providers/imap/source.ts", "../../worker.ts", "a provider to know the engine"],
    ["engine/providers/imap/source.ts", "knex", "a provider another's SDK"],
    ["engine/worker.ts", "./dns/mx.ts", "the worker to name the DNS adapter"],
    ["engine/worker.ts", "dns-packet", "the engine to know the DNS's SDK"],
    ["engine/dns/mx.ts", "../worker.ts", "the DNS adapter to know the engine"],
    ["engine/dns/mx.ts", "imapflow", "the DNS adapter another's SDK"],
    ["engine/queues/memory.ts", "../worker.ts", "a queue to know the engine"],
    ["db/ledger.ts", "../engine/worker.ts", "the database to know the engine"],
    ["db/ledger.ts", "imapflow", "the database a provider's SDK"],
    [
      "db/migrations/0001_first.ts",
      "../../engine/domain/ledger.ts",
      "a migration to change its meaning",
    ],
    ["bot/bot.ts", "../engine/worker.ts", "the bot to know the engine"],
    ["bot/bot.ts", "../db/ledger.ts", "the bot to know the database"],
    ["bot/commands/delta.ts", "../../engine/open.ts", "a command to open adapters"],
    ["bot/commands/cutover.ts", "dns-packet", "a command to ask the DNS itself"],
    ["bot/commands/cutover.ts", "../../engine/dns/mx.ts", "a command to name the DNS adapter"],
    ["bot/commands/delta.ts", "imapflow", "a command to talk to mail servers"],
    ["bot/commands/queue.ts", "bullmq", "a command to know the queue's SDK"],
    ["bot/queue-board/serve.ts", "../../engine/queues/board.ts", "the board to open the queue"],
    ["bot/bot.ts", "../test/doubles/letters.ts", "the product to import a test"],
  ])("%s importing %s: %s", (place, from) => {
    expect(broken(place, imports(from))).toEqual(["noRestrictedImports"]);
  });

  it("reading the environment anywhere but where the process starts", () => {
    const text = "export const level = process.env.LOG_LEVEL;\n";
    expect(broken("engine/worker.ts", text)).toEqual(["noProcessEnv"]);
    expect(broken("engine/worker.ts", "")).toEqual([]);
    expect(broken("bot/main.ts", text)).toEqual([]);
  });

  it("a promise nobody waits for", () => {
    const text =
      "async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n";
    expect(broken("engine/worker.ts", text)).toEqual(["noFloatingPromises"]);
  });

  it("a barrel", () => {
    expect(broken("engine/domain/index.ts", 'export * from "./plan.ts";\n')).toContain(
      "noBarrelFile",
    );
  });

  it("files that import each other", () => {
    broken(
      "engine/one.ts",
      'import { two } from "./two.ts";\nexport const one = (): number => two();\n',
    );
    const found = broken(
      "engine/two.ts",
      'import { one } from "./one.ts";\nexport const two = (): number => one();\n',
    );
    expect(found).toContain("noImportCycles");
  });
});

describe("the linter allows", () => {
  it.each([
    ["engine/domain/plan.ts", "./errors.ts"],
    ["engine/domain/item.ts", "node:crypto"],
    ["engine/run-pass.ts", "./domain/ledger.ts"],
    ["engine/providers/memory/provider.ts", "../../domain/provider.ts"],
    ["engine/providers/imap/source.ts", "imapflow"],
    ["engine/dns/mx.ts", "dns-packet"],
    ["engine/dns/mx.ts", "../domain/dns.ts"],
    ["engine/queues/board.ts", "@bull-board/api/bullMQAdapter"],
    ["db/ledger.ts", "../engine/domain/ledger.ts"],
    ["db/ledger.ts", "knex"],
    ["bot/commands/delta.ts", "../../engine/domain/plan.ts"],
    ["bot/commands/delta.ts", "../../engine/submit.ts"],
    ["bot/main.ts", "../db/open.ts"],
    ["engine/open.ts", "./providers/imap/provider.ts"],
    ["engine/open.ts", "./dns/mx.ts"],
  ])("%s importing %s", (place, from) => {
    expect(broken(place, imports(from))).toEqual([]);
  });
});
