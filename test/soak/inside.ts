/**
 * Loaded into a process of the soak before its own code (`NODE_OPTIONS=--import=…`). Now and then it has all that
 * nobody holds collected and writes what is left, without compiled code, which V8 makes and drops as it likes: resident
 * memory swings by itself, this does not.
 *   SOAK_INSIDE=<file> SOAK_INSIDE_MS=<how often>
 */
import { appendFileSync } from "node:fs";
import { memoryUsage } from "node:process";
import { getHeapCodeStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const file = process.env.SOAK_INSIDE;
const everyMs = Number(process.env.SOAK_INSIDE_MS);

if (file !== undefined && everyMs > 0) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setInterval(() => {
    collect();
    const { heapUsed, external } = memoryUsage();
    const code = getHeapCodeStatistics();
    const live = heapUsed - code.code_and_metadata_size - code.bytecode_and_metadata_size;
    appendFileSync(file, `${Date.now()}\t${live}\t${external}\n`);
  }, everyMs).unref();
}
