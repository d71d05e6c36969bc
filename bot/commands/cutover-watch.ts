import type { Instant } from "../../engine/domain/clock.ts";
import { isIn, watchedAlready } from "../../engine/domain/cutover.ts";
import { domainName, type MxSight } from "../../engine/domain/dns.ts";
import { harmless, UserError } from "../../engine/domain/errors.ts";
import { advance, disagree, hostsBefore, namedHosts } from "../../engine/domain/mx.ts";
import type { Project } from "../../engine/domain/project.ts";
import type { Desk } from "../../engine/submit.ts";
import { type Answer, command, privately, publicly, type Said } from "../command.ts";
import { cutoverMeant, domainTyped } from "../cutover-meant.ts";
import { cutoverKey, shownOf } from "../cutover-shown.ts";
import { projectOf, projectOption } from "../linked.ts";
import { readWhen } from "../when.ts";
import { cutoverMessage, doneByHand } from "../wording/cutover.ts";
import { who } from "../wording/people.ts";

/** Hours without late mail before the old system may be switched off, where nothing else is said. */
const quietHours = 24;

export const cutoverWatch = command({
  name: "cutover watch",
  usage: "cutover watch <domain> [--to <hosts>] [--at <when>] [--quiet <hours>] [--project <name>]",
  summary:
    "watches the MX of a domain: before the change, at it, and until the old system may be switched off",
  role: "operator",
  group: "Passes",
  examples: [
    "cutover watch example.com",
    'cutover watch example.com --to mx.new.example --at "2026-11-28 18:00"',
    "cutover watch example.com --quiet 72",
  ],
  options: {
    to: { value: "<hosts>" },
    at: { value: "<when>" },
    quiet: { value: "<hours>" },
    ...projectOption,
  },
  parse(words) {
    const { args, options } = words;
    return {
      domain: domainTyped("cutover watch", args),
      wanted: readHosts(options.get("to")),
      at: options.get("at") ?? null,
      quiet: readHours(options.get("quiet")),
      words,
    };
  },
  async run({ domain, wanted, at, quiet, words }, context): Promise<Answer> {
    const { desk, person, channel } = context;
    const project = await projectOf(words, context);
    if (project.closed) {
      throw new UserError(`${project.name} is closed; nothing is watched.`);
    }
    const now = desk.clock.now();
    const plannedAt: Instant | null = at === null ? null : readWhen(at, project.zone, now);
    const open = await desk.cutovers.open(project.id);
    if (open.some((one) => one.domain === domain)) throw watchedAlready(domain);
    const later = async (): Promise<Answer> => {
      const sight = await desk.dns.look(domain);
      const old = hostsBefore(sight, wanted);
      refuseUnseen(sight, old, wanted, domain);
      if (wanted.length === 0) refuseUnderWay(sight, domain);
      const n = await desk.cutovers.add({
        project: project.id,
        channel,
        person: person.id,
        domain,
        old,
        wanted,
        plannedAt,
        quietHours: quiet,
        at: desk.clock.now(),
        known: advance({ old, wanted }, null, sight),
        dueAt: desk.clock.now() + 60_000,
      });
      return { say: [await card(n, desk)], note: `cutover ${n}` };
    };
    return { ...privately(`Asks the DNS who takes the mail of ${domain} …`), later };
  },
});

export const cutoverDone = command({
  name: "cutover done",
  usage: "cutover done [domain] [--project <name>]",
  summary: "says by hand that the MX was changed, where the DNS cannot be seen",
  role: "operator",
  group: "Passes",
  examples: ["cutover done", "cutover done example.com"],
  options: projectOption,
  parse: (words) => words,
  async run(words, context) {
    const { desk, person, channel } = context;
    const project = await projectOf(words, context);
    const open = await desk.cutovers.open(project.id);
    const known = new Set(open.map(({ n }) => n));
    const n =
      words.args.length === 0 || open.some(({ domain }) => domain === domainName(words.args[0]!))
        ? cutoverMeant(words.args, open, project).n
        : await unwatched(
            domainTyped("cutover done", words.args),
            project,
            channel,
            person.id,
            desk,
          );
    if (!(await desk.cutovers.moved(n, desk.clock.now(), who(person)))) {
      const found = await desk.cutovers.look(n);
      throw new UserError(
        `The MX of ${found?.domain ?? "that domain"} was changed already; nothing was done. Type \`cutover status\` to see how it stands.`,
      );
    }
    const cutover = (await desk.cutovers.look(n))!;
    const { mailboxes } = await shownOf(cutover, desk);
    const told = publicly(doneByHand(cutover, who(person), mailboxes));
    return known.has(n) ? told : { say: [...told.say, await card(n, desk)] };
  },
});

