import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

/** A PostgreSQL of one's own; disposing stops it and removes its files. */
export interface Postgres extends AsyncDisposable {
  /** Of an empty database, made for this call. */
  fresh(): Promise<string>;
  /** Kills it, and starts it again as it was left. */
  cut(): Promise<void>;
}

/**
 * Starts a PostgreSQL in a temporary folder, on a free loopback port. `unsafe` turns fsync off, to show that
 * Godwit refuses it.
 */
export async function startPostgres(options: { unsafe?: boolean } = {}): Promise<Postgres> {
  const bin = binaries();
  const folder = await mkdtemp(join(tmpdir(), "godwit-pg-"));
  const who = account();
  if (who !== null) chownSync(folder, who.uid, who.gid);
  const run = { ...who, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8" } };
  const data = join(folder, "data");
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "godwit", "-A", "trust", "-E", "UTF8", "--no-sync"],
    { ...run, stdio: "pipe" },
  );
  const port = await freePort();
  const start = () =>
    spawn(
      join(bin, "postgres"),
      [
        ...["-D", data, "-p", String(port), "-k", folder],
        ...["-c", "listen_addresses=127.0.0.1", "-c", "logging_collector=off"],
        ...["-c", `fsync=${options.unsafe === true ? "off" : "on"}`],
      ],
      { ...run, stdio: ["ignore", "ignore", "pipe"] },
    );
  let server = start();
  const stop = async () => {
    await ended(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(server);
  } catch (error) {
    await stop();
    throw error;
  }
  const url = (name: string) => `postgres://godwit@127.0.0.1:${port}/${name}`;
  let count = 0;
  return {
    async fresh() {
      count += 1;
      const name = `godwit_${count}`;
      const client = new pg.Client({ connectionString: url("postgres") });
      await client.connect();
      try {
        await client.query(`create database ${name}`);
      } finally {
        await client.end();
      }
      return url(name);
    },
    async cut() {
      const exit = once(server, "exit");
      server.kill("SIGKILL");
      await exit;
      // Its sessions die when they notice; until the last has, no other starts on these files.
      for (let tries = 1; ; tries += 1) {
        server = start();
        try {
          return await ready(server);
        } catch (error) {
          if (tries === 100) throw error;
          await delay(50);
        }
      }
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Where its programs lie. */
export function binaries(): string {
  const home = "/usr/lib/postgresql";
  const versions = existsSync(home) ? readdirSync(home).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(home, version, "bin"))
    .find((bin) => existsSync(join(bin, "initdb")));
  if (found === undefined) {
    throw new Error(
      `There is no PostgreSQL in ${home}. Install it: apt-get install -y postgresql (or run npm test, which does).`,
    );
  }
  return found;
}

/** PostgreSQL does not run as root: its own account then; null for whoever we are. */
function account(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { stdio: "pipe" }));
  return { uid: id("-u"), gid: id("-g") };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    server.stderr?.on("data", (some: Buffer) => {
      said += some.toString();
      if (said.includes("ready to accept connections")) resolve();
    });
    server.once("error", reject);
    server.once("exit", () => reject(new Error(`PostgreSQL did not start: ${said}`)));
  });
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const exit = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGINT");
  await exit;
}
