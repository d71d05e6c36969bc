import { getServers } from "node:dns";
import { type NameServer, nameServerText, readNameServer } from "../domain/name-server.ts";

const everybodys = ["1.1.1.1", "8.8.8.8", "9.9.9.9"];

/** The resolvers that are asked where none are configured: this machine's own, and three that everybody may use. */
export function resolvers(own: string[] = getServers()): NameServer[] {
  const found = new Map<string, NameServer>();
  for (const text of [...own, ...everybodys]) {
    const server = readNameServer(text);
    if (server !== null) found.set(nameServerText(server), server);
  }
  return [...found.values()];
}
