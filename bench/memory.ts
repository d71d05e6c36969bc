/**
 * How much memory an engine takes: a folder of many small messages, and one message of 50 MB, carried by an
 * engine process between two real servers. Prints its peak resident set (VmHWM) and the time.
 *   npm run bench:memory -- [messages]
 */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { hugeLetter } from "../test/doubles/letters.ts";
import { startEngineProcess } from "../test/faults/kills.ts";
import { startDovecot } from "../test/servers/dovecot.ts";
import { startWorld } from "../test/servers/world.ts";

const many = Number(process.argv[2] ?? 100_000);

await using old = await startDovecot();
await using fresh = await startDovecot();
await measure(`${many} messages in one folder`, "many", async (append) => {
  await append(
    (function* () {
      for (let n = 0; n < many; n += 1) yield { body: `Subject: ${n}\r\n\r\nletter ${n}\r\n` };
    })(),
  );
});
await measure("one message of 50 MB", "huge", async (append) => {
  await append([{ body: hugeLetter(50).raw }]);
});

async function measure(
  what: string,
  user: string,
  load: (append: (mails: Iterable<{ body: Buffer | string }>) => Promise<void>) => Promise<void>,
): Promise<void> {
  {
    await using client = await old.login(`${user}@old.example`);
    await load((mails) => client.appendMany("INBOX", mails));
  }
  await using world = await startWorld(old, fresh);
  await world.add(user);
  for (const kind of ["full", "delta"] as const) {
    const pass = await world.submit(kind);
    const began = Date.now();
    const engine = startEngineProcess(world);
    let peak = 0;
    const watching = new AbortController();
    const watch = (async () => {
      while (!watching.signal.aborted) {
        peak = Math.max(peak, await resident(engine.pid));
        await delay(50);
      }
    })();
    await engine.ended;
    watching.abort();
    await watch;
    const { state, counters } = await world.godwit.desk.passes.snapshot(pass);
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    process.stdout.write(
      `${what}, ${kind}: ${state}, ${counters.migrated} carried, ${counters.duplicates} already there, ${seconds} s, peak ${Math.round(peak / 1024)} MB resident\n`,
    );
  }
}

async function resident(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
}
