import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeFlags } from "./node-flags.ts";

const main = join(import.meta.dirname, "../../bot/main.ts");

/** How a verb ended, and everything it said. */
export interface Ended {
  /** Its exit code; null where a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A verb at work. */
export interface Working {
  pid: number;
  ended: Promise<Ended>;
  /** Answers once its standard output holds this; throws if it ended without. */
  says(text: string | RegExp): Promise<void>;
  /** Its standard output until now. */
  said(): string;
  /** Types a line to it. */
  type(line: string): void;
  kill(signal: NodeJS.Signals): void;
}

/** The verbs as people type them, each a process, in a folder of their own with a database of their own. */
export interface CommandLine extends AsyncDisposable {
  folder: string;
  databaseUrl: string;
  /** Starts a verb and answers at once. */
  start(words: string[], env?: Variables): Working;
  /** Runs a verb to its end. */
  godwit(words: string[], env?: Variables): Promise<Ended>;
  /** Writes a file into the folder. */
  write(name: string, text: string): Promise<void>;
}

/** Null takes a variable away. */
export type Variables = Record<string, string | null>;

/**
 * Nothing of the environment that Godwit reads is handed on but what is given here; without more, the database
 * is an SQLite file in the folder, and after a crash half a second is waited.
 */
export async function openCommandLine(given: Variables = {}): Promise<CommandLine> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-line-"));
  const databaseUrl = `sqlite:${join(folder, "godwit.db")}`;
  const base = { DATABASE_URL: databaseUrl, GODWIT_QUIET_SECONDS: "0.5", ...given };
  const children = new Set<ChildProcess>();
  const start = (words: string[], env: Variables = {}): Working => {
    const child = spawn(process.execPath, [...nodeFlags, main, ...words], {
      cwd: folder,
      env: environment({ ...base, ...env }),
      stdio: ["pipe", "pipe", "pipe"],
    });
    children.add(child);
    child.once("close", () => children.delete(child));
    return working(child);
  };
  return {
    folder,
    databaseUrl,
    start,
    godwit(words, env) {
      return start(words, env).ended;
    },
    write: (name, text) => writeFile(join(folder, name), text),
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [...children].map((child) => {
          const gone = new Promise((resolve) => child.once("close", resolve));
          child.kill("SIGKILL");
          return gone;
        }),
      );
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function working(child: ChildProcess): Working {
  const said = { out: "", err: "" };
  const listeners = new Set<() => void>();
  const heard = () => {
    for (const listener of listeners) listener();
  };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
    heard();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said.err += text;
  });
  // It may be gone before it reads what was typed.
  child.stdin?.on("error", () => {});
  let over = false;
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => {
      over = true;
      heard();
      resolve({ code, stdout: said.out, stderr: said.err });
    });
  });
  const holds = (text: string | RegExp) =>
    typeof text === "string" ? said.out.includes(text) : text.test(said.out);
  return {
    pid: child.pid ?? 0,
    ended,
    said: () => said.out,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!holds(text) && !over) return;
          listeners.delete(look);
          if (holds(text)) resolve();
          else reject(new Error(`It ended without ${text}:\n${said.out}\n${said.err}`));
        };
        listeners.add(look);
        look();
      }),
    type: (line) => void child.stdin?.write(`${line}\n`),
    kill: (signal) => void child.kill(signal),
  };
}

function environment(given: Variables): NodeJS.ProcessEnv {
  const ours =
    /^(GODWIT_|SLACK_|MICROSOFT_|TEAMS_|DATABASE_URL$|QUEUE_URL$|LOG_LEVEL$|NODE_OPTIONS$|VITEST)/;
  const env = Object.entries(process.env).filter(([name]) => !ours.test(name));
  for (const [name, value] of Object.entries(given)) if (value !== null) env.push([name, value]);
  return Object.fromEntries(env);
}
