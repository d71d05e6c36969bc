// An engine in a process of its own that does something to itself in the middle of a batch.
//   double-process.ts <settings as JSON>
// It prints READY, TAKEN or BUSY for each entry it asks for, ACT before it does it, LOG <text>, and ends with its input.

import { createInterface } from "node:readline";
import { openOwners } from "../../db/owners.ts";
import type { Heartbeat } from "../../db/server-locks.ts";
import type { Item } from "../../engine/domain/item.ts";
import type { Owners } from "../../engine/domain/owner.ts";
import type { Provider, Target } from "../../engine/domain/provider.ts";
import { engineDefaults, startEngine } from "../../engine/engine.ts";
import { openGodwit } from "../../engine/open.ts";
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { testPace } from "../contracts/queue-pace.ts";

export interface DoubleSettings {
  databaseUrl: string;
  keys: string | null;
  queueUrl: string | null;
  lookMs: number;
  quietMs: number;
  /** Null for the usual one. */
  heartbeat: Heartbeat | null;
  /** At which asking whether bytes may leave; null for never. `ms` is how long it blocks: null to freeze. */
  act: { at: number; ms: number | null } | null;
  /** The control: it does not hear that its lock is lost. */
  deaf: boolean;
}

const settings = JSON.parse(process.argv[2] ?? "{}") as DoubleSettings;
const tell = (line: string) => process.stdout.write(`${line}\n`);
let armed = settings.act;
let asked = 0;

/** Nothing else happens in this process meanwhile. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function act(): void {
  asked += 1;
  if (armed === null || asked < armed.at) return;
  const { ms } = armed;
  armed = null;
  tell("ACT");
  if (ms === null) process.kill(process.pid, "SIGSTOP");
  // A stop comes a moment later.
  block(ms ?? 50);
}

async function* acting(items: AsyncIterable<Item>): AsyncGenerator<Item> {
  for await (const item of items) {
    yield {
      ...item,
      mayLeave() {
        act();
        if (!settings.deaf) item.mayLeave?.();
      },
    };
  }
}

function actingTarget(target: Target): Target {
  return {
    ...target,
    async open(path) {
      const folder = await target.open(path);
      return { ...folder, add: (items) => folder.add(acting(items)) };
    },
  };
}

const say = (_: unknown, text: string) => tell(`LOG ${text}`);
const log = { info: say, warn: say, error: say };
const { databaseUrl, keys, quietMs } = settings;
await using godwit = await openGodwit({
  databaseUrl,
  keys,
  settings: { quietMs, silentQuietMs: quietMs, retryMs: 50, batch: { items: 10, bytes: 4e6 } },
  log,
  tell() {},
});
await using locks = openOwners(godwit.database, settings.heartbeat ?? undefined);
const owners: Owners = {
  async take(entry) {
    const owned = await locks.take(entry);
    tell(owned === null ? "BUSY" : "TAKEN");
    if (owned === null || !settings.deaf) return owned;
    return { ...owned, lost: new AbortController().signal };
  },
};
const { imap } = godwit.works.providers;
const provider: Provider = {
  source: (address) => imap.source(address),
  target: async (address) => actingTarget(await imap.target(address)),
};
const works = { ...godwit.works, owners, providers: { ...godwit.works.providers, imap: provider } };
await using queue =
  settings.queueUrl === null
    ? { ...godwit.desk.queue, [Symbol.asyncDispose]: () => Promise.resolve() }
    : bullmqQueue(settings.queueUrl, { info() {}, warn() {} }, testPace);
await using _engine = startEngine(works, queue, { ...engineDefaults, lookMs: settings.lookMs });
tell("READY");
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "DISARM") armed = null;
}
