import type { Forecast, Shift } from "../../engine/domain/forecast.ts";
import type { PassKind } from "../../engine/domain/pass.ts";
import type { PassPlan, PassRequest } from "../../engine/domain/plan.ts";
import type { Message } from "../message.ts";
import { count, moment, names, number, size } from "./figures.ts";
import { forecastLines } from "./forecast.ts";
import { warningLines } from "./licenses.ts";
import { policyText } from "./policy.ts";
import { outsideText, planWindowLines } from "./windows.ts";

export const kindWords: Record<PassKind, string> = {
  verify: "Verify",
  trial: "Trial",
  prestage: "Pre-stage",
  full: "Full pass",
  delta: "Delta",
  retry: "Retry",
  repair: "Repair",
};

/** Whoever says yes to a plan reads whom it is about; more than these nobody reads in a chat. */
const mostNamed = 40;

function sources({ entries }: PassPlan): string[] {
  return entries.map(({ entry }) => entry.source);
}

/** What a plan would do, whole. `first`: the project never had a full pass or delta. */
function planText(plan: PassPlan, forecast: Forecast, first: boolean): string {
  const lines = [
    `${headline(plan)}.`,
    `  mailboxes: ${names(sources(plan), mostNamed)}`,
    ...refusedLines(plan),
    ...limitLines(plan),
    ...firstLines(plan),
    ...forecastLines(plan, forecast).map((line) => `  ${line}`),
    ...licenseLines(plan),
    `  passes left: ${passesLeft(plan)}`,
    `  policy: ${policyText(plan.project.policy)}`,
    ...planWindowLines(plan).map((line) => `  ${line}`),
    ...warningLines(plan.warnings, plan.project.zone).map((line) => `  ${line}`),
  ];
  return [...lines, ...whatItIs(plan, first)].join("\n");
}

/** What this kind of pass is, for those who meet it the first time. */
function whatItIs({ kind }: PassPlan, first: boolean): string[] {
  switch (kind) {
    case "trial":
      return ["  up to ten mails a folder, to look at; they count as carried"];
    case "verify":
      return ["  logs in at both ends and writes nothing"];
    case "retry":
      return ["  only what failed before is tried again"];
    case "repair":
      return [
        "  puts back what was carried and is missing at the new place, whoever removed it there; what was moved there is left",
      ];
    case "prestage":
      return [];
    case "full":
    case "delta":
      return first
        ? [
            "  This is a migration, not synchronisation: what is changed, moved or deleted at the old place after it was carried stays at the new one as it was carried. It is counted and reported.",
          ]
        : [];
  }
}

/** A plan that waits for its start. */
export function planKept(plan: PassPlan, n: number, forecast: Forecast, first: boolean): Message {
  const choice = `Nothing has started. Type \`start ${n}\` or \`cancel ${n}\`; the plan is kept for 15 minutes.`;
  return {
    text: `${planText(plan, forecast, first)}\n${choice}`,
    ...planDrawn(plan, forecast),
    notes: [...planNotes(plan, forecast, first), choice],
    buttons: [
      { label: "Start", command: `start ${n}`, style: "primary" },
      { label: "Cancel", command: `cancel ${n}` },
    ],
  };
}

/** A plan for the person who is to approve it. */
export function planAsked(plan: PassPlan, forecast: Forecast, first: boolean): Message {
  return {
    text: planText(plan, forecast, first),
    ...planDrawn(plan, forecast),
    notes: planNotes(plan, forecast, first),
  };
}

/** A plan in a few words. */
export function planLine(plan: PassPlan): string {
  return `${headline(plan)}, ${licensesText(plan.licensesNeeded)}`;
}

function licensesText(needed: number): string {
  return needed === 0 ? "no license" : count(needed, "license");
}

/** Said while both servers of many mailboxes are asked. */
export function asking(plan: PassPlan): string {
  return `${headline(plan)}: asking both servers what there is; the plan follows.`;
}

/** The whole plan, of a pass that is not to start. */
export function planDry(plan: PassPlan, forecast: Forecast, first: boolean): Message {
  const short = plan.short > 0 ? [shortText(plan)] : [];
  const dry = "This was a dry run: nothing was started.";
  return {
    text: [planText(plan, forecast, first), ...short, dry].join("\n"),
    ...planDrawn(plan, forecast),
    notes: [...planNotes(plan, forecast, first), ...short, dry],
  };
}

/** What surfaces draw of a plan in place of its text. */
function planDrawn(plan: PassPlan, forecast: Forecast): Pick<Message, "title" | "facts"> {
  return { title: headline(plan), facts: planFacts(plan, forecast) };
}

