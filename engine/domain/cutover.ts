import type { Instant } from "./clock.ts";
import { domainName } from "./dns.ts";
import { UserError } from "./errors.ts";
import type { LateMails, LateSums } from "./late-mail.ts";
import type { Hosts, MxKnown, Phase, Stale } from "./mx.ts";
import type { ProjectId } from "./project.ts";
import type { Thread } from "./thread.ts";

/**
 * `watching` for the MX to be changed; `moved`: mail goes to the new system, late mail is looked for; `ended` with
 * the old system or the project; `cancelled`: it is as if nobody had watched.
 */
export type CutoverState = "watching" | "moved" | "ended" | "cancelled";

/** The change of a domain's MX within a project, watched. */
export interface Cutover extends Hosts {
  n: number;
  project: ProjectId;
  /** Where it is told. */
  channel: Thread;
  person: string;
  /** ASCII, lower case. */
  domain: string;
  /** When people mean to change the MX; null where nobody said. */
  plannedAt: Instant | null;
  /** Hours without late mail before the old system may be switched off. */
  quietHours: number;
  /** When the watch began. */
  at: Instant;
  state: CutoverState;
  known: MxKnown;
  /** What of it the channel was told last. */
  told: Phase;
  movedAt: Instant | null;
  /** Whose word it is that the MX was changed; null where it was seen. */
  movedBy: string | null;
  /** When the DNS is asked next, and when the old mailboxes are; the latter null before the change. */
  dueAt: Instant;
  mailDueAt: Instant | null;
  /** The newest look at the old mailboxes; null before the first. */
  look: MailLook | null;
  offer: Offer | null;
  /** Since when it is safe to switch the old system off; null while it is not. */
  safeAt: Instant | null;
  /** How often that was said: a verdict can be taken back. */
  verdicts: number;
}

/** The channel was asked whether to run the delta. */
export interface Offer {
  /** 1 is that at the change itself, later ones are sweeps for late mail. */
  n: number;
  at: Instant;
  /** Who ran it; null while nobody has. */
  by: string | null;
  answeredAt: Instant | null;
}

/** What the old mailboxes showed at one look. */
export interface MailLook {
  at: Instant;
  mailboxes: number;
  /** Those that could not be asked, with the reason. */
  problems: { source: string; reason: string }[];
  /** Items a delta would carry now; null where that was not asked, or not of every mailbox. */
  left: number | null;
}

/** Why the old system must not be switched off yet. */
export type Withheld =
  | { type: "not changed" }
  | { type: "dns"; phase: Exclude<Phase, "new"> }
  | { type: "stale"; servers: Stale[] }
  | { type: "not looked" }
  | { type: "problems"; problems: MailLook["problems"]; of: number }
  | { type: "waiting"; mails: number }
  | { type: "left"; items: number | null }
  | { type: "quiet"; until: Instant; last: Instant | null };

/** A look at the old mailboxes that is older than this says nothing of now, in ms. */
const freshMs = 2 * 60 * 60 * 1000;

/** Why it is not safe to switch the old system off; empty where it is. */
export function withheld(cutover: Cutover, late: LateSums, now: Instant): Withheld[] {
  const { state, known, movedAt, movedBy, look, quietHours } = cutover;
  if (state !== "moved" || movedAt === null) return [{ type: "not changed" }];
  const why: Withheld[] = [];
  // Whoever gives their word stands for a DNS that cannot be seen, not against one that says otherwise.
  const seen = known.phase === "new" || (movedBy !== null && known.phase === "unseen");
  if (known.stale.length > 0) why.push({ type: "stale", servers: known.stale });
  else if (!seen && known.phase !== "new") why.push({ type: "dns", phase: known.phase });
  const quietFrom = Math.max(movedAt, known.oldUntil ?? 0, late.lastAt ?? 0);
  const until = quietFrom + quietHours * 60 * 60 * 1000;
  if (until > now) why.push({ type: "quiet", until, last: late.lastAt });
  if (look === null || now - look.at > freshMs) return [...why, { type: "not looked" }];
  const { problems, mailboxes, left } = look;
  if (problems.length > 0) why.push({ type: "problems", problems, of: mailboxes });
  if (late.waiting > 0) why.push({ type: "waiting", mails: late.waiting });
  else if (left !== 0) why.push({ type: "left", items: left });
  return why;
}

