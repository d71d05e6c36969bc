import { type Policy, presets, type SecondPerson } from "../../engine/domain/policy.ts";
import type { Message } from "../message.ts";
import { columns, count, number } from "./figures.ts";

/** A policy's values in one line, as every plan prints them. */
export function policyText(policy: Policy): string {
  const { passesPerLicense, deltaWindowDays, overLimit, updates, moves, nonMail } = policy;
  const passes =
    passesPerLicense === "unlimited"
      ? "unlimited passes a license"
      : `${count(passesPerLicense, "pass", "passes")} a license`;
  const window =
    deltaWindowDays === null
      ? "no delta window"
      : `deltas for ${count(deltaWindowDays, "day")} from the first success`;
  const second = secondPersonText(policy.secondPerson);
  return `${policy.preset}: ${passes} (${policy.counts.join(", ")} count), over the limit ${overLimit}, ${window}, updates ${updates}, moved items ${moves}, other types with the ${nonMail}, remigration ${policy.remigration}${second === null ? "" : `; a second person for ${second}`}`;
}

function secondPersonText({ remigration, grants, passesOver }: SecondPerson): string | null {
  const all = [
    ...(remigration ? ["remigrations"] : []),
    ...(grants ? ["license grants"] : []),
    ...(passesOver === null ? [] : [`passes over ${count(passesOver, "mailbox", "mailboxes")}`]),
  ];
  return all.length === 0 ? null : all.join(", ");
}

/** Each value by the key that `project set` takes. */
const values: [key: string, value: (policy: Policy) => string][] = [
  ["passesPerLicense", (policy) => String(policy.passesPerLicense)],
  ["countedPasses", (policy) => policy.counts.join(", ")],
  ["overLimit", (policy) => policy.overLimit],
  [
    "deltaWindowDays",
    ({ deltaWindowDays }) => (deltaWindowDays === null ? "none" : number(deltaWindowDays)),
  ],
  ["remigration", (policy) => policy.remigration],
  ["updates", (policy) => policy.updates],
  ["moves", (policy) => policy.moves],
  ["nonMail", (policy) => policy.nonMail],
];

const seconds: [key: string, value: (second: SecondPerson) => string][] = [
  ["secondPerson.remigration", ({ remigration }) => (remigration ? "on" : "off")],
  ["secondPerson.grants", ({ grants }) => (grants ? "on" : "off")],
  [
    "secondPerson.passesOver",
    ({ passesOver }) => (passesOver === null ? "none" : number(passesOver)),
  ],
];

/** What differs, each as `key from … to …`; empty when nothing does. */
export function policyChanges(before: Policy, after: Policy): string {
  const each = [
    ...values.map(([key, value]) => [key, value(before), value(after)] as const),
    ...seconds.map(
      ([key, value]) => [key, value(before.secondPerson), value(after.secondPerson)] as const,
    ),
  ];
  return each
    .filter(([, was, is]) => was !== is)
    .map(([key, was, is]) => `${key} from ${was} to ${is}`)
    .join(", ");
}

/** A project's policy beside the presets; what differs from the project's is marked. */
export function policyCompared(project: string, policy: Policy): Message {
  const others = Object.values(presets);
  const head = ["", `${project} (${policy.preset})`, ...others.map((one) => one.preset)];
  const rows = values.map(([key, value]) => {
    const own = value(policy);
    const marked = others.map(value).map((theirs) => (theirs === own ? theirs : `${theirs} *`));
    return [key, own, ...marked];
  });
  const own = seconds.map(([key, value]) => [
    key,
    value(policy.secondPerson),
    ...others.map(() => ""),
  ]);
  const notes = [
    "* differs from this project.",
    "A pass keeps the values it began with. Emptying a mailbox always takes a second person, whatever the policy.",
    "Type `project set policy <name>` for another one, `project set <key> <value>` for a single value.",
  ];
  return {
    text: [`Policy of ${project}`, columns([head, ...rows, ...own]), ...notes].join("\n"),
    title: `Policy of ${project}`,
    table: { columns: head, rows: [...rows, ...own] },
    notes,
  };
}
