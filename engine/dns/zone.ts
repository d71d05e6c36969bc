import { harmless } from "../domain/errors.ts";
import { type NameServer, nameServerText } from "../domain/name-server.ts";
import { isInner } from "../domain/network.ts";
import type { Panel } from "./panel.ts";
import { of } from "./reading.ts";
import { isName, type Reply } from "./wire.ts";

/** A server of a zone, and where it can be asked; `reason` says why nowhere. */
export interface ZoneServer {
  name: string;
  places: NameServer[];
  reason: string;
}

export interface ZoneRules {
  /** Whether servers on this machine and on private networks may be asked because a name server record says so. */
  inward: boolean;
  port: number;
}

/** As many as the root has. */
const mostServers = 13;

/** The servers of the zone a name lies in, by what the resolvers say of it and of what is above it. */
export async function findZoneServers(
  name: string,
  panel: Panel,
  rules: ZoneRules,
): Promise<ZoneServer[]> {
  const names = await serverNames(name, panel);
  return await Promise.all(names.map((one) => locate(one, panel, rules)));
}

/** A server somebody configured. */
export function configured(server: NameServer): ZoneServer {
  return { name: nameServerText(server), places: [server], reason: "" };
}

async function serverNames(name: string, panel: Panel): Promise<string[]> {
  const labels = name.split(".");
  for (let above = 0; above < labels.length; above += 1) {
    const zone = labels.slice(above).join(".");
    const replies = await panel.all(zone, "NS");
    // Nobody knows: what is above would be servers of somebody else.
    if (replies.length === 0) return [];
    const named = replies.flatMap(({ answers }) =>
      of(answers, "NS").filter((one) => one.name === zone && one.host !== ""),
    );
    if (named.length > 0) {
      return [...new Set(named.map((one) => one.host))].sort().slice(0, mostServers);
    }
  }
  return [];
}

/** One address of each family is enough. */
async function locate(host: string, panel: Panel, rules: ZoneRules): Promise<ZoneServer> {
  const name = harmless(host, 253);
  const mayAsk = (address: string) => rules.inward || !isInner(address);
  if (!isName(host)) return { name, places: [], reason: "no address" };
  const known = await Promise.all(
    (["A", "AAAA"] as const).map(async (type) => {
      const usable = ({ answers }: Reply) => of(answers, type).some((one) => mayAsk(one.address));
      const replies = await panel.inTurn(host, type, usable);
      return replies.flatMap(({ answers }) => of(answers, type).map((one) => one.address));
    }),
  );
  const places = known.flatMap((addresses) =>
    addresses
      .filter(mayAsk)
      .slice(0, 1)
      .map((address) => ({ address, port: rules.port })),
  );
  const inner = known.flat().length > 0;
  return { name, places, reason: inner ? "an address inside our own network" : "no address" };
}
