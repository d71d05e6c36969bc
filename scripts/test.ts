/**
 * `npm test`: sees that the real servers the tests talk to are installed, runs every test, and ends with
 * `N passed, N failed, N skipped` alone on the last line. Further words go to vitest.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { provideServers } from "./servers.ts";

const root = path.dirname(import.meta.dirname);

process.exitCode = provideServers() ? runTests(process.argv.slice(2)) : 1;

function runTests(words: string[]): number {
  const folder = mkdtempSync(path.join(tmpdir(), "godwit-tests-"));
  const results = path.join(folder, "results.json");
  try {
    const { status } = spawnSync(
      process.execPath,
      [
        path.join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${results}`,
        ...words,
      ],
      { cwd: root, stdio: "inherit" },
    );
    const { passed, failed, skipped } = count(results);
    process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    const ran = passed + failed > 0;
    return ran && failed === 0 ? (status ?? 1) : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function count(file: string): { passed: number; failed: number; skipped: number } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // vitest ended before it could write: nothing is known to have passed.
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const results = z
    .object({
      numPassedTests: z.number(),
      numFailedTests: z.number(),
      numPendingTests: z.number(),
      numTodoTests: z.number(),
      testResults: z.array(
        z.object({ status: z.string(), assertionResults: z.array(z.unknown()) }),
      ),
    })
    .parse(JSON.parse(text));
  // A file that could not be loaded has no tests to fail, and must not pass for that.
  const broken = results.testResults.filter(
    (one) => one.status === "failed" && one.assertionResults.length === 0,
  );
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + broken.length,
    skipped: results.numPendingTests + results.numTodoTests,
  };
}
