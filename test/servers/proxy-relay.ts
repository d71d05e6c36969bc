import type { Socket } from "node:net";
import { type Segment, segments } from "./proxy-lines.ts";
import type { ProxyRule } from "./proxy-rules.ts";

/**
 * Passes on what the two say to each other. `told` hears every command line, without its tag, and answers the
 * rule that applies to it; `greeting` is the rule of this connection's greeting.
 */
export function relay(
  client: Socket,
  upstream: Socket,
  greeting: ProxyRule | undefined,
  told: (command: string) => ProxyRule | undefined,
  rewrite: (line: string) => string | null,
): void {
  // Of the command whose line was read last, as long as its literals and its answer run.
  let rule = greeting;
  let sent = 0;
  let answered = 0;
  let sawLiteral = false;
  // A tag whose answer is not to be seen.
  let hidden = "";
  let over = false;
  // After STARTTLS there are no lines to be read here.
  let starting = "";
  let tls = false;

  const cut = () => {
    over = true;
    if (rule?.reset === true) client.resetAndDestroy();
    else client.destroy();
    upstream.destroy();
  };
  const begin = (text: string) => {
    const [, tag = "", command = ""] = /^(\S+) (.*)$/s.exec(text) ?? [];
    // What a login goes on with is no command of its own.
    if (tag === "") return;
    if (/^STARTTLS$/i.test(command)) starting = tag;
    rule = told(command);
    sent = 0;
    answered = 0;
    sawLiteral = false;
    switch (rule?.do) {
      case "cut before":
        return cut();
      case "cut before answer":
      case "silence before answer":
        hidden = tag;
        return;
      case "answer":
        client.write(`${tag} ${rule.with}\r\n`);
        if (rule.bye !== undefined) client.end(`* BYE ${rule.bye}\r\n`);
        return;
      case "bye":
        client.end(`* BYE ${rule.with}\r\n`);
    }
  };
  const fromClient = (segment: Segment) => {
    if (over) return;
    if (segment.type === "line" && !segment.continues) begin(segment.text);
    // What still comes of a command that is kept back (a literal the client did not wait with) is swallowed.
    if (over || rule?.do === "answer" || rule?.do === "bye") return;
    if (segment.type === "line") {
      upstream.write(segment.bytes);
      const last = segment.continues ? "cut after literal" : "cut after";
      if (rule?.do === last) upstream.end(cut);
      return;
    }
    if (rule?.do !== "cut in literal") return void upstream.write(segment.bytes);
    const left = rule.after - sent;
    sent += segment.bytes.length;
    upstream.write(segment.bytes.subarray(0, Math.max(0, left)));
    if (sent >= rule.after) upstream.end(cut);
  };
  const toClient = (bytes: Buffer) => {
    if (rule?.do !== "cut in answer" && rule?.do !== "silence in answer") {
      return void client.write(bytes);
    }
    const left = rule.after - answered;
    answered += bytes.length;
    if (answered < rule.after) return void client.write(bytes);
    over = true;
    client.write(bytes.subarray(0, left), rule.do === "cut in answer" ? cut : undefined);
  };
  const fromServer = (segment: Segment) => {
    if (over) return;
    if (segment.type === "literal") {
      sawLiteral = true;
      return toClient(segment.bytes);
    }
    if (rule === greeting && rule?.do === "cut before") return cut();
    if (rule?.do === "cut after answer literal" && sawLiteral) {
      over = true;
      return void client.write("", cut);
    }
    if (hidden !== "" && segment.text.startsWith(`${hidden} `)) {
      over = true;
      if (rule?.do === "cut before answer") cut();
      return;
    }
    tls = starting !== "" && segment.text.startsWith(`${starting} OK`);
    const line = rewrite(rule?.do === "rewrite" ? rule.line(segment.text) : segment.text);
    if (line !== null) toClient(Buffer.from(`${line}\r\n`, "latin1"));
  };
  const [up, down] = [segments(fromClient), segments(fromServer)];
  client.on("data", (bytes) => (tls ? upstream.write(bytes) : up(bytes)));
  upstream.on("data", (bytes) => (tls ? client.write(bytes) : down(bytes)));
}
