import type { Instant } from "./clock.ts";
import type { MxAnswer, MxHost, MxSight } from "./dns.ts";

/** The hosts that take a domain's mail before and after a change. */
export interface Hosts {
  /** Those that took it when the watch began. */
  old: string[];
  /** Those that are to take it; empty where nobody said: then any others. */
  wanted: string[];
}

/**
 * What one server's answer says: `old` and `new` are clean; `dual` names hosts of both systems, so that mail goes to
 * either; `strange` names hosts that are neither; `none`: it knows of nobody who takes the mail.
 */
export type Side = "old" | "new" | "dual" | "strange" | "none" | "silent";

/**
 * What all of them say together. `new` only where the domain's own servers and the resolvers agree; `split`: some
 * still say something else; `unseen`: too few answer to tell.
 */
export type Phase = "old" | "split" | "new" | "dual" | "strange" | "none" | "unseen";

/** A server that said something else than the new hosts, and how long that may still be believed. */
export interface Stale {
  server: string;
  until: Instant;
}

/** What is known of a domain's MX: made of one sight after another by `advance`. */
export interface MxKnown {
  phase: Phase;
  sight: MxSight;
  /** When its own servers first named the new hosts; null before. */
  changedAt: Instant | null;
  /** Until when a resolver anywhere may go on naming the old hosts, by what the domain's own servers said; null while unknown. */
  oldUntil: Instant | null;
  /** Resolvers that said old, and have not said new since: by their names. */
  stale: Stale[];
}

/** The hosts as the domain's own servers name them, else as the resolvers do. */
export function namedHosts({ authoritative, resolvers }: MxSight): MxHost[] {
  const told = [...authoritative, ...resolvers].find(({ outcome }) => outcome === "answered");
  return told?.outcome === "answered" ? told.hosts : [];
}

/** What one server says of the hosts. Of hosts that stand on both sides, the new one counts. */
export function sideOf(answer: MxAnswer, { old, wanted }: Hosts): Side {
  switch (answer.outcome) {
    case "silent":
      return "silent";
    case "none":
    case "no domain":
      return "none";
    case "answered": {
      const isNew = (host: string) =>
        wanted.length > 0 ? wanted.includes(host) : !old.includes(host);
      const hosts = answer.hosts.map(({ host }) => host);
      if (hosts.every(isNew)) return "new";
      const others = hosts.filter((host) => !isNew(host));
      if (!others.every((host) => old.includes(host))) return "strange";
      return others.length === hosts.length ? "old" : "dual";
    }
  }
}

/** The resolvers that must have answered before the change is believed, where there are as many. */
const several = 2;

/** What is known after one more sight. Pure: the same sights in the same order make the same. */
export function advance(hosts: Hosts, before: MxKnown | null, sight: MxSight): MxKnown {
  const own = sight.authoritative.map((answer) => sideOf(answer, hosts));
  const stale = staleAfter(hosts, before?.stale ?? [], sight);
  const changed = own.includes("new") ? (before?.changedAt ?? sight.at) : null;
  return {
    phase: phaseOf(hosts, sight, stale),
    sight,
    // Servers of a zone do not learn of it at the same moment; all back at the old hosts, it was taken back.
    changedAt: own.every((side) => side === "silent") ? (before?.changedAt ?? null) : changed,
    oldUntil: oldUntil(hosts, sight, before?.oldUntil ?? null),
    stale,
  };
}

function phaseOf(hosts: Hosts, sight: MxSight, stale: Stale[]): Phase {
  const heard = (answers: MxAnswer[]) =>
    answers.map((answer) => sideOf(answer, hosts)).filter((side) => side !== "silent");
  const [own, others] = [heard(sight.authoritative), heard(sight.resolvers)];
  const all = [...own, ...others];
  if (all.length === 0) return "unseen";
  for (const wrong of ["dual", "strange"] as const) {
    // What its own servers say is meant; a resolver alone may be behind.
    if (own.includes(wrong) || all.every((side) => side === wrong)) return wrong;
  }
  if (all.every((side) => side === "none")) return "none";
  if (all.every((side) => side === "old")) return "old";
  const enough = others.length >= Math.min(several, sight.resolvers.length);
  if (own.length > 0 && enough && stale.length === 0 && all.every((side) => side === "new")) {
    // A slip in a host's name looks like a change, and takes no mail.
    return reachesNobody(sight) ? "none" : "new";
  }
  // Too few say so to be believed; nobody says otherwise.
  return stale.length === 0 && all.every((side) => side === "new") ? "unseen" : "split";
}

/** One that is silent now may go on giving what it said, until that has run out. */
function staleAfter(hosts: Hosts, before: Stale[], { at, resolvers }: MxSight): Stale[] {
  return resolvers.flatMap((answer): Stale[] => {
    const { server } = answer;
    if (answer.outcome === "silent") {
      return before.filter((one) => one.server === server && one.until > at);
    }
    if (sideOf(answer, hosts) === "new") return [];
    return [{ server, until: at + (answer.ttl ?? 0) * 1000 }];
  });
}

function reachesNobody(sight: MxSight): boolean {
  const hosts = namedHosts(sight);
  return hosts.length > 0 && hosts.every(({ host }) => sight.missing.includes(host));
}

/** Whoever asked just before a change, or before the time to live was lowered, remembers it the longest. */
function oldUntil(
  hosts: Hosts,
  { at, authoritative }: MxSight,
  before: Instant | null,
): Instant | null {
  const ends = authoritative.flatMap((answer) => {
    const side = sideOf(answer, hosts);
    return answer.outcome === "answered" && side !== "new" ? [at + answer.ttl * 1000] : [];
  });
  return before === null && ends.length === 0 ? null : Math.max(before ?? 0, ...ends);
}

/** All the hosts anybody names that are not among the wanted ones. */
export function hostsBefore({ authoritative, resolvers }: MxSight, wanted: string[]): string[] {
  const named = [...authoritative, ...resolvers].flatMap((answer) =>
    answer.outcome === "answered" ? answer.hosts.map(({ host }) => host) : [],
  );
  return [...new Set(named)].filter((host) => !wanted.includes(host));
}

/** Whether servers name other hosts than each other: a change is under way. */
export function disagree({ authoritative, resolvers }: MxSight): boolean {
  const named = [...authoritative, ...resolvers].flatMap((answer) =>
    answer.outcome === "answered"
      ? [
          answer.hosts
            .map(({ host }) => host)
            .sort()
            .join(" "),
        ]
      : [],
  );
  return new Set(named).size > 1;
}

/** The highest time to live with which a change is seen soon enough, in seconds. */
export const lowTtl = 3600;

/** The time to live the domain's own servers give now, in seconds; null where none of them answers. */
export function ownTtl({ authoritative }: MxSight): number | null {
  const ttls = authoritative.flatMap((answer) =>
    answer.outcome === "answered" ? [answer.ttl] : [],
  );
  return ttls.length === 0 ? null : Math.max(...ttls);
}