function planNotes(plan: PassPlan, forecast: Forecast, first: boolean): string[] {
  const over = names(plan.overLimit.map((entry) => entry.source));
  return [
    ...refusedLines(plan),
    ...limitLines(plan),
    ...firstLines(plan),
    ...(plan.overLimit.length === 0 ? [] : [`over the limit, one more license each: ${over}`]),
    ...forecastLines(plan, forecast).slice(1),
    ...planWindowLines(plan),
    ...warningLines(plan.warnings, plan.project.zone),
    ...whatItIs(plan, first),
  ].map((line) => line.trim());
}

/** The short form, of a pass that has just been put in the queue. */
export function planStarted(plan: PassPlan, pass: number, first: boolean): Message {
  const uses =
    plan.licensesNeeded === 0
      ? "uses no license"
      : `uses ${count(plan.licensesNeeded, "license")} of ${plan.balance.free} free`;
  const left = plan.refused.length === 0 ? "" : `\n${refusedLines(plan).join("\n")}`;
  const going = plan.first.length === 0 ? "" : `\n${firstLines(plan).join("\n")}`;
  const overridden = plan.overridden.length === 0 ? "" : `\n${overriddenLine(plan)}`;
  const sync =
    first && (plan.kind === "full" || plan.kind === "delta")
      ? "\nThis is a migration, not synchronisation: later changes at the old place are counted and reported, not carried."
      : "";
  return {
    text: `${headline(plan)}, pass ${pass}: ${names(plan.entries.map((one) => one.entry.source))}; ${uses}. It is in the queue; type \`status ${pass}\`, \`pause ${pass}\` or \`stop ${pass}\`.${outsideText(plan, "\n")}${left}${going}${overridden}${sync}`,
  };
}

export function planGone(plan: number): string {
  return `No plan ${plan} waits here, or it is older than 15 minutes. Nothing was started. Type the command again.`;
}

/** What a late press hears. */
export function planOver(plan: number, what: "start" | "cancel", by: string, at: string): string {
  const done = what === "start" ? "started" : "cancelled";
  return `Plan ${plan} was ${done} by ${by} at ${at} already; nothing more was done. Type the command again for a new plan.`;
}

/** What a plan's message becomes once somebody chose. */
export function planChosen(
  n: number,
  kind: PassKind,
  project: string,
  chosen: { start: number } | "schedule" | "cancel",
  by: string,
  at: string,
): Message {
  const what = `Plan ${n}, ${kindWords[kind].toLowerCase()} of ${project}`;
  if (chosen === "schedule") return { text: `${what}: scheduled by ${by} at ${at}.` };
  return chosen === "cancel"
    ? { text: `${what}: cancelled by ${by} at ${at}. Nothing was started.` }
    : { text: `${what}: started by ${by} at ${at} as pass ${chosen.start}.` };
}

/** What changed between a plan as it was shown and as it would be now. */
export function planChanged(n: number, changed: string[], plan: PassPlan, typed: string): string {
  return `Plan ${n} is out of date: ${changed.join(", ")} changed since it was shown (now ${count(plan.entries.length, "mailbox", "mailboxes")}, ${count(plan.licensesNeeded, "license")} needed, ${number(plan.balance.free)} free). Nothing was started. Type \`${typed}\` again.`;
}

/** What both servers list now is not what the plan said. */
export function sourceChanged(n: number, shifts: Shift[], typed: string): string {
  const each = shifts.map(({ what, was, is }) => shiftWords[what](was, is)).join(", ");
  return `Plan ${n} is out of date: ${each}. Nothing was started. Type \`${typed}\` again, or with \`--yes\` to start without being asked.`;
}

const shiftWords: Record<Shift["what"], (was: number, is: number) => string> = {
  items: (was, is) => `${number(is)} items to carry instead of ${number(was)}`,
  bytes: (was, is) => `${size(is)} instead of ${size(was)}`,
  moved: (was, is) => `${number(is)} moved items instead of ${number(was)}`,
  renumbered: (was, is) => `${number(is)} items in renumbered folders instead of ${number(was)}`,
  problem: (was, is) =>
    `${count(is, "mailbox", "mailboxes")} cannot be looked into instead of ${number(was)}`,
};

/** `uses 12, 3 free: 9 short`. */
export function shortText(plan: PassPlan): string {
  return `Uses ${count(plan.licensesNeeded, "license")}, ${number(plan.balance.free)} free: ${number(plan.short)} short. Nothing was started. Choose fewer mailboxes, or type \`licenses add ${plan.short} --note "order number"\`.`;
}

