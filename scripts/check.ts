/**
 * `npm run check`: format and lint, types, dead code, tests; each to its end, so that one look shows all.
 * `--no-tests` leaves out the last.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";

const root = path.dirname(import.meta.dirname);
const words = process.argv.slice(2);

const steps: [name: string, words: string[]][] = [
  [
    "format and lint",
    ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."],
  ],
  ["types", ["node_modules/typescript/bin/tsc", "--noEmit"]],
  ["dead code", ["node_modules/knip/bin/knip.js", "--no-progress"]],
];
if (!words.includes("--no-tests")) {
  steps.push(["tests", ["scripts/test.ts", ...words]]);
}

const failed: string[] = [];
for (const [name, [program = "", ...rest]] of steps) {
  process.stderr.write(`\n== ${name}\n`);
  const { status } = spawnSync(process.execPath, [path.join(root, program), ...rest], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  process.stderr.write(`\nNot right: ${failed.join(", ")}.\n`);
  process.exitCode = 1;
}
