import type { MxAnswer } from "../domain/dns.ts";
import type { Ask } from "./ask.ts";
import { readMx, type Said } from "./reading.ts";
import { noAnswer } from "./transport.ts";
import type { ZoneServer } from "./zone.ts";

/** How many names are asked for: the domain, and those its servers say it is an alias of. */
const mostNames = 5;

/** Asks the servers of the domain's zone; where they only know an alias, those of the zone it leads to. */
export async function askOwn(
  domain: string,
  serversOf: (domain: string) => Promise<ZoneServer[]>,
  ask: Ask,
): Promise<MxAnswer[]> {
  const answers = new Map<string, MxAnswer>();
  const names = [{ name: domain, ttl: Number.POSITIVE_INFINITY }];
  // Names are added while it goes on.
  for (const [at, { name, ttl }] of names.entries()) {
    const servers = await serversOf(name);
    const all = await Promise.all(servers.map((server) => askServer(server, name, ask)));
    for (const [which, said] of all.entries()) {
      const server = servers[which]?.name ?? "";
      // A server of two zones has said it already.
      if (answers.has(server)) continue;
      if (said.outcome !== "alias") {
        answers.set(server, noLonger({ server, ...said }, ttl));
        continue;
      }
      const known = names.findIndex((one) => one.name === said.to);
      if (known > at) continue;
      if (known >= 0 || names.length === mostNames) {
        answers.set(server, { server, ...silent("too many aliases") });
      } else names.push({ name: said.to, ttl: Math.min(ttl, said.ttl) });
    }
  }
  return [...answers.values()];
}

async function askServer(server: ZoneServer, domain: string, ask: Ask): Promise<Said> {
  let fault = server.reason;
  for (const place of server.places) {
    const heard = await ask(place, { name: domain, type: "MX", recurse: false });
    if (!("fault" in heard)) return readMx(heard, domain, "authority");
    // A machine without IPv6 hears nothing there: what the first address said counts more.
    if (fault === server.reason || fault === noAnswer) fault = heard.fault;
  }
  return silent(fault);
}

/** Nothing found by an alias may be believed longer than the alias. */
function noLonger(answer: MxAnswer, ttl: number): MxAnswer {
  if (answer.outcome === "silent" || answer.ttl === null) return answer;
  return { ...answer, ttl: Math.min(answer.ttl, ttl) };
}

function silent(reason: string): { outcome: "silent"; reason: string } {
  return { outcome: "silent", reason };
}
