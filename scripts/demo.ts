/**
 * `npm run demo`: everything at once on practice data. Two mail servers in this process, three people with a
 * year of mail at the old one, and a project that carries them to the new one. Then the prompt is yours.
 * With `--once` the whole story runs by itself, and ends with 0 only when each of its promises held.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type ChatLine, chat } from "./demo-chat.ts";
import { type Practice, startPractice } from "./demo-practice.ts";
import { tellStory } from "./demo-story.ts";

const root = path.dirname(import.meta.dirname);
const once = process.argv.includes("--once");

// Ctrl-C goes to everybody in front of the terminal; here it only means: when the other one has ended, tidy up.
process.on("SIGINT", () => {});
const stopping = new AbortController();
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => stopping.abort());

const folder = mkdtempSync(path.join(tmpdir(), "godwit-demo-"));
try {
  await using practice = await startPractice(new Date());
  const env = environment(practice, folder);
  const say = (command: string) => {
    process.stdout.write(`\nyou> ${command}\n`);
    return chat([command], { cwd: folder, env, heard: show, signal: stopping.signal });
  };
  if (once) {
    process.exitCode = (await tellStory(practice, say, (text) => process.stdout.write(`${text}\n`)))
      ? 0
      : 1;
  } else {
    for (const command of practice.commands) {
      const { exit } = await say(command);
      if (exit !== 0) throw new Error(`“${command}” was refused.`);
    }
    process.exitCode = await prompt(practice, env);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The person's own variables are left out: a demo must not speak in their Slack or write to their database. */
function environment(practice: Practice, home: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(GODWIT|SLACK|MICROSOFT|TEAMS)_|^(DATABASE|QUEUE)_URL$|^LOG_LEVEL$/.test(name),
  );
  return {
    ...Object.fromEntries(own),
    DATABASE_URL: `sqlite:${path.join(home, "godwit.db")}`,
    PRACTICE_PASSWORD: practice.password,
  };
}

function show(line: ChatLine): void {
  if (line.kind === "pass" || typeof line.text !== "string") return;
  const mark = { private: "  ", post: "# ", edit: "~ ", reply: "    " }[line.kind];
  process.stdout.write(`${line.text.replace(/^/gm, mark)}\n`);
}

async function prompt(practice: Practice, env: NodeJS.ProcessEnv): Promise<number> {
  process.stdout.write(`
Three people wait at the old place: ${practice.addresses.join(", ")}.
Open the page at the address below, or stay here: both are the same channel. Type \`verify\`, then
\`prestage 90d\` and the \`start\` it asks for. Soon after that new mail arrives at the old place: type \`delta\`,
and \`delta\` once more. \`help\` shows the rest; Ctrl-C ends it all.

`);
  const stop = practice.deliverAfterFirstPass();
  const main = path.join(root, "bot/main.ts");
  const child = spawn(process.execPath, [main, "serve"], {
    // Not where the person is: a .env of theirs is not for practice.
    cwd: folder,
    env,
    stdio: "inherit",
    signal: stopping.signal,
  });
  return new Promise((resolve, reject) => {
    // Asked to end by a signal: that is no fault.
    child.on("error", (error) => (stopping.signal.aborted ? resolve(0) : reject(error)));
    child.on("exit", (code) => {
      stop();
      resolve(code ?? 0);
    });
  });
}
