import { createHash } from "node:crypto";
import type { Instant } from "./clock.ts";
import { firstOf, UserError } from "./errors.ts";
import type { Forecast } from "./forecast.ts";
import type { ItemType } from "./item.ts";
import { type Balance, type Warning, warnings } from "./license.ts";
import type { PassKind } from "./pass.ts";
import { beyond } from "./policy.ts";
import type { Entry, Filters, Project } from "./project.ts";
import type { Thread } from "./thread.ts";

/** A pass as a person asked for it. */
export interface PassRequest {
  kind: PassKind;
  /** For a prestage: an absolute instant, or a length before the start. */
  limit: { at: Instant } | { days: number } | null;
  /** Addresses (source or target) and globs; empty for the whole project. */
  selection: string[];
  /** Null for all that the kind carries. */
  types: ItemType[] | null;
  /** When it is to start; left out for now. */
  at?: Instant;
}

/** What a request would do now. */
export interface PassPlan {
  kind: PassKind;
  project: Project;
  limit: Instant | null;
  types: ItemType[];
  /** Who will run, and what each costs and has left. `passesLeft` counts this pass as not yet used. */
  entries: { entry: Entry; license: "none" | "reserve"; passesLeft: number | "unlimited" }[];
  /** Chosen but not able to run, with the reason. */
  refused: { entry: Entry; reason: string }[];
  licensesNeeded: number;
  balance: Balance;
  /** Licenses missing; 0 when it can start. */
  short: number;
  /** Filters this pass does not obey. */
  overridden: ("after" | "before")[];
  filters: Filters;
  /** Entries over their policy's limit or window that would use one more license. */
  overLimit: Entry[];
  /** Of each remigration that was not checked yet: who goes first, and who waits for that. */
  first: { entry: Entry; others: Entry[] }[];
  /** What runs out once this pass has what it reserves. */
  warnings: Warning[];
  /** What the project's windows do to it; null where they do nothing. Zones decide it: `preview` fills it in. */
  window: WindowOfPlan | null;
}

/** Where a pass stands among its project's windows at the time it is to start. */
export interface WindowOfPlan {
  /** When it really begins; null where it may carry at once. */
  opens: Instant | null;
  /** When it is cut the first time; null where that is out of sight. */
  closes: Instant | null;
}

const day = 24 * 60 * 60 * 1000;

/**
 * Decides which entries a request touches and what it may use. Pure: same request, same state, same plan.
 * `asked`: somebody can still say no to what it shows; without that, a policy's `ask` is a refusal.
 * Throws `UserError` when nothing can start, saying what to type instead; being short of licenses is no
 * error but a number of the plan.
 */
export function planPass(
  request: PassRequest,
  project: Project,
  entries: Entry[],
  balance: Balance,
  now: Instant,
  asked: boolean,
): PassPlan {
  if (project.closed)
    throw new UserError(`The project ${project.name} is closed; nothing was started.`);
  if (entries.length === 0) {
    throw new UserError(
      `The project ${project.name} has no mailboxes yet. Type \`add <source> <target>\` or \`import <file.csv>\` first.`,
    );
  }
  const types = typesOf(request);
  // A length is counted from the start.
  const limit = limitOf(request, request.at ?? now);
  const chosen = choose(request.selection, entries);
  const plan: PassPlan = {
    kind: request.kind,
    project,
    limit,
    types,
    entries: [],
    refused: [],
    licensesNeeded: 0,
    balance,
    short: 0,
    overridden: overridden(request.kind, project.filters),
    filters: project.filters,
    overLimit: [],
    first: [],
    warnings: [],
    window: null,
  };
  for (const entry of chosen) {
    const reason = notReady(request, entry);
    if (reason !== null) plan.refused.push({ entry, reason });
    else admit(plan, entry, now, asked);
  }
  if (plan.entries.length === 0) {
    const why = plan.refused.map((one) => `${one.entry.source}: ${one.reason}`);
    throw new UserError(`Nothing was started. ${firstOf(why, "; ")}.`);
  }
  plan.short = Math.max(0, plan.licensesNeeded - balance.free);
  plan.first = goingFirst(plan);
  const reserving = new Set(
    plan.entries.filter(({ license }) => license === "reserve").map(({ entry }) => entry.id),
  );
  const others = entries.filter(({ id }) => !reserving.has(id));
  const left = { ...balance, free: Math.max(0, balance.free - plan.licensesNeeded) };
  plan.warnings = warnings(project.policy, others, left, now);
  return plan;
}

