import type { Approvals } from "./domain/approval.ts";
import type { Audit } from "./domain/audit.ts";
import type { Boards } from "./domain/board.ts";
import type { Clock, Instant } from "./domain/clock.ts";
import type { Cutovers } from "./domain/cutover.ts";
import type { MxLookup } from "./domain/dns.ts";
import type { Emptying } from "./domain/emptying.ts";
import { UserError } from "./domain/errors.ts";
import type { Forecaster } from "./domain/forecast.ts";
import type { LateWatch } from "./domain/late-mail.ts";
import type { Licenses } from "./domain/license.ts";
import type { Newsroom } from "./domain/news.ts";
import type { Paces } from "./domain/pace.ts";
import { isKeptToWindows, type Passes, type PassId } from "./domain/pass.ts";
import type { People } from "./domain/people.ts";
import {
  type PassPlan,
  type PassRequest,
  type Plans,
  planPass,
  type WindowOfPlan,
} from "./domain/plan.ts";
import type { Project, ProjectId, Projects } from "./domain/project.ts";
import type { Queue } from "./domain/queue.ts";
import type { Inspector, Remigrations } from "./domain/remigration.ts";
import type { Reminders } from "./domain/reminder.ts";
import type { Schedules } from "./domain/schedule.ts";
import type { Contacts, Inbox, Posts, Thread, Transcript } from "./domain/thread.ts";
import type { Vitals } from "./domain/vitals.ts";
import { isAlwaysOpen, type ZonedWindows } from "./domain/window.ts";
import { closedUntil, closesAt } from "./windows.ts";

/** Everything the bot may touch. */
export interface Desk {
  projects: Projects;
  licenses: Licenses;
  passes: Passes;
  paces: Paces;
  plans: Plans;
  schedules: Schedules;
  reminders: Reminders;
  boards: Boards;
  cutovers: Cutovers;
  dns: MxLookup;
  late: LateWatch;
  forecaster: Forecaster;
  /** Asks as the other does, and takes the time it needs. */
  leftover: Forecaster;
  inspector: Inspector;
  remigrations: Remigrations;
  emptying: Emptying;
  approvals: Approvals;
  newsroom: Newsroom;
  audit: Audit;
  transcript: Transcript;
  people: People;
  contacts: Contacts;
  posts: Posts;
  inbox: Inbox;
  queue: Queue;
  vitals: Vitals;
  clock: Clock;
}

/** What the request would do now. `asked`: a person will see it and can say no. Throws `UserError` like `planPass`. */
export async function preview(
  request: PassRequest,
  project: ProjectId,
  asked: boolean,
  desk: Desk,
): Promise<PassPlan> {
  const [current, entries, balance] = await Promise.all([
    desk.projects.byId(project),
    desk.projects.entries(project),
    desk.licenses.balance(project),
  ]);
  const now = desk.clock.now();
  const plan = planPass(request, current, entries, balance, now, asked);
  const kept = isKeptToWindows(plan.kind);
  return { ...plan, window: kept ? windowAt(current, request.at ?? now) : null };
}

/** Where a moment stands among a project's windows; null where it has none. */
export function windowAt({ windows, zone }: ZonedWindows, at: Instant): WindowOfPlan | null {
  if (isAlwaysOpen(windows)) return null;
  const opens = closedUntil(windows, zone, at);
  return { opens, closes: closesAt(windows, zone, opens ?? at) };
}

/**
 * The one door in: writes pass, runs and reservations in one transaction, then rings for each run.
 * Throws `UserError` when licenses are short or an entry got busy meanwhile, `TakenError` where its schedule has
 * become a pass already; then nothing was written.
 */
export async function submit(
  plan: PassPlan,
  by: { who: string; thread: Thread; schedule?: number },
  desk: Desk,
): Promise<PassId> {
  if (plan.short > 0) throw new UserError(shortOf(plan));
  const pass = await desk.passes.submit({
    project: plan.project.id,
    kind: plan.kind,
    limit: plan.limit,
    types: plan.types,
    filters: plan.filters,
    policy: plan.project.policy,
    startedBy: by.who,
    thread: by.thread,
    ...(by.schedule !== undefined && { schedule: by.schedule }),
    entries: plan.entries.map(({ entry, license }) => ({ entry: entry.id, license })),
  });
  await ringWaiting(desk);
  return pass;
}

/** Rings for what waits; a lost ring is made good by the engines' own look from time to time. */
export async function ringWaiting({
  passes,
  queue,
}: Pick<Desk, "passes" | "queue">): Promise<void> {
  const turns = await passes.turns(1000);
  await Promise.all(turns.map(({ run, turn }) => queue.ring(run, turn)));
}

function shortOf(plan: PassPlan): string {
  return `Uses ${plan.licensesNeeded} ${plan.licensesNeeded === 1 ? "license" : "licenses"}, ${plan.balance.free} free: ${plan.short} short. Nothing was started. Choose fewer mailboxes, or type \`licenses add ${plan.short} --note "order number"\`.`;
}

/** Of the project, for those who only have its name. */
export async function projectNamed(name: string, desk: Desk): Promise<Project> {
  const project = await desk.projects.byName(name);
  if (project === null) {
    throw new UserError(`There is no project ${name}. Type \`list projects\` to see them.`);
  }
  return project;
}
