import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type Certificate, makeCertificate } from "./certs.ts";
import { config, type DovecotOptions } from "./dovecot-config.ts";
import { openClient, type RawClient } from "./imap-client.ts";

const run = promisify(execFile);

/** A Dovecot of one's own on the loopback address, with a certificate made for it. */
export interface Dovecot extends AsyncDisposable {
  host: string;
  /** Plain, with STARTTLS. */
  port: number;
  /** TLS from the first byte. */
  tlsPort: number;
  certificate: Certificate;
  directory: string;
  /** The pid of Dovecot's own master process, of the one that runs now. */
  readonly pid: number;
  /** What `doveadm` prints, with this server's configuration. */
  doveadm(...args: string[]): Promise<string>;
  /** The independent client, logged in as this user (any name, password `pass`). */
  login(user: string): Promise<RawClient>;
  /** What the server wrote into its log. */
  log(): Promise<string>;
  /** Kills (`kill -9`) the processes that serve connections that are logged in, and answers how many. */
  killChildren(): Promise<number>;
  /** Kills it with everything it started, and starts it again on the same ports and the same mail. */
  cut(): Promise<void>;
}

/**
 * Starts a Dovecot and answers once it greets. Any user with the password `pass`, master user `master`
 * with `masterpass`. Disposing it stops it and removes everything it kept.
 */
export async function startDovecot(options: DovecotOptions = {}): Promise<Dovecot> {
  const directory = await mkdtemp(join(tmpdir(), "dovecot-"));
  await chmod(directory, 0o755);
  const certificate = await makeCertificate(directory, options.certificate);
  for (const folder of ["run", "state", "mail"]) await mkdir(join(directory, folder));
  if (process.getuid?.() === 0) await chown(join(directory, "mail"), 5000, 5000);
  await writeFile(join(directory, "master.passwd"), "master:{PLAIN}masterpass\n", { mode: 0o644 });

  const host = options.listen ?? "127.0.0.1";
  // Another process may take a free port before Dovecot does: then it is asked for another.
  for (let attempt = 1; ; attempt += 1) {
    const [port, tlsPort] = [await freePort(host), await freePort(host)];
    const file = join(directory, "dovecot.conf");
    await writeFile(file, config(directory, { host, port, tlsPort }, certificate, options));
    const child = spawnDovecot(directory, file);
    if (await greets(host, port, child)) {
      return serving(directory, child, { host, port, tlsPort, certificate });
    }
    await end(child);
    if (attempt === 5) {
      throw new Error(`Dovecot did not start: ${await readFile(join(directory, "out"), "utf8")}`);
    }
  }
}

function serving(
  directory: string,
  first: ChildProcess,
  at: Pick<Dovecot, "host" | "port" | "tlsPort" | "certificate">,
): Dovecot {
  let child = first;
  const forget = () => child.kill("SIGTERM");
  process.once("exit", forget);
  return {
    ...at,
    directory,
    get pid() {
      return child.pid ?? 0;
    },
    async doveadm(...args) {
      const { stdout } = await run("doveadm", ["-c", join(directory, "dovecot.conf"), ...args]);
      return stdout;
    },
    login: (user) => openClient({ host: at.host, port: at.port, user, password: "pass" }),
    log: () => readFile(join(directory, "dovecot.log"), "utf8").catch(() => ""),
    async killChildren() {
      const serving = (await childrenOf(child)).filter(({ name }) => name === "imap");
      return serving.filter(({ pid }) => killed(pid)).length;
    },
    async cut() {
      const children = await childrenOf(child);
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      // They would serve on without it, and keep its ports.
      for (const { pid } of children) killed(pid);
      await gone;
      for (let tries = 1; ; tries += 1) {
        child = spawnDovecot(directory, join(directory, "dovecot.conf"));
        if (await greets(at.host, at.port, child)) return;
        if (tries === 20) throw new Error(`Dovecot did not start again on port ${at.port}.`);
        await delay(50);
      }
    },
    async [Symbol.asyncDispose]() {
      process.removeListener("exit", forget);
      await end(child);
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function childrenOf({ pid }: ChildProcess): Promise<{ pid: number; name: string }[]> {
  const pids = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ");
  return Promise.all(
    pids.map(async (one) => {
      // One may end while we look.
      const name = await readFile(`/proc/${one}/comm`, "utf8").catch(() => "");
      return { pid: Number(one), name: name.trim() };
    }),
  );
}

function killed(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

function spawnDovecot(directory: string, file: string): ChildProcess {
  // Its own descriptors: an inherited pipe would be held open by every process it starts.
  const out = openSync(join(directory, "out"), "a");
  return spawn("dovecot", ["-F", "-c", file], { stdio: ["ignore", out, out] });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function greets(host: string, port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null) {
    const socket = connect({ host, port });
    const greeting = await Promise.race([
      once(socket, "data").then(() => true),
      once(socket, "close").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (greeting) return true;
    await delay(20);
  }
  return false;
}
