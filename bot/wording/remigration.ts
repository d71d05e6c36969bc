import type { Emptied } from "../../engine/domain/emptying.ts";
import { harmless } from "../../engine/domain/errors.ts";
import type { Balance } from "../../engine/domain/license.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import {
  type Advice,
  type Because,
  checklist,
  type EntryFacts,
  type Hindrance,
  leftIn,
  type NewRemigration,
  type Remigration,
  type Tick,
} from "../../engine/domain/remigration.ts";
import type { Form, Message } from "../message.ts";
import { columns, count, moment, names, number } from "./figures.ts";
import { policyText } from "./policy.ts";

const becauseWords: Record<Because, string> = {
  deleted: "content was deleted at the new place",
  config: "the configuration changed",
  target: "the new place changed",
  errors: "errors that a delta cannot mend",
};

/** A remigration as it would be. */
export interface Plan {
  project: Project;
  because: Because;
  reason: string;
  acceptsDuplicates: boolean;
  empties: boolean;
  balance: Balance;
  entries: {
    entry: Entry;
    target: string;
    facts: EntryFacts;
    /** What emptying would do; null where that is not asked for. */
    emptied: Emptied | null;
    advice: Advice;
  }[];
  /** The command as it can be typed again, without what confirms it. */
  typed: string;
}

/** What it would do, what would do instead, and what is in its way. */
export function remigrationPlan(plan: Plan): Message {
  const title = headline(plan);
  const facts = planFacts(plan);
  const notes = planLines(plan);
  const told = [
    ...notes,
    ...Object.entries(facts).map(([name, fact]) => `${name.toLowerCase()}: ${fact}`),
  ];
  return {
    text: [`${title}.`, ...told.map((line) => `  ${line}`)].join("\n"),
    title,
    facts,
    notes,
  };
}

/** The same, of one that is not to be. */
export function remigrationDry(plan: Plan): Message {
  const { text, ...drawn } = remigrationPlan(plan);
  const dry = "This was a dry run: nothing was done.";
  return { ...drawn, text: `${text}\n${dry}`, notes: [...(drawn.notes ?? []), dry] };
}

function planFacts(plan: Plan): Record<string, string> {
  return {
    Because: becauseWords[plan.because],
    Reason: plan.reason,
    Licenses: licensesLine(plan),
    Filters: filtersText(plan.project),
    Policy: policyText(plan.project.policy),
  };
}

function headline({ project, entries }: Plan): string {
  return `Remigration in ${project.name}, ${count(entries.length, "mailbox", "mailboxes")} from scratch`;
}

/** In a line, for a request and the audit. */
export function remigrationLine(plan: Plan): string {
  const which = names(plan.entries.map(({ entry }) => entry.source));
  const empties = plan.empties ? ", emptying the new place of what was carried" : "";
  return `remigration of ${which} because ${becauseWords[plan.because]}${empties}`;
}

function licensesLine({ entries, balance }: Plan): string {
  const short = entries.length - balance.free;
  return `uses ${number(entries.length)} with the next full pass, ${number(balance.free)} free${short > 0 ? `: ${number(short)} short` : ""}`;
}

function planLines(plan: Plan): string[] {
  const { entries } = plan;
  const each = entries
    .slice(0, 10)
    .map(
      ({ entry, target, facts, emptied }) =>
        `${entry.source} → ${target}: ${number(facts.carried)} carried before; the new mailbox ${holds(facts)}${emptied === null ? "" : `; emptying it: ${emptiedText(emptied)}`}`,
    );
  if (entries.length > 10) each.push(`and ${number(entries.length - 10)} more`);
  const first =
    entries.length > 1
      ? [`one goes first (${entries[0]?.entry.source ?? ""}); the others begin once it was checked`]
      : [];
  return [
    ...insteadLines(plan),
    ...each,
    ...(plan.acceptsDuplicates
      ? ["what is in the new mailboxes stays, and may stand there twice"]
      : []),
    ...(plan.empties
      ? [
          "what was carried, is still at the old place and nobody touched is removed from the new mailboxes first",
        ]
      : []),
    ...first,
    "the old entries are closed and stay readable; it carries nothing itself, the next full pass does",
    `people confirm: ${checklist.flatMap((one) => (one.by === "people" ? one.text : [])).join("; ")}`,
  ];
}

