import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

interface Server {
  name: string;
  packages: string[];
  installed: () => boolean;
}

const servers: Server[] = [
  {
    name: "Dovecot",
    packages: ["dovecot-core", "dovecot-imapd"],
    installed: () => onPath("dovecot") && onPath("doveadm") && existsSync("/usr/lib/dovecot/imap"),
  },
  {
    name: "PostgreSQL",
    packages: ["postgresql"],
    installed: () =>
      [...postgresFolders(), ...folders()].some((folder) =>
        ["initdb", "postgres"].every((program) => existsSync(path.join(folder, program))),
      ),
  },
  { name: "Redis", packages: ["redis-server"], installed: () => onPath("redis-server") },
  { name: "OpenSSL", packages: ["openssl"], installed: () => onPath("openssl") },
  {
    name: "Chromium",
    packages: ["chromium", "fonts-dejavu-core"],
    installed: () => onPath("chromium") || onPath("google-chrome"),
  },
];

/**
 * Sees that Dovecot, PostgreSQL, Redis, OpenSSL and a browser are on this machine. Where one is missing it is
 * installed with apt-get, without starting anything, if we are root or may become it without a password;
 * otherwise says what to install and answers false.
 */
export function provideServers(): boolean {
  const missing = servers.filter((server) => !server.installed());
  if (missing.length === 0) return true;
  const names = missing.map((server) => server.name).join(", ");
  const packages = missing.flatMap((server) => server.packages);
  const become = existsSync("/usr/bin/apt-get") ? waysToRoot() : null;
  if (become === null) {
    say(`The tests need ${names}, and may not install anything here. Type:`);
    say(`  sudo apt-get install ${packages.join(" ")}`);
    say("or what your system calls them, and `npm test` again. No test was run.");
    return false;
  }
  say(`Installing ${names} for the tests …`);
  const [command = "sh", ...before] = [...become, "sh", "-c", install, "install", ...packages];
  const { status } = spawnSync(command, before, { stdio: ["ignore", 2, 2] });
  const left = servers.filter((server) => !server.installed());
  if (status === 0 && left.length === 0) return true;
  say(
    `${(left.length > 0 ? left : missing).map((one) => one.name).join(", ")} could not be installed.`,
  );
  say(`Type \`sudo apt-get install ${packages.join(" ")}\` and see what it says. No test was run.`);
  return false;
}

// The packages would start a mail server and a database for the whole machine; policy-rc.d forbids it while
// they are installed (Debian Policy 9.3.3.1). The tests start their own, in temporary folders.
const install = `
set -e
export DEBIAN_FRONTEND=noninteractive
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
fi
apt-get update
apt-get install -y --no-install-recommends "$@"
`;

function waysToRoot(): string[] | null {
  if (process.getuid?.() === 0) return [];
  const sudo = spawnSync("sudo", ["-n", "true"], { stdio: "ignore" });
  return sudo.status === 0 ? ["sudo", "-n"] : null;
}

function onPath(program: string): boolean {
  return folders().some((folder) => existsSync(path.join(folder, program)));
}

function folders(): string[] {
  // A person's PATH often leaves out where servers live.
  return [...(process.env.PATH ?? "").split(path.delimiter), "/usr/sbin", "/usr/local/sbin"];
}

function postgresFolders(): string[] {
  const versions = "/usr/lib/postgresql";
  if (!existsSync(versions)) return [];
  return readdirSync(versions).map((version) => path.join(versions, version, "bin"));
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
