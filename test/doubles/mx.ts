import type { Clock } from "../../engine/domain/clock.ts";
import type { MxLookup, MxSight } from "../../engine/domain/dns.ts";

/** A DNS that says what it was told to. */
export interface ScriptedMx extends MxLookup {
  /** From now on, of every domain or of this one. What is not given: nobody answers, nothing is missing. */
  says(sight: Partial<Omit<MxSight, "at">>, domain?: string): void;
  /** The same with one answer for all: these hosts by rising preference, at the zone's server and at a resolver. */
  names(hosts: string[], ttl?: number, domain?: string): void;
  /** The domains that were asked for, in order. */
  asked: string[];
}

const nothing = { authoritative: [], resolvers: [], missing: [], aliases: [] };

export function scriptedMx(clock: Pick<Clock, "now">): ScriptedMx {
  const every = "";
  const script = new Map<string, Partial<Omit<MxSight, "at">>>();
  const asked: string[] = [];
  const scripted: ScriptedMx = {
    asked,
    says: (sight, domain = every) => void script.set(domain, sight),
    names(hosts, ttl = 3600, domain = every) {
      const answer = {
        outcome: "answered" as const,
        hosts: hosts.map((host, at) => ({ host, preference: (at + 1) * 10 })),
        ttl,
      };
      scripted.says(
        {
          authoritative: [{ server: "ns1.dns.example", ...answer }],
          resolvers: [{ server: "192.0.2.53", ...answer }],
        },
        domain,
      );
    },
    async look(domain) {
      asked.push(domain);
      return { at: clock.now(), ...nothing, ...(script.get(domain) ?? script.get(every)) };
    },
  };
  return scripted;
}
