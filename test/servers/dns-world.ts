import { type DnsOptions, mxDns } from "../../engine/dns/mx.ts";
import type { MxAnswer } from "../../engine/domain/dns.ts";
import { type Authority, type DnsServer, startAuthority, startResolver } from "./dns.ts";
import { mx, record, type Zone } from "./dns-zones.ts";

export const domain = "acme.example";
export const oldMx = mx(domain, "mx.old.example", 10, 3600);
export const newMx = mx(domain, "mx.new.example", 10, 300);

export const acme = (...records: Zone["records"]): Zone => ({
  origin: domain,
  records: [
    record(domain, "NS", "ns1.dns.example"),
    record(domain, "NS", "ns2.dns.example"),
    ...records,
  ],
});
export const others = (...records: Zone["records"]): Zone => ({
  origin: "example",
  records: [
    record("mx.old.example", "A", "192.0.2.10"),
    record("mx.new.example", "AAAA", "2001:db8::10"),
    record("mx.evil.example", "A", "192.0.2.66"),
    ...records,
  ],
});

export interface World extends AsyncDisposable {
  clock: { now(): number; advance(seconds: number): void };
  /** Two servers of the domain's zone; the first knows the other names as well. */
  own: [Authority, Authority];
  resolvers: [DnsServer, DnsServer];
  look(change?: Partial<DnsOptions>, name?: string): ReturnType<ReturnType<typeof mxDns>["look"]>;
}

/** The domain with this MX, its servers at two addresses and one port, and two resolvers. */
export async function openWorld(zone = acme(oldMx), more = others()): Promise<World> {
  await using stack = new AsyncDisposableStack();
  let now = Date.UTC(2026, 10, 21);
  const clock = {
    now: () => now,
    advance(seconds: number) {
      now += seconds * 1000;
    },
  };
  const first = stack.use(await startAuthority([zone, more]));
  const second = stack.use(
    await startAuthority([{ ...zone, records: [...zone.records] }], {
      address: "127.0.0.2",
      port: first.at.port,
    }),
  );
  more.records.push(
    record("ns1.dns.example", "A", "127.0.0.1"),
    record("ns2.dns.example", "A", "127.0.0.2"),
  );
  const one = stack.use(await startResolver([first, second], clock));
  const two = stack.use(await startResolver([first, second], clock));
  const open = stack.move();
  return {
    clock,
    own: [first, second],
    resolvers: [one, two],
    look: (change = {}, name = domain) =>
      mxDns({
        resolvers: [one.at, two.at],
        authoritative: null,
        clock,
        inward: true,
        port: first.at.port,
        withinMs: 100,
        ...change,
      }).look(name),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Changes the MX in a server's zone. */
export function change(server: Authority, ...records: Zone["records"]): void {
  const zone = server.zones[0];
  if (zone === undefined) throw new Error("no zone");
  zone.records = [...zone.records.filter((one) => one.type !== "MX"), ...records];
}

export const told = (answers: MxAnswer[]) =>
  answers.map((one) => {
    if (one.outcome === "silent") return one.reason;
    const hosts =
      one.outcome === "answered" ? one.hosts.map(({ host }) => host).join(" ") : one.outcome;
    return `${hosts} ${one.ttl}`;
  });
