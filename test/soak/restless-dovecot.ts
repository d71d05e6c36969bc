import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Dovecot } from "../servers/dovecot.ts";

/** A Dovecot whose processes die. */
export interface RestlessDovecot extends AsyncDisposable {
  server: Dovecot;
  /** Kills one of the processes that serve a mailbox; false where nobody is served. */
  killChild(pick: (from: number) => number): Promise<boolean>;
  /** Kills all of it, and starts it again as it was left. */
  cut(): Promise<void>;
}

/** Disposing ends what was started here; the server itself is its owner's. */
export function restless(server: Dovecot): RestlessDovecot {
  let master = server.pid;
  let own: ChildProcess | null = null;
  return {
    server,
    async killChild(pick) {
      const serving: number[] = [];
      for (const pid of await childrenOf(master)) {
        const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
        if (name.trim() === "imap") serving.push(pid);
      }
      const pid = serving[pick(serving.length)];
      return pid !== undefined && kill(pid);
    },
    async cut() {
      const children = await childrenOf(master);
      for (const pid of [master, ...children]) kill(pid);
      own = await started(server);
      master = own.pid ?? 0;
    },
    async [Symbol.asyncDispose]() {
      if (own === null || own.exitCode !== null || own.signalCode !== null) return;
      const gone = once(own, "exit");
      own.kill("SIGTERM");
      await gone;
    },
  };
}

/** Its ports are free only when the last of the dead has gone. */
async function started({ directory, host, port }: Dovecot): Promise<ChildProcess> {
  for (;;) {
    const out = openSync(join(directory, "out"), "a");
    const child = spawn("dovecot", ["-F", "-c", join(directory, "dovecot.conf")], {
      stdio: ["ignore", out, out],
    });
    closeSync(out);
    while (child.exitCode === null && child.signalCode === null) {
      if (await greets(host, port)) return child;
      await delay(50);
    }
    await delay(200);
  }
}

async function greets(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  const greeting = await Promise.race([
    once(socket, "data").then(() => true),
    once(socket, "close").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return greeting;
}

async function childrenOf(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return list.split(" ").map(Number).filter(Boolean);
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
