import type { Instant } from "../../engine/domain/clock.ts";
import { type Cutover, type Offer, standing } from "../../engine/domain/cutover.ts";
import { harmless } from "../../engine/domain/errors.ts";
import type { LateSums } from "../../engine/domain/late-mail.ts";
import type { Message } from "../message.ts";
import { cutoverFacts } from "./cutover-facts.ts";
import { count, duration, minuteOf, moment, names } from "./figures.ts";
import { faultLines, hostsLine, phaseWords, serverLines, ttlAdvice } from "./mx.ts";
import { lateLine, safeLine, withheldText } from "./verdict.ts";
import { outside } from "./windows.ts";

/** A cutover with what is shown of it. */
export interface CutoverShown {
  cutover: Cutover;
  late: LateSums;
  /** Mailboxes the domain's change is about. */
  mailboxes: number;
  /** Mailboxes of the project. */
  of: number;
  zone: string;
  project: string;
  /** Behind a command that is typed in the channel: empty where that is about the project anyway. */
  suffix: string;
}

/** The message of a cutover as it stands. */
export function cutoverMessage(shown: CutoverShown, now: Instant): Message {
  const { cutover, zone, project } = shown;
  const { domain, known, state } = cutover;
  const title = `Cutover of ${domain} (${project}): ${headline(shown, now)}`;
  const hosts = hostsLine(known.sight);
  const advice = state === "watching" ? ttlAdvice(cutover, zone, now) : null;
  const faults = [...faultLines(known.sight), ...(advice === null ? [] : [advice])];
  const last = [...nextLines(shown, now), `as of ${minuteOf(known.sight.at, now, zone)}`];
  const lines = [
    ...(hosts === null ? [] : [hosts]),
    ...serverLines(cutover, known.sight),
    ...faults,
    ...(state === "watching" ? beforeLines(shown, now) : afterLines(shown, now)),
    ...last,
  ];
  return {
    text: [title, ...lines.map((line) => `  ${line}`)].join("\n"),
    ...tone(shown, now),
    title,
    facts: cutoverFacts(shown, now),
    notes: [...faults, ...last],
  };
}

/** What of a cutover makes its message worth an edit: everything but the passing of time. */
export function cutoverState({ cutover, late, mailboxes }: CutoverShown, now: Instant): string {
  const { known, state, movedAt, safeAt, plannedAt, look } = cutover;
  const { sight, phase, stale, changedAt } = known;
  // What is left of a time to live changes with every look.
  const answers = [...sight.authoritative, ...sight.resolvers].map((answer) =>
    answer.outcome === "answered" ? [answer.server, answer.hosts] : [answer.server, answer.outcome],
  );
  const own = sight.authoritative.map((answer) =>
    answer.outcome === "answered" ? answer.ttl : null,
  );
  return JSON.stringify([
    [state, phase, movedAt, safeAt, plannedAt, changedAt, mailboxes],
    [stale.map(({ server }) => server), answers, own, sight.missing, sight.aliases],
    [late, look?.problems, look?.left],
    standing(cutover, late, now).why.map(({ type }) => type),
  ]);
}

function headline({ cutover, late, zone }: CutoverShown, now: Instant): string {
  const { state, known, movedAt, movedBy, domain } = cutover;
  if (state === "ended" || state === "cancelled") return "no longer watched";
  if (state === "watching" || movedAt === null) return `the MX ${phaseWords[known.phase]}`;
  if (standing(cutover, late, now).safe) return `quiet, ${domain} needs the old system no longer`;
  const how = movedBy === null ? "MX moved" : `MX moved, by the word of ${harmless(movedBy, 60)},`;
  const back = known.phase === "old" ? "; and it names the old hosts again" : "";
  return `${how} at ${minuteOf(movedAt, now, zone)}${back}`;
}

function tone({ cutover, late }: CutoverShown, now: Instant): Pick<Message, "tone"> {
  const { phase } = cutover.known;
  if (cutover.state === "ended" || cutover.state === "cancelled") return {};
  if (["dual", "strange", "none"].includes(phase)) return { tone: "bad" };
  if (cutover.state === "watching") return {};
  return { tone: standing(cutover, late, now).safe ? "good" : "warning" };
}

function beforeLines({ cutover, zone, mailboxes }: CutoverShown, now: Instant): string[] {
  const { plannedAt } = cutover;
  const planned =
    plannedAt === null
      ? []
      : [
          plannedAt > now
            ? `planned for ${moment(plannedAt, zone)}, in ${duration(plannedAt - now)}`
            : `was planned for ${moment(plannedAt, zone)}`,
        ];
  return [...planned, `it is about ${count(mailboxes, "mailbox", "mailboxes")}`];
}

/** What comes next, and what to type. */
function nextLines(shown: CutoverShown, now: Instant): string[] {
  const { cutover, late, zone, suffix } = shown;
  const { state, domain, wanted, known } = cutover;
  if (state === "watching") {
    if (known.phase === "unseen")
      return [`When you have changed it, type \`cutover done ${domain}${suffix}\`.`];
    const to = wanted.length === 0 ? "any others" : names(wanted.map((host) => harmless(host, 80)));
    return [
      `When it names ${to}, this channel is asked to run the delta. \`cutover done ${domain}${suffix}\` says so by hand.`,
    ];
  }
  const { safe, why } = standing(cutover, late, now);
  if (!safe) return [];
  const told = withheldText(shown, why, now, zone).join("; ");
  return [...(why.length === 0 ? [] : [`Since then: ${told}.`]), offHint(shown)];
}

