import { UserError } from "../engine/domain/errors.ts";
import type { EndpointChange } from "../engine/domain/project.ts";
import type { Endpoint } from "../engine/domain/provider.ts";
import type { Place } from "./host.ts";
import { ledElsewhere } from "./wording/endpoint.ts";

/** What somebody wants of an endpoint; what is left out stays. */
export interface Wanted {
  place?: Place;
  masterUser?: string;
  masterFormat?: string;
  ca?: string | null;
  fingerprint?: string | null;
}

/** Where it was typed: at this machine, and whether whoever runs Godwit listed the host. */
export interface Typed {
  here: boolean;
  listed: boolean;
}

/**
 * What becomes of an endpoint. Pure: it knows of the mailboxes with passwords of their own how many they are. Throws
 * `UserError` where it cannot be had.
 */
export function changeOf(
  { place, ...rest }: Wanted,
  typed: Typed,
  now: Endpoint,
  ownPasswords: number,
): EndpointChange {
  refuseMaster(rest, now);
  const next: Endpoint = { ...now, ...place, ...rest };
  refuseCertificates(rest, next);
  const change = { ...place, ...rest, ...(place && { inward: inwardOf(next, typed, now) }) };
  // Somebody who does not know the passwords could have them sent to a server of their own.
  if (typed.here || !isLedElsewhere(now, next)) return change;
  if (ownPasswords > 0) throw new UserError(ledElsewhere(now.name, ownPasswords));
  return { ...change, masterPassword: null };
}

function refuseMaster({ masterUser, masterFormat }: Omit<Wanted, "place">, now: Endpoint): void {
  if (now.login === "master" || (masterUser === undefined && masterFormat === undefined)) return;
  throw new UserError(
    `${now.name} logs in with each mailbox's own password and has no master; nothing was changed. A master needs an endpoint and a project of its own, which carries everything anew: type \`endpoint new <name> <url> --user <master>\`.`,
  );
}

function refuseCertificates({ ca, fingerprint }: Omit<Wanted, "place">, next: Endpoint): void {
  if (next.security === "none" && (next.ca !== null || next.fingerprint !== null)) {
    throw new UserError(
      `Without TLS no certificate is looked at, and ${next.name} would have one to look for; nothing was changed. Type \`--insecure --ca none --fingerprint none\`, or an address with TLS.`,
    );
  }
  // A pinned certificate stands in the authority's place.
  if (typeof ca === "string" && fingerprint === undefined && next.fingerprint !== null) {
    throw new UserError(
      `${next.name} trusts one certificate alone, whoever signed it; nothing was changed. Type \`--fingerprint none\` beside \`--ca\`.`,
    );
  }
}

function inwardOf(next: Endpoint, { here, listed }: Typed, now: Endpoint): boolean {
  return here || listed || (now.inward && isSame(now, next, ["host", "port", "security"]));
}

function isLedElsewhere(now: Endpoint, next: Endpoint): boolean {
  return !isSame(now, next, ["host", "port", "security", "ca", "fingerprint"]);
}

function isSame(now: Endpoint, next: Endpoint, keys: (keyof Endpoint)[]): boolean {
  return keys.every((key) => now[key] === next[key]);
}