function goingFirst({ kind, entries }: PassPlan): PassPlan["first"] {
  if (kind === "verify" || kind === "trial" || kind === "repair") return [];
  const unchecked = entries.flatMap(({ entry }) => (entry.unchecked ? entry : []));
  const groups = Map.groupBy(unchecked, ({ remigration }) => remigration).values();
  return [...groups].flatMap(([entry, ...others]) =>
    entry === undefined || others.length === 0 ? [] : { entry, others },
  );
}

/** Whether it is over more mailboxes than one person may start alone. A verify writes nothing. */
export function overSecondPerson({ kind, entries, project }: PassPlan): boolean {
  const { passesOver } = project.policy.secondPerson;
  return passesOver !== null && entries.length > passesOver && kind !== "verify";
}

/** Binds a plan that waits for its `start`: another hash means the source of its numbers has changed. */
export function planHash(plan: PassPlan, user: string, channel: Thread): string {
  const bound = {
    user,
    channel,
    project: plan.project.id,
    kind: plan.kind,
    types: plan.types,
    entries: plan.entries.map((one) => [one.entry.id, one.license]),
    refused: plan.refused.map((one) => one.entry.id),
    needed: plan.licensesNeeded,
    free: plan.balance.free,
    filters: plan.filters,
    policy: plan.project.policy,
  };
  return createHash("sha256").update(JSON.stringify(bound)).digest("hex");
}

function typesOf(request: PassRequest): ItemType[] {
  const types = request.types ?? ["mail"];
  if (request.kind === "prestage" && types.some((type) => type !== "mail")) {
    // Nobody may choose them for it, the owner included: what was carried is never updated (semantics 1).
    throw new UserError(
      "A pre-stage carries mail only: calendars, contacts, tasks, journals and notes still change until the cutover, and changes to carried items are not carried. Nothing was started. Leave out `--types`, and type `full` after the cutover for the rest.",
    );
  }
  const strange = types.filter((type) => type !== "mail");
  if (strange.length > 0) {
    throw new UserError(
      `These endpoints carry mail only; ${strange.join(", ")} cannot be chosen yet. Nothing was started. Type \`--types mail\` or leave it out.`,
    );
  }
  return types;
}

function limitOf(request: PassRequest, now: Instant): Instant | null {
  if (request.kind !== "prestage") return null;
  if (request.limit === null) {
    throw new UserError(
      "A pre-stage needs a limit: type `prestage 90d`, or a date as in `prestage 2026-08-01`.",
    );
  }
  const limit = "at" in request.limit ? request.limit.at : now - request.limit.days * day;
  if (limit > now) {
    throw new UserError(
      "The limit of a pre-stage lies in the future; it carries mail created before a day that has passed. Nothing was started. Type `prestage 90d`, or a date as in `prestage 2026-08-01`.",
    );
  }
  return limit;
}

/** The entries that addresses and globs mean; all for none. Throws `UserError` naming words that match nothing. */
export function choose(selection: string[], entries: Entry[]): Entry[] {
  if (selection.length === 0) return entries;
  const chosen = new Set<Entry>();
  const unmatched: string[] = [];
  for (const word of selection) {
    const pattern = glob(word);
    const matching = entries.filter(
      (entry) => pattern.test(entry.source) || pattern.test(entry.target),
    );
    if (matching.length === 0) unmatched.push(word);
    for (const entry of matching) chosen.add(entry);
  }
  if (unmatched.length > 0) {
    throw new UserError(
      `No mailbox of this project matches ${firstOf(unmatched, ", ")}; nothing was started. Type \`list\` to see them.`,
    );
  }
  return entries.filter((entry) => chosen.has(entry));
}

