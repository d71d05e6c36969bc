// An engine in a process of its own, quick to give up, with other limits on mail servers where it is told some. Prints
// READY, its peak of memory in KB when nothing waits any more, and DONE.

import { engineDefaults, startEngine } from "../../engine/engine.ts";
import { openGodwit } from "../../engine/open.ts";
import { imapProvider } from "../../engine/providers/imap/provider.ts";

const [url = "", limits = "{}"] = process.argv.slice(2);
const silent = { info() {}, warn() {}, error() {} };
await using godwit = await openGodwit({
  databaseUrl: url,
  keys: process.env.GODWIT_KEYS || null,
  settings: { quietMs: 50, silentQuietMs: 50, retryMs: 20, tries: 2, serverTries: 2 },
  log: {
    ...silent,
    error: ({ err }) => process.stderr.write(`${err instanceof Error ? err.stack : err}\n`),
  },
  tell() {},
});
const imap = imapProvider({
  connectMs: 10_000,
  silenceMs: 10_000,
  keepAliveMs: 1000,
  limits: JSON.parse(limits),
});
const works = { ...godwit.works, providers: { ...godwit.works.providers, imap } };
await using engine = startEngine(works, godwit.desk.queue, {
  ...engineDefaults,
  concurrency: 12,
  lookMs: 50,
});
process.stdout.write("READY\n");
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (engine.busy()) continue;
  if ((await godwit.works.passes.waiting(1)).length === 0) break;
}
process.stdout.write(`PEAK ${process.resourceUsage().maxRSS}\nDONE\n`);