/** How a cutover stands: a verdict that was given holds until something speaks against it. */
export function standing(
  cutover: Cutover,
  late: LateSums,
  now: Instant,
): { safe: boolean; why: Withheld[] } {
  const why = withheld(cutover, late, now);
  // An old system that is down or was not asked for a while is no late mail, a silent DNS no other answer.
  const nothingNew = why.every(
    (one) =>
      one.type === "problems" ||
      one.type === "not looked" ||
      (one.type === "dns" && one.phase === "unseen") ||
      (one.type === "left" && one.items === null),
  );
  return { safe: why.length === 0 || (cutover.safeAt !== null && nothingNew), why };
}

/** Whether all that is left to find out is what a delta would still carry. */
export function onlyLeft(why: Withheld[]): boolean {
  return why.every(({ type }) => ["left", "waiting", "not looked", "problems"].includes(type));
}

export type NewCutover = Pick<
  Cutover,
  | "project"
  | "channel"
  | "person"
  | "domain"
  | "old"
  | "wanted"
  | "plannedAt"
  | "quietHours"
  | "at"
  | "known"
  | "dueAt"
>;

/** A project watches a domain once. */
export function watchedAlready(domain: string): UserError {
  return new UserError(
    `${domain} is watched already; nothing was changed. Type \`cutover status ${domain}\` to see it, or \`cutover cancel ${domain}\` first.`,
  );
}

/** The cutovers of all projects. Every change says whether it found what it was made for: of several, one wins. */
export interface Cutovers extends LateMails {
  /** Throws `UserError` where the project watches the domain already. */
  add(cutover: NewCutover): Promise<number>;
  look(n: number): Promise<Cutover | null>;
  /** Those of a project that are watched, by their domains. */
  open(project: ProjectId): Promise<Cutover[]>;
  /** Those of a project that moved and have ended since, by their domains. */
  over(project: ProjectId): Promise<Cutover[]>;
  /** Those of all projects that are watched. */
  live(): Promise<Cutover[]>;
  /** Takes the next question to the DNS (or the next look at the mailboxes) that was due then. */
  claim(n: number, what: "dns" | "mail", due: Instant, next: Instant): Promise<boolean>;
  /** Keeps what is known now, where the last sight was `before`. */
  saw(n: number, before: Instant, known: MxKnown): Promise<boolean>;
  /** The channel knows of this phase. */
  told(n: number, phase: Phase): Promise<void>;
  /** The change is made: from here on the mailboxes are looked at, and the delta is offered. */
  moved(n: number, at: Instant, by: string | null): Promise<boolean>;
  /** Keeps what a look at the mailboxes showed, where no newer one is kept. */
  looked(n: number, look: MailLook): Promise<void>;
  /** Asks anew whether to run the delta, where the last offer was answered. */
  offer(n: number, at: Instant): Promise<boolean>;
  answer(n: number, by: string, at: Instant): Promise<boolean>;
  /**
   * The verdict as it is now, safe since then or null, by what was known at `seenAt`. True where that changed it;
   * false as well where more was seen since.
   */
  judge(n: number, safeAt: Instant | null, seenAt: Instant): Promise<boolean>;
  end(n: number, how: "ended" | "cancelled"): Promise<boolean>;
}

/** The mailboxes whose mail a domain's change is about; all of them where none has an address in it. */
export function mailboxesOf<One extends { source: string; target: string }>(
  entries: One[],
  domain: string,
): { entries: One[]; all: boolean } {
  const own = entries.filter(({ source, target }) => isIn(source, domain) || isIn(target, domain));
  return own.length === 0 || own.length === entries.length
    ? { entries, all: true }
    : { entries: own, all: false };
}

/** Whether an address is in a domain, however its name is spelled. */
export function isIn(address: string, domain: string): boolean {
  if (address.toLowerCase().endsWith(`@${domain}`)) return true;
  const own = address.slice(address.lastIndexOf("@") + 1);
  return /[^\p{ASCII}]/u.test(own) && domainName(own) === domain;
}
