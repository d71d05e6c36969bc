import { randomBytes, randomInt } from "node:crypto";
import { isIP } from "node:net";
import { type Answer, type DecodedPacket, decode, encode, RECURSION_DESIRED } from "dns-packet";

export type Type = "A" | "AAAA" | "MX" | "NS";

export interface Question {
  /** Lower case, no dot at the end. */
  name: string;
  type: Type;
  /** Resolvers are asked to find it out; the domain's own servers what they know. */
  recurse: boolean;
}

/** A question as it is sent: the letters of its name in random case, which an answer has to repeat. */
export interface Sent {
  id: number;
  name: string;
  type: Type;
  bytes: Buffer;
}

/** A record that means something to us; names are lower case without a dot at the end. */
export type DnsRecord = { name: string; ttl: number } & (
  | { type: "A" | "AAAA"; address: string }
  | { type: "NS" | "CNAME"; host: string }
  /** `host` is empty where the domain takes no mail (RFC 7505). */
  | { type: "MX"; host: string; preference: number }
  | { type: "SOA"; minimum: number }
);

/** An answer that can be used: there are records, there are none of this type, or there is no such name. */
export interface Reply {
  exists: boolean;
  authoritative: boolean;
  /** Whether the server finds things out for others. */
  recursive: boolean;
  answers: DnsRecord[];
  authorities: DnsRecord[];
}

export interface Fault {
  /** In few words, for people. */
  fault: string;
  /** It makes no difference to ask again. */
  final?: boolean;
}

/**
 * What a message is to a question: `stray` is not its answer, and the answer may still come; `cut` is, and has to be
 * asked for by TCP.
 */
export type Reading =
  | { as: "reply"; reply: Reply }
  | { as: "stray" }
  | { as: "cut" }
  | ({ as: "fault" } & Fault);

/** More than any answer we ask for needs; what is read stays cheap however its names point at each other. */
export const mostBytes = 16_384;

/** So that no answer is cut into fragments on its way (DNS Flag Day 2020). */
const udpBytes = 1232;

/** Whether the DNS can be asked for this name, in ASCII. */
export function isName(name: string): boolean {
  return name.length <= 253 && name.split(".").every((label) => /^[a-z0-9_-]{1,63}$/i.test(label));
}

/** `extended`: by EDNS (RFC 6891). */
export function writeQuestion({ name, type, recurse }: Question, extended: boolean): Sent {
  const id = randomInt(0x1_0000);
  const mixed = mixCase(name);
  const packet = {
    type: "query" as const,
    id,
    flags: recurse ? RECURSION_DESIRED : 0,
    questions: [{ name: mixed, type }],
    additionals: extended ? [options()] : [],
  };
  return { id, name: mixed, type, bytes: encode(packet) };
}

/** Reads what a server sent. Never throws. */
export function readMessage(bytes: Buffer, sent: Sent, by: "udp" | "tcp"): Reading {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== sent.id) return { as: "stray" };
  if (bytes.length > mostBytes) return { as: "fault", fault: "too long an answer" };
  // Some servers cut in the middle of a record: such a message cannot be read.
  if (by === "udp" && isCut(bytes)) return { as: "cut" };
  try {
    return readAnswer(decode(bytes), sent, by);
  } catch {
    return { as: "fault", fault: "an answer that cannot be read" };
  }
}

type Decoded = DecodedPacket & { rcode?: string };

function readAnswer(packet: Decoded, sent: Sent, by: "udp" | "tcp"): Reading {
  const [question, more] = packet.questions ?? [];
  const same = question?.name.toLowerCase() === sent.name.toLowerCase();
  if (!packet.flag_qr || more !== undefined || !same || question?.type !== sent.type) {
    return { as: "stray" };
  }
  // A server that does not keep the case is asked by TCP, where nobody else can answer for it.
  if (by === "udp" && question.name !== sent.name) return { as: "cut" };
  if (packet.flag_tc) return { as: "fault", fault: "an answer that was cut short" };
  return readPacket(packet);
}

function readPacket(packet: Decoded): Reading {
  const extended = packet.additionals?.some((one) => one.type === "OPT" && one.extendedRcode !== 0);
  const code = extended ? "" : packet.rcode;
  if (code === "REFUSED") return { as: "fault", fault: "refused", final: true };
  if (code !== "NOERROR" && code !== "NXDOMAIN") return { as: "fault", fault: "server failure" };
  return {
    as: "reply",
    reply: {
      exists: code === "NOERROR",
      authoritative: packet.flag_aa,
      recursive: packet.flag_ra,
      answers: (packet.answers ?? []).flatMap(readRecord),
      authorities: (packet.authorities ?? []).flatMap(readRecord),
    },
  };
}

function readRecord(answer: Answer): DnsRecord[] {
  if (answer.type === "OPT" || answer.class !== "IN") return [];
  const name = plain(answer.name);
  // RFC 2181, 8: what has the first bit set is 0.
  const ttl = (answer.ttl ?? 0) > 0x7fff_ffff ? 0 : (answer.ttl ?? 0);
  switch (answer.type) {
    case "A":
    case "AAAA":
      return isIP(answer.data) === 0
        ? []
        : [{ name, ttl, type: answer.type, address: answer.data }];
    case "NS":
    case "CNAME":
      return [{ name, ttl, type: answer.type, host: plain(answer.data) }];
    case "MX": {
      const { exchange, preference = 0 } = answer.data;
      return [{ name, ttl, type: "MX", host: plain(exchange), preference }];
    }
    case "SOA":
      return [{ name, ttl, type: "SOA", minimum: answer.data.minimum ?? 0 }];
    default:
      return [];
  }
}

function plain(name: string): string {
  return name.replace(/\.$/, "").toLowerCase();
}

function isCut(bytes: Buffer): boolean {
  return ((bytes[2] ?? 0) & 0x82) === 0x82;
}

function mixCase(name: string): string {
  const coins = randomBytes(name.length);
  return [...name]
    .map((letter, at) => ((coins[at] ?? 0) & 1 ? letter.toUpperCase() : letter))
    .join("");
}

function options(): Answer {
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: udpBytes,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}