/** `*` stands for any characters, `?` for one; case does not matter. */
export function glob(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*+/g, ".*").replace(/\?/g, ".")}$`, "iu");
}

function notReady({ kind, at }: PassRequest, entry: Entry): string | null {
  if (entry.notReady !== null) return entry.notReady;
  // What runs now may have ended by the time it is to start.
  if (entry.busyWith !== null && at === undefined)
    return `already running in pass ${entry.busyWith}`;
  if (kind === "trial" && entry.trialUsed)
    return "its trial has been used; type `prestage 90d` or `full`";
  if (kind === "repair" && entry.lastState === null) {
    return "nothing was carried from it yet; type `prestage 90d` or `full`";
  }
  return null;
}

function admit(plan: PassPlan, entry: Entry, now: Instant, asked: boolean): void {
  const { policy } = plan.project;
  const limit = policy.passesPerLicense;
  const passesLeft = limit === "unlimited" ? limit : Math.max(0, limit - entry.passesUsed);
  if (plan.kind === "verify" || plan.kind === "trial" || plan.kind === "repair") {
    plan.entries.push({ entry, license: "none", passesLeft });
    return;
  }
  if (entry.license !== "consumed") {
    plan.entries.push({ entry, license: "reserve", passesLeft: limit });
    plan.licensesNeeded += 1;
    return;
  }
  const over = plan.kind === "retry" ? null : overLimit(plan, entry, now);
  if (over === null) {
    plan.entries.push({ entry, license: "none", passesLeft });
    return;
  }
  if (policy.overLimit === "block") {
    plan.refused.push({ entry, reason: `${over}, and the policy says block` });
    return;
  }
  if (policy.overLimit === "ask" && !asked) {
    plan.refused.push({
      entry,
      reason: `${over}, the policy says to ask before it uses one more license, and there is nobody to ask: type the command without \`--yes\``,
    });
    return;
  }
  plan.overLimit.push(entry);
  plan.entries.push({ entry, license: "reserve", passesLeft: limit });
  plan.licensesNeeded += 1;
}

function overLimit(plan: PassPlan, entry: Entry, now: Instant): string | null {
  const { policy } = plan.project;
  switch (beyond(policy, entry, now)) {
    case null:
      return null;
    case "passes":
      return `${entry.passesUsed} of ${policy.passesPerLicense} passes are used`;
    case "window":
      return `its ${policy.deltaWindowDays} days of deltas are over`;
  }
}

function overridden(kind: PassKind, filters: Filters): ("after" | "before")[] {
  if (kind !== "prestage" && kind !== "full" && kind !== "delta") return [];
  return (["after", "before"] as const).filter((name) => filters[name] !== null);
}

/** A plan shown and not yet started. */
export interface KeptPlan {
  n: number;
  hash: string;
  user: string;
  channel: Thread;
  project: number;
  request: PassRequest;
  /** What both servers listed when it was shown. */
  forecast: Forecast;
  expiresAt: Instant;
  /** What somebody chose; null while it waits. */
  chosen: { what: "start" | "cancel"; by: string; at: Instant } | null;
}

/** Plans that wait for `start` or `cancel`. */
export interface Plans {
  keep(plan: Omit<KeptPlan, "n" | "chosen">): Promise<number>;
  /** Chooses for a plan, once: false where somebody chose before, or there is none. */
  choose(n: number, chosen: NonNullable<KeptPlan["chosen"]>): Promise<boolean>;
  /** The plan of this number; null where there is none. */
  look(n: number): Promise<KeptPlan | null>;
}
