import type { Clock } from "../domain/clock.ts";
import type { MxAnswer, MxLookup } from "../domain/dns.ts";
import { harmless } from "../domain/errors.ts";
import { dnsPort, type NameServer, nameServerText } from "../domain/name-server.ts";
import { makeAsk } from "./ask.ts";
import { checkHosts } from "./hosts.ts";
import { askOwn } from "./own.ts";
import { makePanel, type Panel } from "./panel.ts";
import { readMx } from "./reading.ts";
import { isName } from "./wire.ts";
import { configured, findZoneServers } from "./zone.ts";

export interface DnsOptions {
  resolvers: NameServer[];
  /** Asked instead of the servers the zone names; null to find those. */
  authoritative: NameServer[] | null;
  clock: Pick<Clock, "now">;
  /** Whether a zone may name servers on this machine and on private networks. Default no. */
  inward?: boolean;
  /** Where the servers a zone names answer. Default 53. */
  port?: number;
  /** How long one try waits for its answer. Default 3 s. */
  withinMs?: number;
  /** How many questions are under way at a time. Default 16. */
  atOnce?: number;
}

/** How many hosts of all answers together are asked for their addresses. */
const mostHosts = 32;

/** Asks the DNS by itself, past the resolver of this machine: whose answer it is matters here. */
export function mxDns(options: DnsOptions): MxLookup {
  const ask = makeAsk({ withinMs: options.withinMs ?? 3000, atOnce: options.atOnce ?? 16 });
  const rules = { inward: options.inward ?? false, port: options.port ?? dnsPort };

  const ownServers = async (domain: string, panel: Panel) =>
    options.authoritative?.map(configured) ?? (await findZoneServers(domain, panel, rules));

  return {
    async look(domain) {
      const name = domain.toLowerCase().replace(/\.$/, "");
      if (!isName(name)) throw new Error(`${harmless(domain, 80)} is no name in the DNS`);
      const at = options.clock.now();
      const panel = makePanel(ask, options.resolvers);
      const [resolvers, authoritative] = await Promise.all([
        Promise.all(options.resolvers.map((server) => askResolver(server, name, panel))),
        askOwn(name, (target) => ownServers(target, panel), ask),
      ]);
      const hosts = [...authoritative, ...resolvers]
        .flatMap((one) => (one.outcome === "answered" ? one.hosts : []))
        .map((one) => one.host);
      const checked = await checkHosts([...new Set(hosts)].slice(0, mostHosts), panel);
      return { at, authoritative, resolvers, ...checked };
    },
  };
}

async function askResolver(server: NameServer, domain: string, panel: Panel): Promise<MxAnswer> {
  const heard = await panel.ask(server, domain, "MX");
  const said = "fault" in heard ? silent(heard.fault) : readMx(heard, domain, "resolver");
  // Resolvers follow aliases by themselves.
  return {
    server: nameServerText(server),
    ...(said.outcome === "alias" ? silent("an alias") : said),
  };
}

function silent(reason: string): { outcome: "silent"; reason: string } {
  return { outcome: "silent", reason };
}
