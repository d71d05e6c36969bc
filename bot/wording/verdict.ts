import type { Instant } from "../../engine/domain/clock.ts";
import type { Cutover, Withheld } from "../../engine/domain/cutover.ts";
import { harmless } from "../../engine/domain/errors.ts";
import type { LateSums } from "../../engine/domain/late-mail.ts";
import { count, duration, minuteOf, names, number } from "./figures.ts";
import { phaseWords } from "./mx.ts";

/** What came to the old system since, and from where. */
export function lateLine(late: LateSums, now: Instant, zone: string): string {
  if (late.mails === 0 || late.lastAt === null) return "no mail came to the old system since";
  const from = late.from.map(
    ({ domain, mails }) => `${domain === null ? "unknown" : harmless(domain, 60)} ${number(mails)}`,
  );
  const waiting =
    late.waiting === 0 ? "nothing of it left to carry" : `${number(late.waiting)} not carried yet`;
  return `${count(late.mails, "mail")} came to the old system since, in ${count(late.mailboxes, "mailbox", "mailboxes")}, the last at ${minuteOf(late.lastAt, now, zone)}, from ${names(from, 5)}; ${waiting}`;
}

/** The verdict itself. */
export function safeLine({ cutover, late, mailboxes, of }: Judged, now: Instant): string {
  const { quietHours, movedAt, movedBy, known, domain, old } = cutover;
  const since = Math.max(movedAt ?? 0, late.lastAt ?? 0);
  const hours = Math.max(quietHours, Math.floor((now - since) / (60 * 60 * 1000)));
  const what =
    mailboxes === of
      ? "safe to switch the old system off"
      : `safe for the ${number(mailboxes)} of ${count(of, "mailbox", "mailboxes")} of ${domain}; the others are not looked at`;
  // Without the old hosts any host passes for a new one.
  const dns =
    known.phase === "new" && old.length > 0
      ? "Every server that answers names the new hosts"
      : `That the MX was changed is the word of ${harmless(movedBy ?? "", 60)}`;
  return `Quiet for ${count(hours, "hour")}: ${what}. ${dns}, and a delta would carry nothing more.`;
}

/** A cutover with what the verdict is about. */
export interface Judged {
  cutover: Cutover;
  late: LateSums;
  /** Behind a command that is typed in the channel. */
  suffix: string;
  /** Mailboxes the domain's change is about, and those of the project. */
  mailboxes: number;
  of: number;
}

/** Why the verdict is withheld, most telling first. */
export function withheldText(
  { cutover, suffix }: { cutover: Pick<Cutover, "domain">; suffix: string },
  why: Withheld[],
  now: Instant,
  zone: string,
): string[] {
  const known =
    why.length > 1 ? why.filter((one) => one.type !== "left" || one.items !== null) : why;
  return known.map((one) => reasonText(one, `cutover sweep ${cutover.domain}${suffix}`, now, zone));
}

function reasonText(one: Withheld, sweep: string, now: Instant, zone: string): string {
  switch (one.type) {
    case "not changed":
      return "the MX was not changed";
    case "dns":
      return `the MX ${phaseWords[one.phase]}`;
    case "stale": {
      const until = Math.max(...one.servers.map((server) => server.until));
      const who = names(
        one.servers.map(({ server }) => harmless(server, 60)),
        4,
      );
      const rest = until > now ? `, for at most ${duration(until - now)} more` : "";
      return `${count(one.servers.length, "resolver")} (${who}) ${one.servers.length === 1 ? "does" : "do"} not name the new hosts yet${rest}`;
    }
    case "not looked":
      return "the old mailboxes were not looked at yet";
    case "problems": {
      const [first] = one.problems;
      const what = `${number(one.problems.length)} of ${count(one.of, "mailbox", "mailboxes")} could not be asked`;
      return first === undefined
        ? what
        : `${what} (${first.source}: ${first.reason.replace(/\.$/, "")})`;
    }
    case "waiting":
      return `${count(one.mails, "late mail")} not carried yet`;
    case "left":
      return one.items === null
        ? "it is not known yet what is left in the old mailboxes"
        : `${count(one.items, "item")} of the old mailboxes not carried (type \`${sweep}\`, then \`report\`)`;
    case "quiet":
      return one.last === null
        ? `not quiet for long enough yet, quiet at ${minuteOf(one.until, now, zone)} if no late mail comes`
        : `late mail came at ${minuteOf(one.last, now, zone)}, quiet at ${minuteOf(one.until, now, zone)} if no more comes`;
  }
}
