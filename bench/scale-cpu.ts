import { readdirSync, readFileSync } from "node:fs";

/** CPU time since a moment, in ms: what else runs on the machine is not in it. */
export interface Spent {
  /** This process: bot, engines and the mail systems of this process. */
  own: number;
  /** PostgreSQL's processes; 0 for SQLite, which works in this process. */
  database: number;
}

/** Answers the CPU time spent since; on Linux alone it knows PostgreSQL's. */
export function cpuSpent(): () => Spent {
  const before = spent();
  return () => {
    const now = spent();
    return { own: now.own - before.own, database: now.database - before.database };
  };
}

function spent(): Spent {
  const { user, system } = process.cpuUsage();
  const all = process.platform === "linux" ? processes() : [];
  const server = all.find(({ parent, name }) => parent === process.pid && name === "postgres");
  const own = all.filter(({ parent }) => server !== undefined && parent === server.pid);
  const database = own.reduce((sum, one) => sum + one.ms, server?.whole ?? 0);
  return { own: (user + system) / 1000, database };
}

/** Of /proc, whose clock has 100 ticks a second; `whole` is with the children that have ended. */
function processes() {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const line = readFileSync(`/proc/${pid}/stat`, "latin1");
      const [, name = "", rest = ""] = /\((.*)\) (.*)$/s.exec(line) ?? [];
      const words = rest.split(" ").map(Number);
      const [user = 0, system = 0, ended = 0, endedSystem = 0] = words.slice(11, 15);
      const ms = (user + system) * 10;
      const whole = ms + (ended + endedSystem) * 10;
      return [{ pid: Number(pid), parent: words[1], name, ms, whole }];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
