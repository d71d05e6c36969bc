import { BlockList, isIP } from "node:net";

const inner = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const) {
  inner.addSubnet(net, bits, "ipv4");
}
for (const [net, bits] of [
  ["::", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 9],
  ["ff00::", 8],
] as const) {
  inner.addSubnet(net, bits, "ipv6");
}

/**
 * Whether an IP address belongs to this machine, a private or special network, or hides an IPv4 address in an
 * IPv6 one (RFC 6890 and its registries). What is no IP address is inside as well: nobody knows.
 */
export function isInner(address: string): boolean {
  const family = isIP(address);
  if (family === 0 || address.startsWith("::ffff:")) return true;
  return inner.check(address, family === 6 ? "ipv6" : "ipv4");
}
