// An engine in a process of its own, to be killed. It prints READY when it works and DONE when nothing waits.
//   engine-process.ts <database url> [point:n] [naive|blind]
// With a point it kills itself there the n-th time, as `kill -9` would. The negative controls: a naive one forgets
// what is in doubt; a blind one sees nothing of what stands at the target either.

import { flushCompileCache } from "node:module";
import type { Item } from "../../engine/domain/item.ts";
import type { Intent, Ledger } from "../../engine/domain/ledger.ts";
import type { OpenTarget, Provider, Target } from "../../engine/domain/provider.ts";
import { engineDefaults, startEngine } from "../../engine/engine.ts";
import { openGodwit } from "../../engine/open.ts";

/** Where a process can die; the numbers are those of the fault matrix. */
export const points = [
  "before intend", // K1
  "after intend", // K2
  "before append", // K2, with the message read
  "after append", // K5
  "before settle", // K5, the whole batch stored
  "during settle", // K6, K13
  "after settle",
  "during look", // K7
  "after create", // K8
] as const;
export type Point = (typeof points)[number];

const [url = "", crash = "", naive = ""] = process.argv.slice(2);
const [crashAt, nth] = crash.split(":");
let met = 0;

function at(point: Point): void {
  if (point !== crashAt) return;
  met += 1;
  if (met === Number(nth)) process.kill(process.pid, "SIGKILL");
}

function dyingLedger(ledger: Ledger): Ledger {
  return {
    ...ledger,
    intents: (entry) => (naive === "" ? ledger.intents(entry) : Promise.resolve([])),
    async intend(intent: Omit<Intent, "id">, fence) {
      at("before intend");
      const id = await ledger.intend(intent, fence);
      at("after intend");
      return id;
    },
    async settle(settlement, fence) {
      at("before settle");
      const settling = ledger.settle(settlement, fence);
      // The first statements are under way in the database's own thread.
      setImmediate(() => at("during settle"));
      await settling;
      at("after settle");
    },
  };
}

function dyingTarget(target: Target): Target {
  return {
    maxItemSize: target.maxItemSize,
    tellsUids: target.tellsUids,
    folders: () => target.folders(),
    survey: () => target.survey(),
    async ensure(wanted, taken) {
      const path = await target.ensure(wanted, taken);
      at("after create");
      return path;
    },
    open: async (path) => dyingFolder(await target.open(path)),
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}

function dyingFolder(folder: OpenTarget): OpenTarget {
  return {
    state: folder.state,
    async *add(items) {
      for await (const receipt of folder.add(before(items))) {
        at("after append");
        yield receipt;
      }
    },
    async *look(fromUid, only) {
      at("during look");
      if (naive !== "blind") yield* folder.look(fromUid, only);
    },
    async uids(fromUid) {
      return naive === "blind" ? new Set() : folder.uids(fromUid);
    },
  };
}

async function* before(items: AsyncIterable<Item>): AsyncGenerator<Item> {
  for await (const item of items) {
    at("before append");
    yield item;
  }
}

const silent = { info() {}, warn() {}, error() {} };
await using godwit = await openGodwit({
  databaseUrl: url,
  keys: process.env.GODWIT_KEYS || null,
  settings: { quietMs: 300, silentQuietMs: 300, retryMs: 50, batch: { items: 20, bytes: 4e6 } },
  log: silent,
  tell() {},
});
const imap = godwit.works.providers.imap;
const dying: Provider = {
  source: (address) => imap.source(address),
  target: async (address) => dyingTarget(await imap.target(address)),
};
const works = {
  ...godwit.works,
  ledger: dyingLedger(godwit.works.ledger),
  providers: { ...godwit.works.providers, imap: dying },
};
await using engine = startEngine(works, godwit.desk.queue, { ...engineDefaults, lookMs: 50 });
// A killed process would not leave it to the next.
flushCompileCache();
process.stdout.write("READY\n");
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (engine.busy()) continue;
  if ((await godwit.works.passes.waiting(1)).length === 0) break;
}
process.stdout.write("DONE\n");