/** A request as it can be typed again. */
export function typedAgain(request: PassRequest, zone: string): string {
  const { limit } = request;
  const words: string[] = [request.kind];
  if (limit !== null && "days" in limit) words.push(`${limit.days}d`);
  if (limit !== null && "at" in limit) words.push(`"${moment(limit.at, zone).slice(0, 16)}"`);
  if (request.at !== undefined) words.push(`--at "${moment(request.at, zone).slice(0, 16)}"`);
  return [...words, ...request.selection].join(" ");
}

function headline(plan: PassPlan): string {
  const limit = plan.limit === null ? "" : `, mail before ${moment(plan.limit, plan.project.zone)}`;
  const all = count(plan.entries.length, "mailbox", "mailboxes");
  return `${kindWords[plan.kind]} of ${plan.project.name}${limit}, ${all}`;
}

function refusedLines(plan: PassPlan): string[] {
  if (plan.refused.length === 0) return [];
  const each = plan.refused.map((one) => `${one.entry.source} (${one.reason})`);
  return [`  left out: ${names(each)}`];
}

function firstLines({ first }: PassPlan): string[] {
  return first.map(
    ({ entry, others }) =>
      `  remigration ${entry.remigration}: ${entry.source} goes first; ${names(others.map(({ source }) => source))} ${others.length === 1 ? "waits" : "wait"} until it was carried and checked`,
  );
}

function limitLines(plan: PassPlan): string[] {
  const lines: string[] = [];
  if (plan.limit !== null) {
    lines.push(
      `  limit: only mail the old server received before ${moment(plan.limit, plan.project.zone)}`,
    );
  }
  if (plan.overridden.length > 0) lines.push(overriddenLine(plan));
  const { include, exclude, map, maxItemSize } = plan.filters;
  const held: string[] = [];
  if (include.length > 0) held.push(`only folders ${include.join(", ")}`);
  if (exclude.length > 0) held.push(`without folders ${exclude.join(", ")}`);
  const mapped = Object.entries(map);
  if (mapped.length > 0) held.push(mapped.map(([from, to]) => `${from} goes to ${to}`).join(", "));
  if (maxItemSize !== null) held.push(`nothing over ${number(maxItemSize)} bytes`);
  if (held.length > 0) lines.push(`  filters: ${held.join("; ")}`);
  return lines;
}

function overriddenLine(plan: PassPlan): string {
  const { zone } = plan.project;
  const each = plan.overridden.map((name) => `${name} ${moment(plan.filters[name] ?? 0, zone)}`);
  const how = plan.kind === "prestage" ? "the limit replaces" : "this pass ignores";
  return `  ${how} the project's own ${each.join(" and ")}; they stay as they are for other passes`;
}

function licenseLines(plan: PassPlan): string[] {
  if (plan.kind === "verify" || plan.kind === "trial" || plan.kind === "repair") {
    return ["  licenses: none needed"];
  }
  const { owned, consumed, free } = plan.balance;
  const lines = [
    `  licenses: uses ${number(plan.licensesNeeded)}, ${number(free)} free${plan.short > 0 ? `: ${number(plan.short)} short` : ""} (${number(consumed)} of ${number(owned)} used so far)`,
  ];
  if (plan.overLimit.length > 0) {
    const who = names(plan.overLimit.map((entry) => entry.source));
    lines.push(`  over the policy's limit, one more license each: ${who}`);
  }
  return lines;
}

function passesLeft(plan: PassPlan): string {
  const left = plan.entries.map((one) => one.passesLeft);
  const numbers = left.filter((one) => one !== "unlimited");
  if (numbers.length === 0) return "unlimited";
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most ? number(least) : `${number(least)} to ${number(most)}, by mailbox`;
}

function planFacts(plan: PassPlan, forecast: Forecast): Record<string, string> {
  const [expected] = forecastLines(plan, forecast);
  return {
    Mailboxes: names(sources(plan), mostNamed),
    ...(expected === undefined ? {} : { Expected: expected.replace(/^expected: /, "") }),
    ...(plan.refused.length === 0 ? {} : { "Left out": number(plan.refused.length) }),
    Licenses: `uses ${number(plan.licensesNeeded)}, ${number(plan.balance.free)} free${plan.short > 0 ? `, ${number(plan.short)} short` : ""}`,
    "Passes left": passesLeft(plan),
    Policy: policyText(plan.project.policy),
  };
}
