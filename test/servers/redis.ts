import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./postgres.ts";

/** A Redis of one's own; disposing stops it and removes its files. */
export interface RedisServer extends AsyncDisposable {
  url: string;
  /** Starts it, on the same port, as it was left: empty without an append-only file, or where that is asked for. */
  start(how?: "empty"): Promise<void>;
  /** Kills it as a power cut would. */
  kill(): Promise<void>;
  /** It accepts connections and answers nothing until it is thawed. */
  freeze(): void;
  thaw(): void;
  /** Asks it something. */
  ask(...words: [string, ...string[]]): Promise<unknown>;
}

/**
 * Starts a Redis in a temporary folder, on a free loopback port, that keeps nothing on disk unless `durable`.
 * `policy` is what it does when its memory is full.
 */
export async function startRedis(
  options: { started?: boolean; durable?: boolean; policy?: string; password?: string } = {},
): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-redis-"));
  const port = await freePort();
  const { password } = options;
  const login = password === undefined ? "" : `:${password}@`;
  const url = `redis://${login}127.0.0.1:${port}`;
  let server: ChildProcess | null = null;

  const start = async (how?: "empty") => {
    if (how === "empty") await rm(join(folder, "appendonlydir"), { recursive: true, force: true });
    server = spawn(
      "redis-server",
      [
        ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder],
        ...["--save", "", "--appendonly", options.durable === true ? "yes" : "no"],
        ...["--maxmemory-policy", options.policy ?? "noeviction"],
        ...(password === undefined ? [] : ["--requirepass", password]),
      ],
      { cwd: folder, stdio: ["ignore", "pipe", "ignore"] },
    );
    await ready(server);
  };
  const end = async (signal: NodeJS.Signals) => {
    if (server === null) return;
    const exit = once(server, "exit");
    server.kill(signal);
    // What is frozen cannot hear it.
    server.kill("SIGCONT");
    await exit;
    server = null;
  };
  const stop = async () => {
    await end("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (options.started !== false) await start();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url,
    start,
    kill: () => end("SIGKILL"),
    freeze: () => void server?.kill("SIGSTOP"),
    thaw: () => void server?.kill("SIGCONT"),
    async ask(word, ...words) {
      const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
      try {
        await client.connect();
        return await client.call(word, ...words);
      } finally {
        client.disconnect();
      }
    },
    [Symbol.asyncDispose]: stop,
  };
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    server.stdout?.on("data", (some: Buffer) => {
      said += some.toString();
      if (said.includes("Ready to accept connections")) resolve();
    });
    server.once("error", () =>
      reject(
        new Error(
          "There is no redis-server. Install it: apt-get install -y redis-server (or run npm test, which does).",
        ),
      ),
    );
    server.once("exit", () => reject(new Error(`Redis did not start: ${said}`)));
  });
}
