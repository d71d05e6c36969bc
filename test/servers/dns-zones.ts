import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type Packet,
  type Question,
  RECURSION_AVAILABLE,
} from "dns-packet";

/** What a server of zones knows: `records` may be changed while it runs. */
export interface Zone {
  origin: string;
  records: Answer[];
  /** How long it may be remembered that there is nothing. */
  nothing?: number;
}

export const noSuchName = 3;
export const refused = 5;

export const mx = (name: string, exchange: string, preference = 10, ttl = 3600): Answer => ({
  name,
  type: "MX",
  ttl,
  data: { preference, exchange },
});
export const record = (
  name: string,
  type: "A" | "AAAA" | "NS" | "CNAME",
  data: string,
  ttl = 3600,
): Answer => ({ name, type, ttl, data });

type Told = Pick<Packet, "answers" | "authorities"> & { flags: number };

/** What a server of these zones answers: with authority, following aliases as far as it knows them. */
export function fromZones(zones: Zone[], { name, type }: Question): Told {
  const answers: Answer[] = [];
  let wanted = name.toLowerCase();
  for (let hops = 0; hops < 16; hops += 1) {
    const zone = zones
      .filter(({ origin }) => wanted === origin || wanted.endsWith(`.${origin}`))
      .sort((a, b) => b.origin.length - a.origin.length)[0];
    if (zone === undefined) {
      return { flags: answers.length > 0 ? AUTHORITATIVE_ANSWER : refused, answers };
    }
    const below = zone.records.filter(
      ({ name: cut, type }) =>
        type === "NS" && cut !== zone.origin && (wanted === cut || wanted.endsWith(`.${cut}`)),
    );
    if (below.length > 0) {
      // Somebody else's: a referral, unless it is an alias that leads there.
      return { flags: answers.length > 0 ? AUTHORITATIVE_ANSWER : 0, answers, authorities: below };
    }
    const here = zone.records.filter((one) => one.name === wanted);
    const alias = here.find((one) => one.type === "CNAME");
    const found = here.filter((one) => one.type === type);
    answers.push(...(alias === undefined ? found : [alias]));
    if (alias !== undefined && "data" in alias) {
      wanted = String(alias.data);
      continue;
    }
    if (found.length > 0) return { flags: AUTHORITATIVE_ANSWER, answers };
    const exists = zone.records.some(
      (one) => one.name === wanted || one.name.endsWith(`.${wanted}`),
    );
    return {
      flags: AUTHORITATIVE_ANSWER | (exists || wanted === zone.origin ? 0 : noSuchName),
      answers,
      authorities: [soa(zone)],
    };
  }
  return { flags: AUTHORITATIVE_ANSWER, answers };
}

/** A memory that says old things until their time is over, as resolvers do. */
export function makeCache(
  ask: (question: Question) => Told,
  clock: { now(): number },
): (question: Question) => Told {
  const kept = new Map<string, { told: Told; at: number; until: number }>();
  return (question) => {
    const key = `${question.type} ${question.name.toLowerCase()}`;
    let known = kept.get(key);
    if (known === undefined || known.until <= clock.now()) {
      const told = ask(question);
      const records = [...(told.answers ?? []), ...(told.authorities ?? [])];
      const ttl = Math.min(...records.map((one) => ("ttl" in one ? (one.ttl ?? 0) : 0)), 86_400);
      known = { told, at: clock.now(), until: clock.now() + ttl * 1000 };
      kept.set(key, known);
    }
    const age = Math.floor((clock.now() - known.at) / 1000);
    const older = (records: Answer[] = []): Answer[] =>
      records.map((one) => ("ttl" in one ? { ...one, ttl: (one.ttl ?? 0) - age } : one));
    return {
      flags: (known.told.flags & ~AUTHORITATIVE_ANSWER) | RECURSION_AVAILABLE,
      answers: older(known.told.answers),
      authorities: older(known.told.authorities),
    };
  };
}

function soa({ origin, nothing = 300 }: Zone): Answer {
  const data = { mname: `ns1.${origin}`, rname: `postmaster.${origin}`, minimum: nothing };
  return { name: origin, type: "SOA", ttl: nothing, data };
}
