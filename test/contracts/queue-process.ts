// Another process at a queue between processes: queue-process.ts <url>. It prints each run it is rung for and never
// ends an answer.
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { testPace } from "./queue-pace.ts";

const [url = ""] = process.argv.slice(2);
await using queue = bullmqQueue(url, { info() {}, warn: console.error }, testPace);
queue.listen((run) => {
  process.stdout.write(`${run}\n`);
  return new Promise(() => {});
}, 1);
await new Promise((resolve) => process.stdin.on("end", resolve).resume());
