import { isIP } from "node:net";

/** Where a DNS server answers. */
export interface NameServer {
  /** An IP address. */
  address: string;
  port: number;
}

export const dnsPort = 53;

/** Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`; null for anything else. */
export function readNameServer(text: string): NameServer | null {
  if (isAddress(text)) return { address: text, port: dnsPort };
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/i.exec(text);
  const address = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3] ?? dnsPort);
  const bracketed = match?.[1] !== undefined;
  if (isIP(address) !== (bracketed ? 6 : 4) || port < 1 || port > 65_535) return null;
  return { address, port };
}

/** For people: the address, with its port where that is not the usual one. */
export function nameServerText({ address, port }: NameServer): string {
  if (port === dnsPort) return address;
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A scope (`fe80::1%eth0`) means something on one machine alone. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes("%");
}
