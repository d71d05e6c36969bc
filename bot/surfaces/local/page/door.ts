import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { cookieOf, foreign, type Knock } from "../../../knock.ts";

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
  const ours = new Map(hosts.map((host) => [host, [`http://${host}`]]));
  let used = false;
  return {
    token,

    open(given) {
      if (used || !same(given, token)) return null;
      used = true;
      return `${name}=${session}; Path=/; HttpOnly; SameSite=Strict`;
    },

    refusal(knock) {
      const refused = foreign(knock, ours);
      if (refused !== null) return refused;
      const held = cookieOf(knock, name);
      return held !== null && same(held, session) ? null : "cookie";
    },
  };
}

/** Compares without telling by the time it takes how much was right. */
function same(one: string, other: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}
