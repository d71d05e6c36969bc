import { createHash } from "node:crypto";
import type { PassPlan, PassRequest } from "../engine/domain/plan.ts";
import { planHash } from "../engine/domain/plan.ts";
import type { Thread } from "../engine/domain/thread.ts";

/**
 * What binds a shown plan to its start: the plan's hash, and behind it a short hash of each of its parts, so
 * that a plan that no longer fits can say what changed.
 */
export function bond(plan: PassPlan, user: string, channel: Thread): string {
  return [planHash(plan, user, channel), ...Object.values(parts(plan)).map(short)].join(".");
}

/** What changed since the bond was made; empty when the plan is the same. */
export function changedSince(
  bound: string,
  plan: PassPlan,
  user: string,
  channel: Thread,
): string[] {
  const [then, now] = [bound.split("."), bond(plan, user, channel).split(".")];
  if (then[0] === now[0]) return [];
  const changed = Object.keys(parts(plan)).filter((_, at) => then[at + 1] !== now[at + 1]);
  return changed.length > 0 ? changed : ["something"];
}

/** What a second person approves: the plan without what is free beside it. */
export function passBond(plan: PassPlan, request: PassRequest): unknown {
  const { kind, types, filters, licensesNeeded } = plan;
  const entries = plan.entries.map(({ entry, license }) => [entry.id, license]);
  // A limit in days moves with the day it is started on; a date is the instant it was when it was shown.
  return [
    kind,
    request.limit,
    request.at ?? null,
    types,
    filters,
    licensesNeeded,
    entries,
    plan.project.policy,
  ];
}

function parts(plan: PassPlan): Record<string, unknown> {
  return {
    "the mailboxes": [
      plan.entries.map((one) => one.entry.id),
      plan.refused.map((one) => one.entry.id),
    ],
    "the licenses": [
      plan.entries.map((one) => one.license),
      plan.licensesNeeded,
      plan.balance.free,
    ],
    "the filters": plan.filters,
    "the policy": plan.project.policy,
  };
}

function short(part: unknown): string {
  return createHash("sha256").update(JSON.stringify(part)).digest("hex").slice(0, 8);
}
