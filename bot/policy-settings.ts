import { harmless, UserError } from "../engine/domain/errors.ts";
import { type PassKind, passKinds } from "../engine/domain/pass.ts";
import { type Policy, presets, type SecondPerson } from "../engine/domain/policy.ts";

/** A key of `project set` that changes the policy: what its value makes of it. Each throws `UserError`. */
export type PolicySetting = (value: string, policy: Policy) => Policy;

export const policySettings: Record<string, PolicySetting> = {
  // Who has to approve is no vendor's business: another preset leaves it.
  policy: (value, { secondPerson }) => ({ ...presets[preset(value)], secondPerson }),
  passesPerLicense: (value, policy) =>
    custom(policy, {
      passesPerLicense: same(value, "unlimited") ? "unlimited" : whole(value, "10, or unlimited"),
    }),
  countedPasses: (value, policy) => custom(policy, { counts: kinds(value) }),
  overLimit: (value, policy) => custom(policy, { overLimit: one(value, overLimits) }),
  deltaWindowDays: (value, policy) =>
    custom(policy, { deltaWindowDays: same(value, "none") ? null : whole(value, "90, or none") }),
  remigration: (value, policy) => custom(policy, { remigration: one(value, remigrations) }),
  updates: (value, policy) => custom(policy, { updates: one(value, ["never"] as const) }),
  moves: (value, policy) => custom(policy, { moves: one(value, ["duplicate"] as const) }),
  nonMail: (value, policy) => custom(policy, { nonMail: one(value, ["first full pass"] as const) }),
  "secondPerson.remigration": (value, policy) => second(policy, { remigration: isOn(value) }),
  "secondPerson.grants": (value, policy) => second(policy, { grants: isOn(value) }),
  "secondPerson.passesOver": (value, policy) =>
    second(policy, { passesOver: same(value, "none") ? null : whole(value, "50, or none") }),
};

/** Whether less would need a second person than before. */
export function loosens(before: SecondPerson, after: SecondPerson): boolean {
  const [was, is] = [before.passesOver, after.passesOver];
  return (
    (before.remigration && !after.remigration) ||
    (before.grants && !after.grants) ||
    (was !== null && (is === null || is > was))
  );
}

const overLimits = ["block", "consume", "ask"] as const;
const remigrations = ["new license", "new license, target must be empty"] as const;

/** One of the presets, or a refusal that names them. */
export function preset(text: string): keyof typeof presets {
  const names = Object.keys(presets) as (keyof typeof presets)[];
  const found = names.find((name) => same(text, name));
  if (found !== undefined) return found;
  throw new UserError(
    `“${harmless(text, 30)}” is no policy; nothing was changed. Type one of ${names.join(", ")}.`,
  );
}

function custom(policy: Policy, change: Partial<Policy>): Policy {
  return { ...policy, ...change, preset: "custom" };
}

function second(policy: Policy, change: Partial<SecondPerson>): Policy {
  return { ...policy, secondPerson: { ...policy.secondPerson, ...change } };
}

function kinds(value: string): PassKind[] {
  // What needs no license is no pass under one.
  const counted = passKinds.filter((kind) => !["verify", "trial", "repair"].includes(kind));
  const words = value.split(",").map((word) => word.trim());
  return [...new Set(words.map((word) => one(word, counted)))];
}

function one<Choice extends string>(value: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => same(value, choice));
  if (found !== undefined) return found;
  const known = choices.map((choice) => (choice.includes(" ") ? `"${choice}"` : choice));
  throw new UserError(
    `“${harmless(value, 40)}” cannot be chosen; nothing was changed. ${known.length === 1 ? `This version knows only ${known[0]}` : `Type one of ${known.join(", ")}`}.`,
  );
}

function isOn(value: string): boolean {
  return one(value, ["on", "off"]) === "on";
}

/** A whole number from 1 to 99999, or a refusal that shows one. */
function whole(value: string, example: string): number {
  const number = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (number >= 1) return number;
  throw new UserError(
    `“${harmless(value, 30)}” is not a number from 1 to 99999; nothing was changed. Write it like ${example}.`,
  );
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
