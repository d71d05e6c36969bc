import { randomBytes } from "node:crypto";
import type { Approvals } from "../../engine/domain/approval.ts";
import type { Audit } from "../../engine/domain/audit.ts";
import type { Boards } from "../../engine/domain/board.ts";
import type { Clock } from "../../engine/domain/clock.ts";
import { type Counters, noCounters } from "../../engine/domain/counters.ts";
import type { Cutovers } from "../../engine/domain/cutover.ts";
import type { Ledger, LedgerFolder, Settled, Settlement } from "../../engine/domain/ledger.ts";
import type { Licenses } from "../../engine/domain/license.ts";
import type { News, Newsroom } from "../../engine/domain/news.ts";
import type { Fence, Owned, Owners, Seats } from "../../engine/domain/owner.ts";
import type { Paces } from "../../engine/domain/pace.ts";
import type { NewPass, Passes, PassId, RunId } from "../../engine/domain/pass.ts";
import type { People } from "../../engine/domain/people.ts";
import type { Plans } from "../../engine/domain/plan.ts";
import { type Policy, presets } from "../../engine/domain/policy.ts";
import {
  type Entry,
  type NewEntry,
  noFilters,
  type Project,
  type Projects,
} from "../../engine/domain/project.ts";
import type { Endpoint } from "../../engine/domain/provider.ts";
import type { Remigrations } from "../../engine/domain/remigration.ts";
import type { Reminders } from "../../engine/domain/reminder.ts";
import type { Schedules } from "../../engine/domain/schedule.ts";
import { Secret } from "../../engine/domain/secret.ts";
import type { Contacts, Inbox, Posts, Transcript } from "../../engine/domain/thread.ts";
import type { Vitals } from "../../engine/domain/vitals.ts";

/** Everything that is kept, whatever keeps it. */
export interface Books extends AsyncDisposable {
  projects: Projects;
  licenses: Licenses;
  passes: Passes;
  paces: Paces;
  ledger: Ledger;
  newsroom: Newsroom;
  audit: Audit;
  plans: Plans;
  boards: Boards;
  schedules: Schedules;
  reminders: Reminders;
  cutovers: Cutovers;
  approvals: Approvals;
  remigrations: Remigrations;
  transcript: Transcript;
  people: People;
  contacts: Contacts;
  posts: Posts;
  inbox: Inbox;
  vitals: Vitals;
  owners: Owners & AsyncDisposable;
  seats: Seats & AsyncDisposable;
  clock: Clock & { set(to: number): void };
  /** The same books opened again, as another process would. */
  again(): Promise<Books>;
}

export type OpenBooks = () => Promise<Books>;

export const endpoint = (name: string, change: Partial<Endpoint> = {}): Omit<Endpoint, "id"> => ({
  name,
  provider: "imap",
  host: `${name}.example`,
  port: 993,
  security: "tls",
  login: "master",
  masterUser: "master",
  masterFormat: "star",
  masterPassword: new Secret("master's password"),
  ca: null,
  fingerprint: null,
  inward: true,
  ...change,
});

export const newEntry = (name: string, change: Partial<NewEntry> = {}): NewEntry => ({
  source: `${name}@old.example`,
  target: `${name}@new.example`,
  sourceUser: null,
  sourcePassword: null,
  targetUser: null,
  targetPassword: null,
  ...change,
});

/** A project with these entries and so many licenses. */
export async function acme(
  { projects, licenses }: Pick<Books, "projects" | "licenses">,
  names: string[],
  options: { licenses?: number; policy?: Policy } = {},
): Promise<{ project: Project; entries: Entry[] }> {
  const old = await projects.addEndpoint(endpoint("old"));
  const fresh = await projects.addEndpoint(endpoint("new"));
  const project = await projects.create({
    name: "acme",
    sourceEndpoint: old.id,
    targetEndpoint: fresh.id,
    policy: options.policy ?? presets.rackspace,
    zone: "Europe/Berlin",
  });
  await licenses.grant(project.id, options.licenses ?? 10, "test", "order 4711");
  const entries = await projects.add(
    project.id,
    names.map((name) => newEntry(name)),
  );
  return { project, entries };
}

/** A pass over these entries; by default each reserves a license. */
export function passOver(
  project: Project,
  entries: Entry[],
  change: Partial<NewPass> & { license?: "none" | "reserve" } = {},
): NewPass {
  const { license = "reserve", ...rest } = change;
  return {
    project: project.id,
    kind: "full",
    limit: null,
    types: ["mail"],
    filters: noFilters,
    policy: project.policy,
    startedBy: "local:owner",
    thread: "local:main",
    entries: entries.map((entry) => ({ entry: entry.id, license })),
    ...rest,
  };
}

/** A run begun by an owner of its entry, with a folder to carry. */
export interface Begun extends AsyncDisposable {
  pass: PassId;
  run: RunId;
  fence: Fence;
  folder: LedgerFolder;
}

export async function begun(
  books: Books,
  project: Project,
  entry: Entry,
  change: Parameters<typeof passOver>[2] = {},
): Promise<Begun> {
  const pass = await books.passes.submit(passOver(project, [entry], change));
  const [run] = (await books.passes.snapshot(pass)).runs;
  const owned = await own(books, entry);
  await books.passes.begin(run!.id, owned.fence);
  const folder = await books.ledger.folder(entry.id, "INBOX", owned.fence);
  return {
    pass,
    run: run!.id,
    fence: owned.fence,
    folder,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

export async function own(books: Books, entry: Entry): Promise<Owned> {
  const owned = await books.owners.take(entry.id);
  if (owned === null) throw new Error(`${entry.source} has an owner.`);
  return owned;
}

export const item = (uid: number, change: Partial<Settled> = {}): Settled => ({
  uid,
  fingerprint: randomBytes(16),
  modseq: 7,
  size: 100,
  targetUidValidity: 1,
  targetUid: uid + 1000,
  identity: null,
  flags: [],
  ...change,
});

/** Intends and settles these items in the INBOX of both sides. */
export async function carry(
  books: Books,
  { run, fence, folder }: Pick<Begun, "run" | "fence" | "folder">,
  items: Settled[],
  change: Partial<Settlement> = {},
): Promise<void> {
  const intent = await intend(
    books,
    { run, fence, folder },
    items.map(({ uid }) => uid),
  );
  await books.ledger.settle(
    {
      run,
      intent,
      folder: folder.id,
      uidValidity: 1,
      items,
      failed: [],
      counters: counted({ listed: items.length, migrated: items.length }),
      ...change,
    },
    fence,
  );
}

export function intend(
  { ledger }: Books,
  { run, fence, folder }: Pick<Begun, "run" | "fence" | "folder">,
  uids: number[],
): Promise<number> {
  return ledger.intend(
    {
      folder: folder.id,
      uidValidity: 1,
      uids,
      target: "INBOX",
      targetUidValidity: 1,
      floor: 1,
      run,
      repairs: false,
    },
    fence,
  );
}

export const counted = (change: Partial<Counters>): Counters => ({ ...noCounters(), ...change });

export const completed = { state: "completed", reason: null, survey: null } as const;
export const stopped = { state: "stopped", reason: null, survey: null } as const;
export const failed = { state: "failed", reason: "login refused", survey: null } as const;
export const paused = { state: "paused", reason: null, survey: null } as const;

/** The news of a pass not yet delivered, in order. */
export async function newsOf({ newsroom }: Books, pass: PassId): Promise<News[]> {
  const rows = await newsroom.undelivered(1000);
  return rows.filter((row) => row.pass === pass).map((row) => row.news);
}
