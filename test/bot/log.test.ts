import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

// A process of its own whose log is the door to its standard error.

const log = new URL("../../bot/log.ts", import.meta.url).href;

async function inProcess(program: string): Promise<{ code: number; lines: Line[]; out: string }> {
  const child = spawn(
    process.execPath,
    ["--input-type=module-typescript", "-e", `import * as logs from "${log}"; ${program}`],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  const lines = err.trim().split("\n");
  return { code, out, lines: lines.filter((one) => one !== "").map((one) => JSON.parse(one)) };
}

interface Line {
  level: string;
  time: string;
  part: string;
  pid: number;
  msg: string;
  [fact: string]: unknown;
}

const open = 'const log = logs.logOfProcess("engine", "info");';
const errors =
  'const error = Object.assign(new Error("no", { cause: { password: "canary" } }), { config: { auth: "canary" } });';

test("every line says when, how bad, and which process of several it is", async () => {
  const { code, lines } = await inProcess(
    `${open} log.debug({}, "no"); log.info({ run: 7 }, "one"); log.error({}, "two");`,
  );
  expect(code).toBe(0);
  expect(lines).toMatchObject([
    { level: "info", part: "engine", run: 7, msg: "one" },
    { level: "error", part: "engine", msg: "two" },
  ]);
  for (const { time, pid } of lines) {
    expect(new Date(time).toISOString()).toBe(time);
    expect(pid).toBeGreaterThan(1);
  }
});

test("what packages print and Node warns goes through the same door, without secrets", async () => {
  const { code, lines, out } = await inProcess(
    `${open} ${errors}
     console.log("redis://m:canary@host"); console.error("[ioredis] \\u001b[31mUnhandled", error);
     console.warn({ token: "canary" }); console.debug("not at this level");
     process.emitWarning("password=canary");`,
  );
  expect(code).toBe(0);
  expect(out).toBe("");
  expect(JSON.stringify(lines)).not.toContain("canary");
  expect(lines).toMatchObject([
    { level: "info", said: ["redis://m:[secret]@host"] },
    { level: "error", said: ["[ioredis] Unhandled", { type: "Error", message: "no" }] },
    { level: "warn", said: [{ token: "[secret]" }] },
    { level: "warn", msg: "Node warns", err: { message: "password=[secret]" } },
  ]);
});

test.each([
  ["an error nobody caught", "setTimeout(() => { throw error; });", "uncaughtException"],
  ["a promise nobody caught", "Promise.reject(error);", "unhandledRejection"],
  [
    "a thing thrown that is no error",
    "Promise.reject({ password: 'canary' });",
    "unhandledRejection",
  ],
])("%s ends the process with its line, without secrets", async (_what, program, origin) => {
  const { code, lines } = await inProcess(
    `${open} ${errors} ${program} setInterval(() => {}, 1e6);`,
  );
  expect(code).toBe(1);
  expect(JSON.stringify(lines)).not.toContain("canary");
  expect(lines).toMatchObject([{ level: "fatal", origin, err: { stack: expect.any(String) } }]);
});

test("without that door the same things are read by everybody", async () => {
  const child = spawn(
    process.execPath,
    ["--input-type=module", "-e", `${errors} console.error(error); throw error;`],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  expect(await text(child.stderr)).toContain("canary");
});

test("what ends a verb is told without secrets", async () => {
  const { out } = await inProcess(
    `${errors} process.stdout.write(logs.lastWords(new Error("pg://m:canary@host")) + logs.lastWords("token: canary"));`,
  );
  expect(out).toMatch(/^Error: pg:\/\/m:\[secret\]@host\n {4}at /);
  expect(out).toMatch(/token: \[secret\]$/);
});
