import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { sqliteFolder } from "../db/books.ts";
import { dice } from "../doubles/letters.ts";
import { until } from "./house.ts";
import type { Tally } from "./suite.ts";

/** What came of a house in a process whose files could not grow for a while. */
export interface Limited {
  tally: Tally;
  /** What the engine wrote into its log. */
  errors: string[];
}

/**
 * An engine's process that may write no file beyond a size the write-ahead log is about to reach (`RLIMIT_FSIZE`), in
 * the middle of a pass; some time after it met the limit that is lifted.
 */
export async function limitedHouse({ seed }: { seed: number }): Promise<Limited> {
  const random = dice(seed);
  await using folder = await sqliteFolder();
  const url = folder.fresh();
  const child = spawn(process.execPath, [join(import.meta.dirname, "disk-process.ts"), url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = { sent: 0, errors: [] as string[], end: null as Tally | null };
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [word, rest = ""] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)];
    if (word === "SENT") said.sent = Number(rest);
    if (word === "ERROR") said.errors.push(rest);
    if (word === "END") said.end = JSON.parse(rest) as Tally;
  });
  const gone = once(child, "exit");
  const limit = (bytes: number | "unlimited") =>
    execFileSync("prlimit", ["--pid", String(child.pid), `--fsize=${bytes}:`]);
  try {
    const reached = 10 + random() * 60;
    await until("the engine carries", () => said.sent >= reached || child.exitCode !== null);
    const wal = statSync(`${url.slice("sqlite:".length)}-wal`).size;
    limit(wal + Math.floor(random() * 20_000));
    await until("the limit is met", () => said.errors.length > 0 || child.exitCode !== null);
    await delay(random() * 400);
    limit("unlimited");
    await until("the engine ends", () => said.end !== null || child.exitCode !== null, 60_000);
  } finally {
    child.kill("SIGKILL");
    await gone;
  }
  if (said.end === null) throw new Error("The process ended without a word of its pass.");
  return { tally: said.end, errors: said.errors };
}
