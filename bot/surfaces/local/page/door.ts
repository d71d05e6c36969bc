import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** What of a request decides whether it is let in. */
export interface Knock {
  method: string;
  host: string | undefined;
  origin: string | undefined;
  cookie: string | undefined;
  /** `Sec-Fetch-Site`, where the browser says it. */
  site: string | undefined;
}

/** Who may come in: the browser that was first with the token. */
export interface Door {
  /** To be put into the address that is printed. */
  readonly token: string;
  /** The cookie for whoever brings the token, once; null for anybody else and afterwards. */
  open(token: string): string | null;
  /** Null where the request may go on; else why not. */
  refusal(knock: Knock): "address" | "origin" | "cookie" | null;
}

/**
 * The door of a page on this port of the loopback address. A name somebody else points here (DNS rebinding), a
 * page of another origin and a browser without the cookie are refused.
 */
export function openDoor(port: number): Door {
  const token = randomBytes(32).toString("base64url");
  const session = randomBytes(32).toString("base64url");
  // Cookies know no ports: another Godwit on this machine has one of its own.
  const name = `godwit-${port}`;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
  let used = false;
  return {
    token,

    open(given) {
      if (used || !same(given, token)) return null;
      used = true;
      return `${name}=${session}; Path=/; HttpOnly; SameSite=Strict`;
    },

    refusal({ method, host, origin, cookie, site }) {
      if (host === undefined || !hosts.includes(host)) return "address";
      const foreign = origin !== undefined && origin !== `http://${host}`;
      // A browser names the origin of whatever changes something.
      if (foreign || (method !== "GET" && origin === undefined)) return "origin";
      if (site === "cross-site" || site === "same-site") return "origin";
      const held = (cookie ?? "").split(/;\s*/).find((one) => one.startsWith(`${name}=`));
      return held !== undefined && same(held.slice(name.length + 1), session) ? null : "cookie";
    },
  };
}

/** Compares without telling by the time it takes how much was right. */
function same(one: string, other: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}
