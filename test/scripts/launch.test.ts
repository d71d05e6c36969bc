import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = path.dirname(path.dirname(import.meta.dirname));
let clone: string;

beforeEach(() => {
  clone = mkdtempSync(path.join(tmpdir(), "godwit-clone-"));
  mkdirSync(path.join(clone, "scripts"));
  mkdirSync(path.join(clone, "bin"));
  cpSync(path.join(root, "scripts/launch.mjs"), path.join(clone, "scripts/launch.mjs"));
  put("package-lock.json", { packages: { "": {}, "node_modules/one": { version: "1.0.0" } } });
});

afterEach(() => rmSync(clone, { recursive: true, force: true }));

function put(place: string, content: string | object): void {
  const file = path.join(clone, place);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content), {
    mode: 0o755,
  });
}

/** As npm leaves it when it has ended well. */
function putInstalled(version = "1.0.0"): void {
  put("node_modules/.package-lock.json", { packages: { "node_modules/one": { version } } });
}

/** In the place of npm: notes what it is asked for, and does this. */
function putNpm(does: string): void {
  put("bin/npm", `#!/bin/sh\necho "$1" >> asked\necho "npm speaks"\n${does}\n`);
}

function environment(): NodeJS.ProcessEnv {
  const { npm_execpath: _, ...env } = process.env;
  return { ...env, PATH: `${path.join(clone, "bin")}${path.delimiter}${env.PATH}` };
}

function launch(...words: string[]) {
  const args = [path.join(clone, "scripts/launch.mjs"), "bot/main.ts", ...words];
  return spawnSync(process.execPath, args, { cwd: clone, env: environment(), encoding: "utf8" });
}

const asked = () => readFileSync(path.join(clone, "asked"), "utf8").trim().split("\n");
const installing = `mkdir -p node_modules && echo '{"packages":{"node_modules/one":{"version":"1.0.0"}}}' > node_modules/.package-lock.json`;
const echo =
  "const words: string[] = process.argv.slice(2);\nconsole.log(JSON.stringify(words));\nprocess.exit(3);\n";

describe("the launcher", () => {
  it("gives words and exit code through, and says nothing of its own", () => {
    putInstalled();
    put("bot/main.ts", echo);

    expect(launch("chat", "add a b", "--json")).toMatchObject({
      stdout: '["chat","add a b","--json"]\n',
      stderr: "",
      status: 3,
    });
  });

  it("installs by the lock file after a clone, with not a word on stdout", () => {
    putNpm(installing);
    put("bot/main.ts", echo);

    expect(launch("x")).toMatchObject({ stdout: '["x"]\n', status: 3 });
    expect(asked()).toEqual(["ci"]);
    launch("again");
    expect(asked()).toEqual(["ci"]);
  });

  it("installs again when the lock file asks for another version", () => {
    putInstalled("0.9.0");
    putNpm(installing);
    put("bot/main.ts", echo);

    expect(launch().status).toBe(3);
    expect(asked()).toEqual(["ci"]);
  });

  it("tries a plain install where npm ci fails", () => {
    putNpm(`[ "$1" = ci ] && exit 1\n${installing}`);
    put("bot/main.ts", echo);

    expect(launch().status).toBe(3);
    expect(asked()).toEqual(["ci", "install"]);
  });

  it("starts nothing when nothing could be installed", () => {
    putNpm("exit 1");
    put("bot/main.ts", echo);

    const { status, stdout, stderr } = launch();
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("Nothing was started");
  });

  it("passes a signal on and ends as the script ends", async () => {
    putInstalled();
    put(
      "bot/main.ts",
      'process.on("SIGTERM", () => process.exit(5));\nsetInterval(() => {}, 1000);\nconsole.log("ready");\n',
    );
    const child = spawn(process.execPath, [path.join(clone, "scripts/launch.mjs"), "bot/main.ts"], {
      cwd: clone,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");

    child.kill("SIGTERM");

    expect(await once(child, "exit")).toEqual([5, null]);
  });

  it("hears that the npm it was started by was told to stop, and stops the script once", async () => {
    putInstalled();
    const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
    put("package.json", { type: "module", scripts: { godwit: scripts.godwit } });
    put(
      "bot/main.ts",
      `let told = 0;
       const forgotten = setTimeout(() => process.exit(9), 10_000);
       process.on("SIGTERM", () => {
         told += 1;
         clearTimeout(forgotten);
         setTimeout(() => console.log("told", told), 500);
       });
       console.log("ready", process.argv[2]);`,
    );
    const { npm_lifecycle_event: _, ...env } = environment();
    env.PATH = `${path.dirname(process.execPath)}${path.delimiter}${env.PATH}`;
    const npm = spawn("npm", ["run", "-s", "godwit", "--", "engine"], {
      cwd: clone,
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said = npm.stdout.setEncoding("utf8");
    expect((await once(said, "data"))[0]).toBe("ready engine\n");

    npm.kill("SIGTERM");

    // Its output ends when the last that writes to it has ended.
    expect(await text(said)).toBe("told 1\n");
  });
});