function afterLines(shown: CutoverShown, now: Instant): string[] {
  const { cutover, late, zone } = shown;
  const until = cutover.known.oldUntil ?? 0;
  const lines = [
    ...(until > now
      ? [`servers anywhere may remember the old hosts until ${minuteOf(until, now, zone)}`]
      : []),
    lateLine(late, now, zone),
  ];
  const { safe, why } = standing(cutover, late, now);
  if (safe) return [...lines, safeLine(shown, now)];
  const told = withheldText(shown, why, now, zone).join("; ");
  return [...lines, `Do not switch the old system off yet: ${told}.`];
}

/** What to type once it is off: the old mailboxes are looked at until then. */
function offHint({ suffix }: CutoverShown): string {
  return `When it is off, type \`board tick switch-off${suffix}\`: then nobody looks for late mail any more.`;
}

/** What a pass that is offered would take. */
export interface OfferPlan {
  licenses: number;
  /** Why it cannot run now; null where it can. */
  refused: string | null;
  /** When it would begin, outside the project's hours; null where at once. */
  opens: Instant | null;
}

/** The channel is asked whether to run the delta, at the change and for late mail. */
export function offerMessage(
  shown: CutoverShown,
  offer: Offer,
  plan: OfferPlan,
  now: Instant,
): Message {
  const { cutover, zone } = shown;
  const { domain, movedAt, known } = cutover;
  const cost = plan.refused === null ? ` ${count(plan.licenses, "license")}.` : "";
  const many = count(shown.mailboxes, "mailbox", "mailboxes");
  const hand = cutover.movedBy === null ? "" : `, by the word of ${harmless(cutover.movedBy, 60)}`;
  const sweep = (why: string) =>
    `Sweep for ${domain}? ${why}. A delta over ${many}${cost === "" ? "." : `:${cost}`}`;
  const text =
    offer.n === 1
      ? `MX of ${domain} moved at ${minuteOf(movedAt ?? offer.at, now, zone)}${hand}; run the delta for ${many}?${cost}`
      : sweep(sweepReason(shown, now));
  const { waiting } = shown.late;
  const short = offer.n === 1 || waiting === 0;
  const { authoritative, resolvers } = known.sight;
  const agreeing =
    offer.n === 1 && cutover.movedBy === null
      ? [
          `${count(authoritative.length, "server")} of the domain and ${count(resolvers.length, "resolver")} were asked, and all that answer say so.`,
        ]
      : [];
  const why = plan.refused === null ? [] : [`It cannot run now: ${harmless(plan.refused, 400)}`];
  const command = `cutover sweep ${domain}${shown.suffix}`;
  const later = plan.opens === null ? [] : [outside(plan.opens, zone)];
  const faults = faultLines(known.sight);
  const notes = [...agreeing, ...faults, ...why, ...later, `Type \`${command}\`.`];
  return {
    text: [text, ...notes.map((line) => `  ${line}`)].join("\n"),
    title: short ? text : sweep(`${count(waiting, "late mail")} not carried yet`),
    notes: [...(short ? [] : [sweepReason(shown, now)]), ...notes],
    buttons: [
      {
        label: offer.n === 1 ? "Run delta now" : "Run a sweep now",
        command,
        style: "primary",
      },
    ],
  };
}

function sweepReason({ cutover, late, zone }: CutoverShown, now: Instant): string {
  if (late.waiting > 0) return lateLine(late, now, zone);
  const { look } = cutover;
  if ((look?.left ?? 0) > 0)
    return `${count(look?.left ?? 0, "item")} of the old mailboxes not carried`;
  return "no delta was run since the MX moved";
}

/** What an offer becomes once a delta was started. */
export function offerAnswered(
  { domain }: Cutover,
  offer: Offer,
  now: Instant,
  zone: string,
): Message {
  const what = offer.n === 1 ? `MX of ${domain} moved` : `Sweep for ${domain}`;
  const at = offer.answeredAt === null ? "" : ` at ${minuteOf(offer.answeredAt, now, zone)}`;
  return { text: `${what}: the delta was chosen by ${harmless(offer.by ?? "", 60)}${at}.` };
}

/** Said in the channel when the verdict comes, and when it has to be taken back. */
export function verdictMessage(shown: CutoverShown, now: Instant): Message {
  const { cutover, late, zone } = shown;
  const { safe, why } = standing(cutover, late, now);
  if (safe) {
    return { text: `${cutover.domain}: ${safeLine(shown, now)} ${offHint(shown)}`, tone: "good" };
  }
  const told = withheldText(shown, why, now, zone).join("; ");
  return {
    text: `${cutover.domain}: do NOT switch the old system off: ${told}. What was said before no longer holds.`,
    tone: "bad",
  };
}

/** Said under the cutover's message when what the DNS says changes. */
export function phaseTold(cutover: Cutover, now: Instant, zone: string): string {
  const { domain, known } = cutover;
  const head = `The MX of ${domain} ${phaseWords[known.phase]} (seen at ${minuteOf(known.sight.at, now, zone)}).`;
  return [head, ...serverLines(cutover, known.sight).map((line) => `  ${line}`)].join("\n");
}

/** What a cutover's message becomes when nobody watches any more because of this. */
export function watchedUntil({ domain }: Cutover, why: string): string {
  return `The cutover of ${domain} is no longer watched: ${why}.`;
}

/** What everybody is told when somebody says it by hand. */
export function doneByHand({ domain }: Cutover, by: string, mailboxes: number): string {
  return `${by} says that the MX of ${domain} was changed. From now on late mail is looked for in ${count(mailboxes, "old mailbox", "old mailboxes")}, and the channel is asked to run the delta.`;
}
