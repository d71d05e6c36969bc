import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type Segment, segments } from "./proxy-lines.ts";

/** What happens to the n-th command that a rule's pattern meets, counted over all connections. */
export type ProxyRule = {
  /** Meets the command without its tag: `/^APPEND /i`. */
  on: RegExp;
  /** The first unless told otherwise; `every` for all of them. */
  nth?: number | "every";
} & (
  | {
      /**
       * `cut before`: the command never reaches the server. `cut after`: its line does and the connection
       * ends. `cut before answer`: the server has carried it out and its answer is lost. `silence before
       * answer`: so, but the connection stays open and says nothing more.
       */
      do: "cut before" | "cut after" | "cut before answer" | "silence before answer";
    }
  | { do: "cut in literal"; after: number }
  /** Answered by the proxy: `NO [OVERQUOTA] full`. With `bye` the connection ends after it. */
  | { do: "answer"; with: string; bye?: string }
);

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

  const applying = (command: string) =>
    rules.find((rule) => {
      if (!rule.on.test(command)) return false;
      const count = (met.get(rule) ?? 0) + 1;
      met.set(rule, count);
      return rule.nth === "every" || count === (rule.nth ?? 1);
    });
  const server = createServer({ noDelay: true }, (client) => {
    connections += 1;
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
    relay(client, upstream, commands, applying, options.rewrite ?? ((line) => line));
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
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function relay(
  client: Socket,
  upstream: Socket,
  commands: string[],
  applying: (command: string) => ProxyRule | undefined,
  rewrite: (line: string) => string | null,
): void {
  const cut = () => {
    client.destroy();
    upstream.destroy();
  };
  // The command whose line was read last, as long as its literals run.
  let rule: ProxyRule | undefined;
  let sent = 0;
  // A tag whose answer is not to be seen.
  let hidden = "";
  let silenced = false;
  // After STARTTLS there are no lines to be read here.
  let starting = "";
  let tls = false;

  const fromClient = (segment: Segment) => {
    if (segment.type === "line" && !segment.continues) {
      const [, tag = "", command = ""] = /^(\S+) (.*)$/s.exec(segment.text) ?? [];
      if (tag !== "") commands.push(command.replace(/ ~?\{\d+\+?\}$/, ""));
      if (/^STARTTLS$/i.test(command)) starting = tag;
      rule = tag === "" ? undefined : applying(command);
      sent = 0;
      if (rule?.do === "cut before") return cut();
      if (rule?.do === "cut before answer" || rule?.do === "silence before answer") hidden = tag;
      if (rule?.do === "answer") {
        client.write(`${tag} ${rule.with}\r\n`);
        if (rule.bye !== undefined) client.end(`* BYE ${rule.bye}\r\n`);
      }
    }
    if (rule?.do === "answer") {
      // What still comes of an answered command (a literal the client did not hold back) is swallowed.
      return;
    }
    if (segment.type === "line") {
      upstream.write(segment.bytes);
      if (rule?.do === "cut after" && !segment.continues) upstream.end(cut);
      return;
    }
    if (rule?.do !== "cut in literal") return void upstream.write(segment.bytes);
    const left = rule.after - sent;
    sent += segment.bytes.length;
    upstream.write(segment.bytes.subarray(0, Math.max(0, left)));
    if (sent >= rule.after) upstream.end(cut);
  };
  const fromServer = (segment: Segment) => {
    if (silenced) return;
    if (segment.type === "literal") return void client.write(segment.bytes);
    if (hidden !== "" && segment.text.startsWith(`${hidden} `)) {
      silenced = true;
      if (rule?.do === "cut before answer") cut();
      return;
    }
    tls = starting !== "" && segment.text.startsWith(`${starting} OK`);
    const line = rewrite(segment.text);
    if (line !== null) client.write(Buffer.from(`${line}\r\n`, "latin1"));
  };
  const [up, down] = [segments(fromClient), segments(fromServer)];
  client.on("data", (bytes) => (tls ? upstream.write(bytes) : up(bytes)));
  upstream.on("data", (bytes) => (tls ? client.write(bytes) : down(bytes)));
}
