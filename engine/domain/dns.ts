import type { Instant } from "./clock.ts";

/** A host that takes a domain's mail; the lower its preference, the sooner it is tried (RFC 5321, 5.1). */
export interface MxHost {
  /** Lower case, no dot at the end, harmless to show. */
  host: string;
  preference: number;
}

/**
 * What one server says. `answered`: it names hosts; `none`: the domain has no MX, or says that it takes no mail
 * (RFC 7505); `no domain`: there is no such name; `silent`: no answer in time, or none that can be used.
 */
export type MxAnswer = {
  /** Its name or address, for people. */
  server: string;
} & (
  | {
      outcome: "answered";
      /** By rising preference, then by name. */
      hosts: MxHost[];
      /** Seconds: at an authoritative server the record's own, at a resolver what is left of it. */
      ttl: number;
    }
  | {
      outcome: "none" | "no domain";
      /** How long it may be remembered that there is nothing, in seconds (RFC 2308); null where nobody says. */
      ttl: number | null;
    }
  | {
      outcome: "silent";
      /** Why, in few words: `no answer`, `refused`, `not authoritative`. */
      reason: string;
    }
);

/** What the DNS says of a domain's mail at a moment. */
export interface MxSight {
  at: Instant;
  /** The servers of the domain's own zone; empty where they cannot be found. */
  authoritative: MxAnswer[];
  resolvers: MxAnswer[];
  /** Hosts of any answer that have no address, so that mail to them goes nowhere; those nobody could tell of are left out. */
  missing: string[];
  /** Hosts of any answer that are an alias, which an MX must not name (RFC 2181, 10.3). */
  aliases: string[];
}

/** A domain's name in ASCII, lower case, two labels or more, without a dot at its end; null for what is none. */
export function domainName(text: string): string | null {
  let name: string;
  try {
    name = new URL(`http://${text.replace(/\.$/, "")}/`).hostname;
  } catch {
    return null;
  }
  // What reads as an address is none; `URL` has made every spelling of IPv4 end in a number.
  const good = /^[^\s/@:?#]+$/.test(text) && !/(^|\.)\d+$/.test(name);
  return good && name.includes(".") && isHostName(name) ? name : null;
}

/** Whether a name in ASCII and lower case can be one of a host, in one label or more. */
export function isHostName(name: string): boolean {
  const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
  return name.length <= 253 && name.split(".").every((part) => label.test(part));
}

/** Asks the DNS who takes a domain's mail: the servers of its own zone, and several resolvers. */
export interface MxLookup {
  /** `domain` in ASCII. Never throws for what servers do: each that does not answer is `silent`. */
  look(domain: string): Promise<MxSight>;
}
