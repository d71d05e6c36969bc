import { createWriteStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import type { Rule, Sample } from "./growth.ts";

/** What is measured of a process, and how it is judged. */
export const processFigures = {
  "resident bytes": { type: "memory" },
  "live heap bytes": { type: "live" },
  "heap bytes": null,
  "bytes beside the heap": null,
  descriptors: { type: "level", free: 4 },
  threads: { type: "level", free: 2 },
  handles: { type: "level", free: 4 },
  requests: { type: "level", free: 4 },
} satisfies Record<string, Rule | null>;

/** The same of what they share. */
export const sharedFigures = {
  "PostgreSQL connections": { type: "level", free: 4 },
  "Redis bytes": { type: "level", free: 512 * 1024 },
  "Redis clients": { type: "level", free: 2 },
  "Redis keys": { type: "level", free: 8 },
} satisfies Record<string, Rule | null>;

export type ProcessFigure = keyof typeof processFigures;
export type SharedFigure = keyof typeof sharedFigures;

/** A process to be measured. */
export interface Measured {
  name: string;
  pid: number;
  healthPort: number;
  /** What `inside.ts` writes in it. */
  inside: string;
}

/** All samples, by who and what, and the same as a file of lines: seconds, who, pid, figure, value. */
export interface Samples extends AsyncDisposable {
  note(who: string, pid: number, figure: string, value: number | null): void;
  of(who: string, figure: string): Sample[];
}

export function keepSamples(file: string): Samples {
  const all = new Map<string, Sample[]>();
  const began = Date.now();
  const lines = createWriteStream(file);
  lines.write("seconds\twho\tpid\tfigure\tvalue\n");
  return {
    note(who, pid, figure, value) {
      if (value === null) return;
      const at = Date.now();
      const key = `${who}\t${figure}`;
      const samples = all.get(key) ?? [];
      samples.push({ at, value });
      all.set(key, samples);
      lines.write(`${Math.round((at - began) / 1000)}\t${who}\t${pid}\t${figure}\t${value}\n`);
    },
    of: (who, figure) => all.get(`${who}\t${figure}`) ?? [],
    [Symbol.asyncDispose]: () => new Promise((resolve) => lines.end(resolve)),
  };
}

/** What a process shows of itself now; null for what it does not, because it is gone or busy. */
export async function measure(one: Measured): Promise<Record<ProcessFigure, number | null>> {
  const [status, descriptors, told, inside] = await Promise.all([
    readFile(`/proc/${one.pid}/status`, "utf8").catch(() => ""),
    readdir(`/proc/${one.pid}/fd`).catch(() => null),
    metrics(one.healthPort),
    readFile(one.inside, "utf8").catch(() => ""),
  ]);
  const [, live = null, beside = null] = inside.trimEnd().split("\n").at(-1)?.split("\t") ?? [];
  const kilobytes = number(/^VmRSS:\s+(\d+)/m, status);
  return {
    "resident bytes": kilobytes === null ? null : kilobytes * 1024,
    "live heap bytes": live === null ? null : Number(live),
    "heap bytes": number(/^godwit_nodejs_heap_size_used_bytes (\S+)/m, told),
    "bytes beside the heap": beside === null ? null : Number(beside),
    descriptors: descriptors?.length ?? null,
    threads: number(/^Threads:\s+(\d+)/m, status),
    handles: number(/^godwit_nodejs_active_handles_total (\S+)/m, told),
    requests: number(/^godwit_nodejs_active_requests_total (\S+)/m, told),
  };
}

async function metrics(port: number): Promise<string> {
  try {
    const signal = AbortSignal.timeout(8_000);
    return await (await fetch(`http://127.0.0.1:${port}/metrics`, { signal })).text();
  } catch {
    return "";
  }
}

function number(pattern: RegExp, text: string): number | null {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
