import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  type Question,
  RECURSION_AVAILABLE,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import type { NameServer } from "../../engine/domain/name-server.ts";
import { fromZones, makeCache, mx, noSuchName, refused, type Zone } from "./dns-zones.ts";

/**
 * How a server misbehaves. `truncated`: by UDP alone; `cut short`, `endless` and `huge`: by TCP too. `forged`: before
 * the right answer comes one that names mx.evil.example, with another id or from another port where told so.
 */
export type DnsFault =
  | "silent"
  | "server failure"
  | "refused"
  | "no domain"
  | "lame"
  | "truncated"
  | "cut short"
  | "endless"
  | "huge"
  | "garbage"
  | "wrong question"
  | "loop"
  | "no EDNS"
  | "lower case"
  | { forged: { id: "right" | "wrong"; from: "own port" | "other port" } };

export interface DnsServer extends AsyncDisposable {
  at: NameServer;
  /** Null while it behaves. */
  fault: DnsFault | null;
  /** Every question that came, in order: `udp MX acme.example`, with `recursive` where it is to find it out. */
  asked: string[];
}

export interface Authority extends DnsServer {
  zones: Zone[];
}

/** A server of these zones, on a free port of the loopback address or at this address and port. */
export async function startAuthority(
  zones: Zone[],
  at: Partial<NameServer> = {},
): Promise<Authority> {
  const server = await startDns((question) => fromZones(authority.zones, question), at);
  const authority: Authority = Object.assign(server, { zones });
  return authority;
}

/** A resolver that asks these servers, and remembers by this clock what they said. */
export async function startResolver(
  over: Authority[],
  clock: { now(): number },
): Promise<DnsServer> {
  const ask = (question: Question) =>
    fromZones(
      over.flatMap(({ zones }) => zones),
      question,
    );
  return await startDns(makeCache(ask, clock), {});
}

async function startDns(
  answer: (question: Question) => Packet,
  { address = "127.0.0.1", port = 0 }: Partial<NameServer>,
): Promise<DnsServer> {
  const udp = createSocket("udp4");
  const other = createSocket("udp4");
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.once("data", (bytes) => {
      const said = say(bytes.subarray(2), "tcp");
      if (said === null) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(server.fault === "huge" ? 65_535 : said.length);
      const whole = Buffer.concat([length, said]);
      socket.write(server.fault === "endless" ? whole.subarray(0, -1) : whole);
    });
  });
  const say = (bytes: Buffer, by: "udp" | "tcp"): Buffer | null => {
    const query = decode(bytes);
    const question = query.questions?.[0];
    if (question === undefined) return null;
    const recursive = query.flag_rd ? " recursive" : "";
    server.asked.push(`${by} ${question.type} ${question.name.toLowerCase()}${recursive}`);
    return spoil(server.fault, query, answer(question), by);
  };
  other.bind(0, address);
  await once(other, "listening");
  tcp.listen(port, address);
  await once(tcp, "listening");
  const bound = tcp.address();
  const at = { address, port: typeof bound === "object" && bound !== null ? bound.port : 0 };
  const server: DnsServer = {
    at,
    fault: null,
    asked: [],
    async [Symbol.asyncDispose]() {
      udp.close();
      other.close();
      for (const socket of sockets) socket.destroy();
      tcp.close();
      await once(tcp, "close");
    },
  };
  udp.on("message", (bytes, from) => {
    const { fault } = server;
    const said = say(bytes, "udp");
    if (said === null) return;
    const right = () => udp.send(said, from.port, from.address);
    if (fault === null || typeof fault === "string") return right();
    const { id, from: place } = fault.forged;
    const socket = place === "own port" ? udp : other;
    // The right answer follows when the forged one has left.
    socket.send(forge(bytes, id === "right"), from.port, from.address, right);
  });
  udp.bind(at.port, address);
  try {
    await once(udp, "listening");
  } catch (error) {
    await server[Symbol.asyncDispose]();
    // The port was free by TCP and is taken by UDP.
    if (port === 0) return await startDns(answer, { address });
    throw error;
  }
  return server;
}

/** The message as it leaves; null where none does. */
function spoil(
  fault: DnsFault | null,
  query: Packet,
  answer: Packet,
  by: "udp" | "tcp",
): Buffer | null {
  const reply = { ...answer, type: "response" as const, id: query.id, questions: query.questions };
  const empty = { ...reply, answers: [], authorities: [] };
  const cut = encode({ ...empty, flags: (answer.flags ?? 0) | TRUNCATED_RESPONSE });
  const right = encode(reply);
  switch (fault) {
    case null:
      return right;
    case "silent":
      return null;
    case "server failure":
      return encode({ ...empty, flags: 2 });
    case "refused":
      return encode({ ...empty, flags: refused });
    case "no domain":
      return encode({ ...empty, flags: (answer.flags ?? 0) | noSuchName });
    case "lame":
      return encode({ ...reply, flags: (answer.flags ?? 0) & ~AUTHORITATIVE_ANSWER });
    case "cut short":
      return cut;
    case "truncated":
    case "endless":
    case "huge":
      return by === "udp" ? cut : right;
    case "garbage":
      // The header promises records, and what follows is none.
      return Buffer.concat([right.subarray(0, 12), Buffer.alloc(40, 0xbf)]);
    case "wrong question":
      return encode({ ...reply, questions: [{ name: "other.example", type: "MX" }] });
    case "loop":
      return looped(encode(empty));
    case "no EDNS":
      return (query.additionals ?? []).length > 0 ? encode({ ...empty, flags: 1 }) : right;
    case "lower case":
      return encode({
        ...reply,
        questions: query.questions?.map((one) => ({ ...one, name: one.name.toLowerCase() })),
      });
    default:
      return right;
  }
}

/** One answer, whose name is a pointer to itself. */
function looped(message: Buffer): Buffer {
  message.writeUInt16BE(1, 6);
  const pointer = Buffer.alloc(12);
  pointer.writeUInt16BE(0xc000 | message.length, 0);
  pointer.writeUInt16BE(15, 2);
  return Buffer.concat([message, pointer]);
}

function forge(bytes: Buffer, sameId: boolean): Buffer {
  const query = decode(bytes);
  const name = query.questions?.[0]?.name ?? "";
  return encode({
    type: "response",
    id: sameId ? query.id : ((query.id ?? 0) + 1) % 0x1_0000,
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE,
    questions: query.questions,
    answers: [mx(name, "mx.evil.example")],
  });
}
