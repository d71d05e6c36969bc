import type { Instant } from "./clock.ts";
import type { LicenseState } from "./license.ts";
import type { Policy } from "./policy.ts";
import type { Address, Endpoint } from "./provider.ts";
import type { Secret } from "./secret.ts";
import type { Thread } from "./thread.ts";
import type { Windows } from "./window.ts";

export type ProjectId = number & { readonly brand?: "ProjectId" };
export type EntryId = number & { readonly brand?: "EntryId" };

/** Two endpoints, a list of entries, a policy and a time zone. */
export interface Project {
  id: ProjectId;
  name: string;
  sourceEndpoint: { id: number; name: string };
  targetEndpoint: { id: number; name: string };
  policy: Policy;
  /** IANA name. */
  zone: string;
  filters: Filters;
  windows: Windows;
  closed: boolean;
}

/**
 * A project's "Advanced Options". Dates are compared with the create date; patterns match the source
 * folder's path with `/` between its names, `*` for any run of characters, without regard to case.
 */
export interface Filters {
  after: Instant | null;
  before: Instant | null;
  include: string[];
  exclude: string[];
  /** Source folder to target folder, both with `/` between names. */
  map: Record<string, string>;
  /** Bytes. */
  maxItemSize: number | null;
}

export const noFilters: Filters = {
  after: null,
  before: null,
  include: [],
  exclude: [],
  map: {},
  maxItemSize: null,
};

/** One line of the list: whose data goes where. */
export interface Entry {
  id: EntryId;
  project: ProjectId;
  source: string;
  target: string;
  workload: "mailbox";
  /** Passes counted since the license in use was assigned. */
  passesUsed: number;
  /** A trial is given once. */
  trialUsed: boolean;
  license: LicenseState;
  /** When its first pass that wrote something ended well; windows of a policy count from here. */
  firstSuccessAt: Instant | null;
  /** Why it cannot run, in words for the thread; null when it can. */
  notReady: string | null;
  /** The pass that has it now, if any. */
  busyWith: number | null;
  /** State of its latest run. */
  lastState: string | null;
  /** When another took its place; null while it is the one that is carried. */
  closedAt: Instant | null;
  /** The remigration that made it, and the entry whose place it took. */
  remigration: number | null;
  /** Of a remigration none of whose mailboxes was carried and checked yet: one of them goes first. */
  unchecked: boolean;
  succeeds: EntryId | null;
}

/** How much a channel is told: `quiet` the least, `verbose` each mailbox by itself. */
export type Voice = "quiet" | "normal" | "verbose";

export interface NewProject {
  name: string;
  sourceEndpoint: number;
  targetEndpoint: number;
  policy: Policy;
  zone: string;
}

export interface NewEntry {
  source: string;
  target: string;
  /** Login names and passwords of their own, for endpoints with `--login user`. */
  sourceUser: string | null;
  sourcePassword: Secret | null;
  targetUser: string | null;
  targetPassword: Secret | null;
}

/** An entry's own login names and passwords, where they are to change. */
export type Login = { entry: EntryId } & Pick<
  NewEntry,
  "sourceUser" | "sourcePassword" | "targetUser" | "targetPassword"
>;

/** What is to change of an endpoint; what is left out stays. Its password can be forgotten here and not be set. */
export type EndpointChange = Partial<
  Pick<
    Endpoint,
    "host" | "port" | "security" | "masterUser" | "masterFormat" | "ca" | "fingerprint" | "inward"
  >
> & { masterPassword?: null };

export interface ChangedEndpoint {
  was: Endpoint;
  is: Endpoint;
  /** Whether anything was ever carried from it or to it. */
  carried: boolean;
}

export type ProjectChange = Partial<
  Pick<Project, "policy" | "zone" | "filters" | "windows" | "closed">
>;

/** Projects, their endpoints and entries, and which channel is about which project. Secrets are sealed on the way in. */
export interface Projects {
  /** Throws `UserError` when the name is taken. */
  create(project: NewProject): Promise<Project>;
  byId(id: ProjectId): Promise<Project>;
  byName(name: string): Promise<Project | null>;
  list(): Promise<Project[]>;
  /**
   * `change` as such, or made of the project as it stands: then nobody changes it in between. With other windows or
   * another zone, runs that wait for their window wait for an engine again.
   */
  change(
    id: ProjectId,
    change: ProjectChange | ((now: Project) => ProjectChange),
  ): Promise<Project>;

  /** One channel, one project. */
  link(channel: Thread, project: ProjectId): Promise<void>;
  unlink(channel: Thread): Promise<void>;
  linked(channel: Thread): Promise<Project | null>;
  /** Every channel that is about it. */
  channels(project: ProjectId): Promise<Thread[]>;
  /** How much a linked channel is told; `normal` until it is set. */
  voice(channel: Thread): Promise<Voice>;
  setVoice(channel: Thread, voice: Voice): Promise<void>;

  /** Throws `UserError` when the name is taken. */
  addEndpoint(endpoint: Omit<Endpoint, "id">): Promise<Endpoint>;
  endpoints(): Promise<Endpoint[]>;
  endpoint(name: string): Promise<Endpoint | null>;
  setMasterPassword(endpoint: number, password: Secret): Promise<void>;
  /**
   * `change` is made of the endpoint as it stands, and of how many mailboxes on it have a password of their own; nobody
   * changes it in between. Throws `UserError` while a pass of one of its projects is queued or processing, and none
   * begins meanwhile; a paused one goes on with what the endpoint is then.
   */
  changeEndpoint(
    endpoint: number,
    change: (now: Endpoint, ownPasswords: number) => EndpointChange,
  ): Promise<ChangedEndpoint>;

  /** All or none. Throws `UserError` naming each entry whose source or target the project already has. */
  add(project: ProjectId, entries: NewEntry[]): Promise<Entry[]>;
  /**
   * Gives entries that are there their own login names and passwords anew, all or none; null leaves what is kept.
   */
  setLogins(logins: Login[]): Promise<void>;
  /** Those that are carried, by the order they were added. */
  entries(project: ProjectId): Promise<Entry[]>;
  /** Those another took the place of, by the order they were added. */
  closedEntries(project: ProjectId): Promise<Entry[]>;
  entry(id: EntryId): Promise<Entry>;
  /** How to reach both ends, secrets opened. Throws `UserError` when a secret is missing. */
  addresses(id: EntryId): Promise<{ source: Address; target: Address }>;
}
