import { createHash, randomBytes } from "node:crypto";
import type { Clock, Instant } from "../../engine/domain/clock.ts";

/** Who may look at the queue's board. What it gives out is forgotten when the process ends. */
export interface Door {
  /** A token that lets this person in, once. */
  invite(person: string): string;
  /** Whether the token still lets somebody in. Looking does not use it up. */
  invites(token: string): boolean;
  /** A session for whoever brings the token first; null for anybody else. */
  enter(token: string): string | null;
  /** Whether the session goes on. Asks each time anew whether its person may. */
  admits(session: string): boolean;
}

/** How long a link and a session are good, in ms. */
export const good = { link: 5 * 60_000, session: 60 * 60_000 } as const;

interface Given {
  person: string;
  until: Instant;
}

export function openDoor(mayEnter: (person: string) => boolean, clock: Clock): Door {
  const links = kept(good.link, mayEnter, clock);
  const sessions = kept(good.session, mayEnter, clock);
  return {
    invite: links.give,
    invites: (token) => links.whose(token) !== null,
    enter(token) {
      const person = links.whose(token);
      if (person === null) return null;
      links.take(token);
      return sessions.give(person);
    },
    admits: (session) => sessions.whose(session) !== null,
  };
}

/** Secrets that are good for a while. Kept by their hash, so that looking one up does not tell how near it was. */
function kept(ms: number, mayEnter: (person: string) => boolean, clock: Clock) {
  const all = new Map<string, Given>();
  const isOver = ({ until }: Given) => clock.now() >= until;
  return {
    give(person: string): string {
      for (const [key, given] of all) if (isOver(given)) all.delete(key);
      const secret = randomBytes(32).toString("base64url");
      all.set(hashed(secret), { person, until: clock.now() + ms });
      return secret;
    },
    take: (secret: string) => void all.delete(hashed(secret)),
    whose(secret: string): string | null {
      const given = all.get(hashed(secret));
      return given === undefined || isOver(given) || !mayEnter(given.person) ? null : given.person;
    },
  };
}

function hashed(secret: string): string {
  return createHash("sha256").update(secret).digest("base64");
}
