import type { MxHost } from "../domain/dns.ts";
import { harmless } from "../domain/errors.ts";
import { type DnsRecord, isName, type Reply } from "./wire.ts";

/** What an answer says of a domain's mail. `alias`: the domain is another name for one this server does not know. */
export type Said =
  | { outcome: "answered"; hosts: MxHost[]; ttl: number }
  | { outcome: "none" | "no domain"; ttl: number | null }
  | { outcome: "silent"; reason: string }
  | { outcome: "alias"; to: string; ttl: number };

/** How many hosts of one answer are looked at. */
const mostHosts = 32;

/** Reads an answer to an MX question, from a server of the zone itself or from a resolver. */
export function readMx(reply: Reply, domain: string, from: "authority" | "resolver"): Said {
  if (from === "authority" && !reply.authoritative) return silent("not authoritative");
  const end = follow(reply.answers, domain);
  if (end === null) return silent("its aliases go round in a circle");
  if (!isName(end.name)) return silent("an alias for what is no name");
  const records = of(reply.answers, "MX").filter((one) => one.name === end.name);
  if (records.length > 0) {
    const ttl = Math.min(end.ttl, ...records.map((one) => one.ttl));
    const hosts = hostsOf(records);
    return hosts.length === 0 ? { outcome: "none", ttl } : { outcome: "answered", hosts, ttl };
  }
  const nothing = nothingFor(reply.authorities, end.ttl);
  const aliased = end.name !== domain;
  if (!reply.exists) return { outcome: aliased ? "none" : "no domain", ttl: nothing };
  if (from === "authority" && aliased && nothing === null) {
    return { outcome: "alias", to: end.name, ttl: end.ttl };
  }
  if (from === "resolver" && !reply.recursive && reply.answers.length === 0) {
    return silent("not a resolver");
  }
  return { outcome: "none", ttl: nothing };
}

/** Where a name's aliases lead, and how long that may be remembered; null where they go round in a circle. */
export function follow(answers: DnsRecord[], name: string): { name: string; ttl: number } | null {
  const aliases = new Map(of(answers, "CNAME").map((one) => [one.name, one]));
  const met = new Set<string>();
  let end = { name, ttl: Number.POSITIVE_INFINITY };
  for (let next = aliases.get(name); next !== undefined; next = aliases.get(end.name)) {
    if (met.has(end.name)) return null;
    met.add(end.name);
    end = { name: next.host, ttl: Math.min(end.ttl, next.ttl) };
  }
  return end;
}

/** The records of one type. */
export function of<T extends DnsRecord["type"]>(records: DnsRecord[], type: T) {
  return records.filter((one): one is DnsRecord & { type: T } => one.type === type);
}

/** By rising preference, then by name, each once. */
function hostsOf(records: (DnsRecord & { type: "MX" })[]): MxHost[] {
  const best = new Map<string, number>();
  for (const { host, preference } of records) {
    const name = harmless(host, 253);
    if (name !== "") best.set(name, Math.min(preference, best.get(name) ?? preference));
  }
  return [...best]
    .map(([host, preference]) => ({ host, preference }))
    .sort((a, b) => a.preference - b.preference || (a.host < b.host ? -1 : 1))
    .slice(0, mostHosts);
}

/** How long it may be remembered that there is nothing (RFC 2308, 5). */
function nothingFor(authorities: DnsRecord[], atMost: number): number | null {
  const [soa] = of(authorities, "SOA");
  return soa === undefined ? null : Math.min(soa.ttl, soa.minimum, atMost);
}

function silent(reason: string): Said {
  return { outcome: "silent", reason };
}
