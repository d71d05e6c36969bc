import type { Instant } from "../../engine/domain/clock.ts";
import type { Cutover } from "../../engine/domain/cutover.ts";
import type { MxAnswer, MxSight } from "../../engine/domain/dns.ts";
import { harmless } from "../../engine/domain/errors.ts";
import {
  type Hosts,
  lowTtl,
  namedHosts,
  ownTtl,
  type Phase,
  sideOf,
} from "../../engine/domain/mx.ts";
import { count, duration, moment, names, number } from "./figures.ts";

/** What a domain's MX is like, as it follows “the MX of example.com”. */
export const phaseWords: Record<Phase, string> = {
  old: "names the old hosts",
  split: "is being changed: not every server says the same",
  new: "names the new hosts everywhere",
  dual: "names hosts of both systems: mail goes to either",
  strange: "names hosts nobody expected",
  none: "names nobody that has an address: mail for the domain goes nowhere",
  unseen: "cannot be seen: too few servers answer",
};

/** The hosts as the domain's own servers name them, else as the resolvers do; null where nobody names any. */
export function hostsText(sight: MxSight): string | null {
  const hosts = namedHosts(sight).map(
    ({ host, preference }) => `${harmless(host, 80)} (${preference})`,
  );
  return hosts.length === 0 ? null : names(hosts, 6);
}

/** How long the domain's own servers let the hosts be remembered; null where none of them answers. */
export function ownTtlText(sight: MxSight): string | null {
  const ttl = ownTtl(sight);
  return ttl === null ? null : ttlText(ttl);
}

/** Both in a line; null where nobody names a host. */
export function hostsLine(sight: MxSight): string | null {
  const [hosts, ttl] = [hostsText(sight), ownTtlText(sight)];
  if (hosts === null) return null;
  return `MX: ${hosts}${ttl === null ? "" : `; time to live ${ttl}`}`;
}

function ttlText(seconds: number): string {
  return `${number(seconds)} s${seconds < 60 ? "" : ` (${duration(seconds * 1000)})`}`;
}

/** Who says what, side by side. */
export function serverLines(hosts: Hosts, { authoritative, resolvers }: MxSight): string[] {
  return [
    `the domain's own servers: ${sidesText(hosts, authoritative)}`,
    `resolvers: ${sidesText(hosts, resolvers)}`,
  ];
}

const sideWords = {
  old: "old",
  new: "new",
  dual: "both",
  strange: "others",
  none: "nobody",
  silent: "no answer",
} as const;

/** How many of these servers say what, and which. */
export function sidesText(hosts: Hosts, answers: MxAnswer[]): string {
  if (answers.length === 0) return "none found";
  const sides = Map.groupBy(answers, (answer) => sideWords[sideOf(answer, hosts)]);
  return [...sides]
    .map(([side, all]) => {
      const who = names(
        all.map(({ server }) => harmless(server, 60)),
        4,
      );
      return `${number(all.length)} ${side} (${who})`;
    })
    .join(", ");
}

/** What is wrong with the records, whatever the phase. */
export function faultLines(sight: MxSight): string[] {
  const { missing, aliases } = sight;
  const lines = [];
  if (missing.length > 0) {
    lines.push(`no address is known of ${shown(missing)}: mail to it goes nowhere`);
  }
  if (aliases.length > 0) {
    lines.push(`${shown(aliases)} is an alias, which an MX must not name: some servers refuse it`);
  }
  const systems = [...new Set(namedHosts(sight).map(({ host }) => systemOf(host)))];
  if (systems.length > 1) {
    lines.push(
      `hosts of ${count(systems.length, "name")} take the mail (${shown(systems)}): if these are two systems, mail goes to either`,
    );
  }
  return lines;
}

function shown(hosts: string[]): string {
  return names(
    hosts.map((host) => harmless(host, 80)),
    5,
  );
}

/** The part of a host's name that says whose it is: the last two labels, three under short ones like `co.uk`. */
function systemOf(host: string): string {
  const labels = host.split(".");
  const short = (labels.at(-2)?.length ?? 0) <= 3 && (labels.at(-1)?.length ?? 0) === 2;
  return labels.slice(short ? -3 : -2).join(".");
}

/** What to do about the time to live before the change; null where it is low, or nobody tells it. */
export function ttlAdvice(
  { known, plannedAt }: Pick<Cutover, "known" | "plannedAt">,
  zone: string,
  now: Instant,
): string | null {
  const ttl = ownTtl(known.sight);
  if (ttl === null || ttl <= lowTtl) return null;
  const ahead = Math.max(48 * 60 * 60 * 1000, ttl * 1000);
  const before = `${duration(ahead)} ahead of the change`;
  const by =
    plannedAt === null
      ? `at least ${before}`
      : plannedAt - ahead > now
        ? `by ${moment(plannedAt - ahead, zone)}, ${before}`
        : `now: it should be ${before}`;
  return `The time to live is ${ttlText(ttl)}: lower it to 300 s ${by}, or mail goes to the old system for ${duration(ttl * 1000)} after it.`;
}