async function card(n: number, desk: Desk): Promise<Said> {
  const shown = await shownOf((await desk.cutovers.look(n))!, desk);
  return { how: "post", message: cutoverMessage(shown, desk.clock.now()), key: cutoverKey(n) };
}

/** A cutover that nobody watched until somebody said that it was done. */
async function unwatched(
  domain: string,
  project: Project,
  channel: string,
  person: string,
  desk: Desk,
): Promise<number> {
  const sight = await desk.dns.look(domain);
  const entries = await desk.projects.entries(project.id);
  const own = entries.some(({ source, target }) => isIn(source, domain) || isIn(target, domain));
  if (!own && namedHosts(sight).length === 0) {
    throw new UserError(
      `No mailbox of ${project.name} has an address in ${domain}, and the DNS does not know it; nothing was done. Check the name, and type \`cutover done <domain>\`.`,
    );
  }
  // Nobody knows the old hosts, so that it stays the word of whoever said it.
  const hosts = { old: [], wanted: [] };
  return desk.cutovers.add({
    project: project.id,
    channel,
    person,
    domain,
    ...hosts,
    plannedAt: null,
    quietHours,
    at: desk.clock.now(),
    known: advance(hosts, null, sight),
    dueAt: desk.clock.now() + 60_000,
  });
}

/** Who does not know the old hosts takes any for the new ones. */
function refuseUnseen(sight: MxSight, old: string[], wanted: string[], domain: string): void {
  const heard = [...sight.authoritative, ...sight.resolvers].some(
    (one) => one.outcome !== "silent",
  );
  if (old.length > 0) return;
  if (namedHosts(sight).length > 0) {
    throw new UserError(
      `The MX of ${domain} names ${wanted.join(", ")} already; nothing is watched. If the change is made, type \`cutover done ${domain}\`.`,
    );
  }
  if (heard && wanted.length > 0) return;
  throw new UserError(
    heard
      ? `${domain} names nobody who takes its mail, so that a change could not be told; nothing is watched. Check the name, or type \`cutover watch ${domain} --to <new hosts>\`.`
      : `No server answers for ${domain} now; nothing is watched. Try again in a while, or set GODWIT_RESOLVERS. Where the DNS cannot be seen from here, type \`cutover done ${domain}\` when the MX is changed.`,
  );
}

/** Nobody can tell which of them is the old one. */
function refuseUnderWay(sight: MxSight, domain: string): void {
  if (!disagree(sight)) return;
  const hosts = namedHosts(sight).map(({ host }) => harmless(host, 80));
  throw new UserError(
    `Not every server says the same of ${domain}: its MX is being changed already, and nobody said to which hosts; nothing is watched. Type \`cutover watch ${domain} --to ${hosts.join(",")}\` if these are the new ones.`,
  );
}

function readHosts(typed: string | undefined): string[] {
  if (typed === undefined) return [];
  return typed.split(",").map((one) => {
    const host = domainName(one.trim());
    if (host !== null) return host;
    throw new UserError(
      `“${harmless(one, 60)}” is no name of a host; nothing is watched. Write it like \`--to mx1.new.example,mx2.new.example\`.`,
    );
  });
}

function readHours(typed: string | undefined): number {
  if (typed === undefined) return quietHours;
  const hours = /^(\d{1,4})h?$/i.exec(typed)?.[1];
  if (hours !== undefined && Number(hours) >= 1) return Number(hours);
  throw new UserError(
    `“${harmless(typed, 30)}” is no number of hours; nothing is watched. Write it like \`--quiet 24\`.`,
  );
}
