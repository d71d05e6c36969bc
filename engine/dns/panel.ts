import type { NameServer } from "../domain/name-server.ts";
import type { Ask } from "./ask.ts";
import { noAnswer } from "./transport.ts";
import type { Fault, Reply, Type } from "./wire.ts";

/** The resolvers during one look: who left a question without an answer is not waited for again. */
export interface Panel {
  ask(server: NameServer, name: string, type: Type): Promise<Reply | Fault>;
  /** What everybody says who can still be asked; faults left out. */
  all(name: string, type: Type): Promise<Reply[]>;
  /** What one after the other says, until `enough`; faults left out. */
  inTurn(name: string, type: Type, enough: (reply: Reply) => boolean): Promise<Reply[]>;
}

export function makePanel(ask: Ask, servers: NameServer[]): Panel {
  const silent = new Set<NameServer>();
  const panel: Panel = {
    async ask(server, name, type) {
      if (silent.has(server)) return { fault: noAnswer };
      const heard = await ask(server, { name, type, recurse: true });
      if ("fault" in heard && heard.fault === noAnswer) silent.add(server);
      return heard;
    },
    async all(name, type) {
      const heard = await Promise.all(servers.map((server) => panel.ask(server, name, type)));
      return heard.filter((one): one is Reply => !("fault" in one));
    },
    async inTurn(name, type, enough) {
      const replies: Reply[] = [];
      for (const server of servers) {
        const heard = await panel.ask(server, name, type);
        if ("fault" in heard) continue;
        replies.push(heard);
        if (enough(heard)) break;
      }
      return replies;
    },
  };
  return panel;
}
