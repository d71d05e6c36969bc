/**
 * A bot and two engines at work for an hour on PostgreSQL, Redis and two Dovecots: mail comes, passes are typed,
 * faults happen. Ends with 1 where something grew, was lost, came twice or did not end in order (docs/soak.md).
 *   npm run soak -- [minutes] [--seed n]
 */
import { parseArgs } from "node:util";
import { soak } from "../test/soak/run.ts";
import { provideServers } from "./servers.ts";

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = read();
  if (asked === null) {
    process.stderr.write(
      "Nothing was started. Type minutes and perhaps a seed, both numbers above 0, like `npm run soak -- 60 --seed 7`.\n",
    );
    return 1;
  }
  if (!provideServers()) return 1;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const { grown, wrong, story, samples } = await soak({
    ...asked,
    tell: (line) => void process.stdout.write(`${line}\n`),
    signal: stop.signal,
  });
  row("who", "figure", "first fifth", "last fifth", "most", "an hour", "verdict");
  row("---", "---", "---:", "---:", "---:", "---:", "---");
  for (const { who, figure, first, last, most, perHour, verdict } of grown) {
    row(who, figure, ...[first, last, most, perHour].map((one) => shown(figure, one)), verdict);
  }
  const faults = [...story.faults].map(([name, times]) => `${name} ${times}`).join(", ");
  process.stdout.write(
    `\n${story.delivered} mails came, ${story.passes} passes (${story.stopped.size} stopped), ${story.typed} lines typed.\nFaults: ${faults || "none"}.\nSamples: ${samples}\n`,
  );
  for (const line of wrong) process.stdout.write(`WRONG: ${line}\n`);
  const leaks = grown.filter(({ verdict }) => verdict === "grows");
  for (const { who, figure } of leaks) process.stdout.write(`GROWS: ${figure} of ${who}\n`);
  const right = wrong.length + leaks.length === 0;
  process.stdout.write(right ? "All in order.\n" : "Not in order.\n");
  return right ? 0 : 1;
}

function read(): { minutes: number; seed: number } | null {
  try {
    const { values, positionals } = parseArgs({
      options: { seed: { type: "string" } },
      allowPositionals: true,
    });
    const minutes = Number(positionals[0] ?? 60);
    const seed = Number(values.seed ?? Date.now() % 1_000_000);
    const right = minutes > 0 && minutes <= 10_000 && Number.isSafeInteger(seed) && seed > 0;
    return right && positionals.length <= 1 ? { minutes, seed } : null;
  } catch {
    return null;
  }
}

function row(...cells: string[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

function shown(figure: string, value: number): string {
  if (!figure.includes("bytes")) return value.toFixed(1);
  return `${(value / 1024 / 1024).toFixed(2)} MB`;
}
