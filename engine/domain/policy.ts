import type { Instant } from "./clock.ts";
import type { PassKind } from "./pass.ts";

/** What a vendor counts and allows. Presets as semantics.md lists them; a pass keeps the values it began with. */
export interface Policy {
  preset: "rackspace" | "bittitan" | "cloudiway" | "custom";
  passesPerLicense: number | "unlimited";
  /** Kinds of pass that count, once an item was written or the pass completed. */
  counts: PassKind[];
  /** What happens over the passes a license has, or after its window. */
  overLimit: "block" | "consume" | "ask";
  /** From the first success under a license; null for no window. */
  deltaWindowDays: number | null;
  remigration: "new license" | "new license, target must be empty";
  updates: "never";
  moves: "duplicate";
  nonMail: "first full pass";
  secondPerson: SecondPerson;
}

/**
 * What a second person has to approve, whatever the vendor says: a preset leaves it as it is. Emptying a
 * mailbox always needs one.
 */
export interface SecondPerson {
  remigration: boolean;
  /** Adding licenses to the books. */
  grants: boolean;
  /** Passes over more mailboxes than this; null for none. */
  passesOver: number | null;
}

const oneIsEnough: SecondPerson = { remigration: false, grants: false, passesOver: null };

const field = {
  counts: ["prestage", "full", "delta"] as PassKind[],
  overLimit: "ask",
  updates: "never",
  moves: "duplicate",
  nonMail: "first full pass",
  secondPerson: oneIsEnough,
} as const;

export const presets = {
  rackspace: {
    preset: "rackspace",
    passesPerLicense: 10,
    deltaWindowDays: null,
    remigration: "new license",
    ...field,
  },
  bittitan: {
    preset: "bittitan",
    passesPerLicense: 10,
    deltaWindowDays: null,
    remigration: "new license",
    ...field,
  },
  cloudiway: {
    preset: "cloudiway",
    passesPerLicense: "unlimited",
    deltaWindowDays: 90,
    remigration: "new license, target must be empty",
    ...field,
  },
} as const satisfies Record<string, Policy>;

export type PresetName = keyof typeof presets;

/** A policy as it was kept, which may be from before some of its values were known. */
export function policyFrom(kept: Partial<Policy>): Policy {
  return { ...presets.rackspace, ...kept };
}

const day = 24 * 60 * 60 * 1000;

/** Where the use of a license stands: what policies count from. */
export interface Use {
  passesUsed: number;
  firstSuccessAt: Instant | null;
}

/** What of a policy is used up for an entry; null while it may go on under the license it has. */
export function beyond(policy: Policy, use: Use, now: Instant): "passes" | "window" | null {
  const { passesPerLicense } = policy;
  if (passesPerLicense !== "unlimited" && use.passesUsed >= passesPerLicense) return "passes";
  const until = windowEnd(policy, use);
  return until !== null && now > until ? "window" : null;
}

/** When the deltas of an entry's license are over; null where they never are, or have not begun to count. */
export function windowEnd({ deltaWindowDays }: Policy, { firstSuccessAt }: Use): Instant | null {
  if (deltaWindowDays === null || firstSuccessAt === null) return null;
  return firstSuccessAt + deltaWindowDays * day;
}
