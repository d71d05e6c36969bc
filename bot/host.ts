import { BlockList, isIP } from "node:net";
import { isHostName } from "../engine/domain/dns.ts";
import { UserError } from "../engine/domain/errors.ts";
import { isInner } from "../engine/domain/network.ts";
import type { Endpoint } from "../engine/domain/provider.ts";

/** Where a mail server is and how it is spoken to. */
export type Place = Pick<Endpoint, "host" | "port" | "security">;

const example =
  "Write it like `imaps://imap.example.net` or `imap://mail.example.net:143`; nothing was done.";

/**
 * Reads `imap://host[:port]` (STARTTLS) or `imaps://host[:port]` (TLS). International names become ASCII,
 * odd spellings of IPv4 addresses their usual one. Throws `UserError`; never repeats the address.
 */
export function readUrl(url: string, insecure: boolean): Place {
  const match = /^(imaps?):\/\/(.*)$/is.exec(url);
  if (match === null) {
    throw new UserError(`The address of a mail server begins with imaps:// or imap://. ${example}`);
  }
  const tls = match[1]?.toLowerCase() === "imaps";
  const { host, port } = readHost((match[2] ?? "").replace(/\/$/, ""));
  if (!insecure)
    return { host, port: port ?? (tls ? 993 : 143), security: tls ? "tls" : "starttls" };
  if (tls) {
    throw new UserError(
      "`imaps://` is TLS from the first byte and `--insecure` is none at all; nothing was done. Type one of them.",
    );
  }
  if (!isLoopback(host)) {
    throw new UserError(
      "`--insecure` sends passwords in the clear and is allowed for loopback addresses alone (127.0.0.1, ::1, localhost); nothing was done. Leave it out; for a certificate of your own type `--ca <file>` or `--fingerprint <AA:BB:…>`.",
    );
  }
  return { host, port: port ?? 143, security: "none" };
}

function readHost(text: string): { host: string; port: number | null } {
  if (text.includes("@")) {
    throw new UserError(
      `The address of a mail server holds no user name: type \`--user\` for it. ${example}`,
    );
  }
  if (/[/?#\\]/.test(text)) {
    throw new UserError(
      `The address of a mail server holds a host and a port, no path. ${example}`,
    );
  }
  const match = /^(\[[0-9a-f:.]+\]|[^\s:%[\]\p{Cc}\p{Cf}]+)(?::(\d{1,5}))?$/iu.exec(text);
  if (match === null) throw new UserError(`That is not a host name. ${example}`);
  const port = match[2] === undefined ? null : Number(match[2]);
  if (port !== null && (port < 1 || port > 65_535)) {
    throw new UserError(`A port is a number from 1 to 65535. ${example}`);
  }
  return { host: plainHost(match[1] ?? ""), port };
}

function plainHost(typed: string): string {
  let host: string;
  try {
    host = new URL(`http://${typed}/`).hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  } catch {
    throw new UserError(`That is not a host name. ${example}`);
  }
  if (isIP(host) === 0 && !isHostName(host)) {
    throw new UserError(`That is not a host name. ${example}`);
  }
  return host;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether it is this machine, said plainly. */
function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host === "localhost" || host.endsWith(".localhost");
  // The spelling ::ffff:127.0.0.1 is nobody's plain way to say it.
  return !host.startsWith("::ffff:") && loopback.check(host, isIP(host) === 6 ? "ipv6" : "ipv4");
}

/** Whether whoever runs Godwit listed the host, as `host` or `host:port`. */
export function isListed({ host, port }: Place, allowed: string[]): boolean {
  const listed = allowed.map((one) => one.toLowerCase());
  return [host, `${host}:${port}`, `[${host}]:${port}`].some((one) => listed.includes(one));
}

/**
 * Refuses addresses inside our own network to people who are not at this machine, unless the operator listed
 * them: they could look around in it otherwise. What a name resolves to is looked at when it is connected to.
 */
export function refuseInner(place: Place, allowed: string[]): void {
  if (isListed(place, allowed)) return;
  const { host } = place;
  const refused =
    isIP(host) === 0
      ? isLoopback(host) ||
        !host.includes(".") ||
        /\.(local|internal|lan|home|localdomain)$/.test(host)
      : isInner(host);
  if (!refused) return;
  throw new UserError(
    "Addresses of this machine and of private networks cannot be used from a chat; nothing was done. Whoever runs Godwit can list the host in GODWIT_ENDPOINTS_ALLOWED, or type the command in its own terminal.",
  );
}
