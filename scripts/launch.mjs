// Runs one of our TypeScript files with the right Node, on any Node from 18 up, as the first thing typed after
// a clone: `node scripts/launch.mjs <script.ts> [arguments]`. Installs the packages when they are missing or
// not those of the lock file. Plain JavaScript, because the machine's own Node may not read TypeScript.
// Says nothing on stdout: that belongs to the script.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const parent = process.ppid;
const [script, ...args] = process.argv.slice(2);

if (script === undefined) {
  say("Usage: node scripts/launch.mjs <script.ts> [arguments]");
  process.exit(1);
}
// Those who run the tests have the tools; who only serves may have installed with --omit=dev.
const withTools = !script.startsWith("bot/") && !script.startsWith("engine/");
if (!installed(withTools)) install();
run(nodeForTypeScript());

/** Whether node_modules holds what the lock file names. npm writes its own list last, so half an install has none. */
function installed(withTools) {
  const wanted = packagesOf("package-lock.json");
  const present = packagesOf("node_modules/.package-lock.json");
  if (present === null) return false;
  if (ownNode() === null && !currentNodeWillDo()) return false;
  if (wanted === null) return true;
  return Object.entries(wanted).every(([place, { version, optional, devOptional, dev }]) => {
    if (place === "" || optional || devOptional || (dev && !withTools)) return true;
    return present[place]?.version === version;
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(path.join(root, file), "utf8")).packages ?? null;
  } catch {
    return null;
  }
}

function install() {
  say("Installing the packages: this takes a minute or two …");
  if (npmInstalls()) return;
  if (provideCompiler() && npmInstalls()) return;
  say("The packages could not be installed; npm's own words are above. Nothing was started.");
  if (!hasCompiler()) {
    say("sqlite3 may have had to be compiled: install python3, make and a C++ compiler, as in");
    say("  sudo apt-get install python3 make g++");
  }
  process.exit(1);
}

/** `npm ci` gives exactly the lock file; where that fails (no lock, a registry without some optional part), `npm install`. */
function npmInstalls() {
  const quiet = ["--no-audit", "--no-fund"];
  if (existsSync(path.join(root, "package-lock.json")) && npm(["ci", ...quiet])) return true;
  return npm(["install", "--no-save", ...quiet]);
}

function npm(words) {
  const own = process.env.npm_execpath;
  // Inside `npm run` npm says where it is; by its name alone it is a .cmd on Windows, which needs a shell.
  const inside = own !== undefined && /npm-cli\.c?js$/.test(own);
  const [command, before] = inside ? [process.execPath, [own]] : ["npm", []];
  const shell = !inside && process.platform === "win32";
  const { status } = spawnSync(command, [...before, ...words], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell,
  });
  return status === 0;
}

/** The tests may use the system's package manager (they do for their servers); nothing else may. */
function provideCompiler() {
  const mayInstall = /^scripts\/(test|check)\.ts$/.test(script) && process.getuid?.() === 0;
  if (!mayInstall || hasCompiler() || !existsSync("/usr/bin/apt-get")) return false;
  say("Installing python3, make and g++, in case sqlite3 has to be compiled …");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...words) =>
    spawnSync("apt-get", words, { stdio: ["ignore", 2, 2], env }).status === 0;
  return apt("update") && apt("install", "-y", "--no-install-recommends", "python3", "make", "g++");
}

function hasCompiler() {
  const there = (name) =>
    (process.env.PATH ?? "").split(path.delimiter).some((dir) => existsSync(path.join(dir, name)));
  return there("python3") && there("make") && (there("g++") || there("c++") || there("clang++"));
}

function ownNode() {
  const file = path.join(
    root,
    "node_modules/node/bin",
    process.platform === "win32" ? "node.exe" : "node",
  );
  return existsSync(file) ? file : null;
}

function currentNodeWillDo() {
  return Number(process.versions.node.split(".")[0]) >= 24;
}

function nodeForTypeScript() {
  const node = ownNode() ?? (currentNodeWillDo() ? process.execPath : null);
  if (node !== null) return node;
  say("There is no Node 24 in node_modules, and this is an older one. Nothing was started.");
  say("Type `npm ci`, look for what it says of the package `node`, and try again.");
  process.exit(1);
}

/** What Node is told wherever Godwit is started: package.json has it, the container and the services too. */
function nodeFlags() {
  try {
    return (
      JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).config?.nodeFlags ?? []
    );
  } catch {
    return [];
  }
}

function run(node) {
  const words = [...nodeFlags(), path.join(root, script), ...args];
  const child = spawn(node, words, { stdio: "inherit" });
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  let told = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      told = true;
      // A terminal gives Ctrl-C to everybody in front of it: passed on as well, the script would see it twice.
      if (signal === "SIGINT" && onTerminal) return;
      child.kill(signal);
    });
  }
  // An npm that is told to stop tells its shell alone, which dies of it and tells nobody. Who starts this without
  // npm may leave it behind.
  if (process.env.npm_lifecycle_event !== undefined) {
    setInterval(() => {
      if (told || process.ppid === parent) return;
      told = true;
      // Told twice, the script would not finish what it does.
      child.kill("SIGTERM");
    }, 200).unref();
  }
  child.on("error", (error) => {
    say(`${node} could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
