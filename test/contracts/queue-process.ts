// Another process at a queue between processes: queue-process.ts <url>. It prints SERVES, and each run it is rung for,
// and never ends an answer. When its input ends it closes, and prints LEFT with how many timers still keep it.
import { setTimeout as elapse } from "node:timers/promises";
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { testPace } from "./queue-pace.ts";

const [url = ""] = process.argv.slice(2);
const queue = bullmqQueue(url, { info() {}, warn() {} }, testPace);
queue.listen((run) => {
  process.stdout.write(`${run}\n`);
  return new Promise(() => {});
}, 1);
let told = false;
const leave = new Promise<void>((resolve) => {
  process.stdin.on("end", resolve).resume();
}).then(() => {
  told = true;
});
while (!told && !queue.serves()) await elapse(10);
if (queue.serves()) process.stdout.write("SERVES\n");
await leave;
await queue[Symbol.asyncDispose]();
// Connections are given a moment to end by themselves.
await elapse(300);
const timers = process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
process.stdout.write(`LEFT ${timers}\n`);