function holds({ items, problem }: EntryFacts): string {
  if (problem !== null) return `cannot be opened: ${problem}`;
  if (items === null) return "is looked at when the full pass begins";
  return items === 0 ? "is empty" : `holds ${count(items, "item")}`;
}

/** Said before anything else: most times something cheaper does. */
function insteadLines({ entries }: Plan): string[] {
  const lines: string[] = [];
  for (const instead of ["full", "retry", "repair"] as const) {
    const those = entries.filter(({ advice }) => advice.instead === instead);
    const [one] = those;
    if (one === undefined) continue;
    const which =
      those.length === entries.length
        ? ""
        : ` ${those
            .map(({ entry }) => entry.source)
            .slice(0, 5)
            .join(" ")}`;
    lines.push(`\`${instead}${which}\` may do instead: ${one.advice.why}`);
  }
  const none = entries.filter(({ advice }) => advice.instead === null);
  const [first] = none;
  if (first !== undefined) {
    lines.push(
      `nothing cheaper does for ${names(none.map(({ entry }) => entry.source))}: ${first.advice.why}`,
    );
  }
  return lines;
}

function filtersText({ filters, zone }: Project): string {
  const all = [
    ...(filters.after === null ? [] : [`after ${moment(filters.after, zone)}`]),
    ...(filters.before === null ? [] : [`before ${moment(filters.before, zone)}`]),
    ...(filters.include.length === 0 ? [] : [`only folders ${filters.include.join(", ")}`]),
    ...(filters.exclude.length === 0 ? [] : [`without folders ${filters.exclude.join(", ")}`]),
    ...Object.entries(filters.map).map(([from, to]) => `${from} goes to ${to}`),
    ...(filters.maxItemSize === null ? [] : [`nothing over ${number(filters.maxItemSize)} bytes`]),
  ];
  return all.length === 0 ? "none" : all.join("; ");
}

