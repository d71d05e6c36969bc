import type { IncomingMessage } from "node:http";

/** What of a request decides whether it is let in. */
export interface Knock {
  method: string;
  host: string | undefined;
  origin: string | undefined;
  cookie: string | undefined;
  /** `Sec-Fetch-Site`, where the browser says it. */
  site: string | undefined;
}

export function knockOf({ method = "", headers }: IncomingMessage): Knock {
  const site = headers["sec-fetch-site"];
  const { host, origin, cookie } = headers;
  return { method, host, origin, cookie, site: typeof site === "string" ? site : undefined };
}

/**
 * Why a request is refused, whoever sends it: it is for a name that somebody else points here (DNS rebinding), or
 * another page asked for it. Null where it may go on. `ours` has the origins of our own pages by the host they are
 * asked from.
 */
export function foreign(
  { method, host, origin, site }: Knock,
  ours: ReadonlyMap<string, readonly string[]>,
): "address" | "origin" | null {
  const own = host === undefined ? undefined : ours.get(host);
  if (own === undefined) return "address";
  if (origin !== undefined && !own.includes(origin)) return "origin";
  // A browser names the origin of whatever changes something.
  if (method !== "GET" && origin === undefined) return "origin";
  return site === "cross-site" || site === "same-site" ? "origin" : null;
}

/** What the browser holds under this name; null where that is nothing. */
export function cookieOf({ cookie }: Pick<Knock, "cookie">, name: string): string | null {
  const held = (cookie ?? "").split(/;\s*/).find((one) => one.startsWith(`${name}=`));
  return held?.slice(name.length + 1) ?? null;
}
