import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { keysFor } from "../servers/world.ts";
import type { DoubleSettings } from "./double-process.ts";
import { until } from "./house.ts";

/** One of two engines, in a process of its own. */
export interface Double extends AsyncDisposable {
  /** Every line it printed. */
  said: string[];
  /** How often it printed this. */
  times(line: string): number;
  disarm(): void;
  freeze(): void;
  thaw(): void;
}

export type Settings = Omit<DoubleSettings, "keys">;

/** Starts one and waits until it works. */
export async function startDouble(settings: Settings): Promise<Double> {
  const given: DoubleSettings = { ...settings, keys: keysFor(settings.databaseUrl) };
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "double-process.ts"), JSON.stringify(given)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const said: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => void said.push(line));
  const times = (wanted: string) => said.filter((line) => line === wanted).length;
  await until("an engine works", () => times("READY") > 0 || child.exitCode !== null);
  return {
    said,
    times,
    disarm: () => void child.stdin.write("DISARM\n"),
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    [Symbol.asyncDispose]: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGCONT");
  child.stdin!.end();
  const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await gone;
  clearTimeout(late);
}