/** Asks for the project's name. */
export function remigrationForm(plan: Plan): Form {
  const { name } = plan.project;
  const confirmed = `${plan.typed} --confirm ${name}`;
  return {
    title: "Remigrate",
    intro:
      `${headline(plan)}. ${insteadLines(plan).join(". ")}. ${licensesLine(plan)}. This cannot be taken back.`.replace(
        /`/g,
        "",
      ),
    fields: [{ name: "name", label: `Type ${name} to confirm`, kind: "text" }],
    submit: "Start from scratch",
    command: plan.typed,
    otherwise: `${remigrationPlan(plan).text}\nNothing was done. To go on, type \`${confirmed}\`.`,
  };
}

export function hindranceText(hindrance: Hindrance, plan: Plan): string {
  switch (hindrance.type) {
    case "short": {
      const missing = hindrance.needed - hindrance.free;
      return `Uses ${count(hindrance.needed, "license")}, ${number(hindrance.free)} free: ${number(missing)} short. Nothing was done. Type \`licenses add ${missing} --note "order number"\` first.`;
    }
    case "policy":
      return "The policy says that the new mailbox must be empty; duplicates cannot be accepted. Nothing was done. Leave out `--accept-duplicates`, empty the mailbox, or type `--empty-target`.";
    case "not empty": {
      const each = hindrance.items.map(({ entry, items }) => {
        const one = plan.entries.find((other) => other.entry.id === entry);
        return `${one?.target ?? ""} ${plan.empties ? "would still hold" : "holds"} ${count(items, "item")}`;
      });
      const how = plan.empties
        ? "Look at what is left there and remove it by hand, or add `--accept-duplicates` if it may stand there twice."
        : "Empty it, type `--empty-target` to have removed what was carried and nobody touched (a second person approves), or `--accept-duplicates` if everything may stand there twice.";
      return `The new mailbox must be empty: ${names(each)}. Nothing was done. ${how}`;
    }
  }
}

/** What was seen when it began, for the checklist. */
export function firstTicks(plan: Plan): NewRemigration["ticks"] {
  const { entries, balance, project } = plan;
  const holding = entries.filter(
    ({ facts, emptied }) => (leftIn(facts, emptied).items ?? 0) > 0,
  ).length;
  const opened = entries.every(({ facts }) => facts.problem === null && facts.items !== null);
  const empty =
    holding === 0
      ? plan.empties
        ? "emptied"
        : "empty"
      : `${count(holding, "mailbox holds", "mailboxes hold")} something; duplicates are accepted`;
  return [
    { item: "delta", note: insteadLines(plan).join("; ").replace(/`/g, "").slice(0, 500) },
    { item: "reason", note: plan.reason },
    { item: "licenses", note: `${entries.length} needed, ${balance.free} free` },
    ...(opened
      ? [{ item: "target", note: "opened" } as const, { item: "empty", note: empty } as const]
      : []),
    { item: "filters", note: filtersText(project) },
  ];
}

/** What everybody is told. */
export function remigrationBegun(
  n: number,
  plan: Plan,
  by: string,
  emptied: string | null,
): Message {
  const which = names(plan.entries.map(({ entry, target }) => `${entry.source} → ${target}`));
  const one = plan.entries.length === 1 ? (plan.entries[0]?.entry.source ?? "") : "";
  const first =
    plan.entries.length > 1 ? ` ${plan.entries[0]?.entry.source} goes first and is checked.` : "";
  return {
    text: [
      `Remigration ${n} by ${by}: ${which} start from scratch (${becauseWords[plan.because]}: ${plan.reason}).${emptied === null ? "" : ` ${emptied}.`}`,
      `  The old entries are closed and stay readable (\`list closed\`). Nothing was carried: type \`${`full ${one}`.trim()}\`, which uses ${count(plan.entries.length, "license")}.${first}`,
      `  \`remigration show ${n}\` has the checklist; \`remigration tick ${n} backup\` and \`remigration tick ${n} permissions\` are yours.`,
    ].join("\n"),
    buttons: [{ label: "Checklist", command: `remigration show ${n}` }],
  };
}

export function emptiedText({ removed, onlyHere, touched, left }: Emptied): string {
  const kept = [
    ...(onlyHere > 0 ? [`${number(onlyHere)} kept that are no longer at the old place`] : []),
    ...(touched > 0 ? [`${number(touched)} kept that somebody touched`] : []),
    ...(left > 0 ? [`${number(left)} left there in all`] : []),
  ];
  return [`${count(removed, "carried item")} removed`, ...kept].join(", ");
}

/** The entries are new by then, and nothing of what is gone counts as carried. */
export function emptyingStopped(n: number, target: string, reason: string): string {
  return `Remigration ${n} was begun, but ${target} could not be emptied: ${harmless(reason, 300)} Type the same command again to go on; until it is empty, no pass carries anything into it.`;
}

/** One remigration with its checklist. */
export function remigrationMessage(
  remigration: Remigration,
  by: string,
  ticked: (Tick & { name: string })[],
  zone: string,
): Message {
  const { n, because, reason, at, entries, releasedAt } = remigration;
  const title = `Remigration ${n}: ${names(entries.map(({ source }) => source))}`;
  const head = ["what", "by", "note"];
  const rows = checklist.map(({ item, text, by: whose }) => {
    const tick = ticked.find((one) => one.item === item);
    const who = tick === undefined ? (whose === "us" ? "Godwit" : "you") : tick.name;
    const box = tick === undefined ? "☐" : "☑";
    return [`${box} ${text} (${item})`, who, harmless(tick?.note ?? "", 200)];
  });
  const waits =
    releasedAt === null
      ? entries.length > 1
        ? "One mailbox goes first with the next full pass; the others begin once it was checked."
        : "It was not carried and checked yet."
      : `Carried and checked at ${moment(releasedAt, zone)}.`;
  const notes = [
    `Because ${becauseWords[because]}: ${reason}. By ${by} at ${moment(at, zone)}.`,
    waits,
    `Type \`remigration tick ${n} <item>\` for what you have seen to yourself.`,
  ];
  return {
    text: [title, ...notes.slice(0, 2), columns(rows), ...notes.slice(2)].join("\n"),
    title,
    table: { columns: head, rows },
    notes,
  };
}

export function remigrationRows(all: Remigration[], zone: string): string[][] {
  return all.map(({ n, because, entries, at, releasedAt }) => [
    String(n),
    names(
      entries.map(({ source }) => source),
      3,
    ),
    because,
    moment(at, zone),
    releasedAt === null ? "not checked yet" : "checked",
  ]);
}
