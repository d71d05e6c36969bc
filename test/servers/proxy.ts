import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { relay } from "./proxy-relay.ts";
import type { ProxyRule } from "./proxy-rules.ts";

export interface ProxyOptions {
  rules?: ProxyRule[];
  /** Changes a line of the server, without its line end; null takes it away. Literals pass untouched. */
  rewrite?: (line: string) => string | null;
}

/** A proxy in front of a plain IMAP server that cuts, answers and remembers. */
export interface ImapProxy extends AsyncDisposable {
  host: string;
  port: number;
  /** Every command line that came, without tags and literals, in order. */
  commands: string[];
  /** How many connections were made. */
  connections(): number;
  /** How often a rule came to be applied. */
  applied(): number;
  /** Rules may be added while it runs. */
  rules: ProxyRule[];
}

/** Starts a proxy on a free port of the loopback address. */
export async function startProxy(
  to: { host: string; port: number },
  options: ProxyOptions = {},
): Promise<ImapProxy> {
  const commands: string[] = [];
  const rules = [...(options.rules ?? [])];
  const met = new Map<ProxyRule, number>();
  const sockets = new Set<Socket>();
  let connections = 0;
  let applied = 0;

  const applying = (what: string) =>
    rules.find((rule) => {
      if (rule.on === "greeting" ? what !== "greeting" : !rule.on.test(what)) return false;
      const count = (met.get(rule) ?? 0) + 1;
      met.set(rule, count);
      const applies = rule.nth === "every" || count === (rule.nth ?? 1);
      if (applies) applied += 1;
      return applies;
    });
  const server = createServer({ noDelay: true }, (client) => {
    connections += 1;
    const greeting = applying("greeting");
    const upstream = connect({ ...to, noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const told = (command: string) => {
      commands.push(command.replace(/ ~?\{\d+\+?\}$/, ""));
      return applying(command);
    };
    relay(client, upstream, greeting, told, options.rewrite ?? ((line) => line));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();

  return {
    host: "127.0.0.1",
    port: typeof address === "object" && address !== null ? address.port : 0,
    commands,
    rules,
    connections: () => connections,
    applied: () => applied,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
