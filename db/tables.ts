import type { BoardStep } from "../engine/domain/board.ts";
import type { Instant } from "../engine/domain/clock.ts";
import type { CutoverState } from "../engine/domain/cutover.ts";
import type { Waiting } from "../engine/domain/errors.ts";
import type { LicenseState, Movement } from "../engine/domain/license.ts";
import type { Phase } from "../engine/domain/mx.ts";
import type { PassKind, PassState } from "../engine/domain/pass.ts";
import type { Role } from "../engine/domain/people.ts";
import type { Voice } from "../engine/domain/project.ts";
import type { Endpoint } from "../engine/domain/provider.ts";
import type { Because } from "../engine/domain/remigration.ts";

import type { ReminderState } from "../engine/domain/reminder.ts";
import type { ScheduleState } from "../engine/domain/schedule.ts";
/** States of a run or pass that has not ended. */
export const activeStates: readonly PassState[] = ["queued", "processing", "paused"];

// Rows as the drivers give them. SQLite answers 0 and 1 for a boolean: ask with `Boolean(…)`.

export interface EndpointRow {
  id: number;
  name: string;
  name_key: string;
  provider: Endpoint["provider"];
  host: string;
  port: number;
  security: Endpoint["security"];
  login: Endpoint["login"];
  master_user: string | null;
  master_format: string;
  /** Sealed, as every password. */
  master_password: string | null;
  ca: string | null;
  fingerprint: string | null;
  inward: boolean;
  /** JSON of a `Pace`; null where nothing was set or said. */
  pace: string | null;
}

export interface ProjectRow {
  id: number;
  name: string;
  name_key: string;
  source_endpoint_id: number;
  target_endpoint_id: number;
  policy: string;
  zone: string;
  filters: string;
  windows: string | null;
  closed: boolean;
}

export interface EntryRow {
  id: number;
  project_id: number;
  source: string;
  source_key: string;
  target: string;
  target_key: string;
  workload: "mailbox";
  source_user: string | null;
  source_password: string | null;
  target_user: string | null;
  target_password: string | null;
  passes_used: number;
  trial_used: boolean;
  license: LicenseState;
  first_success_at: Instant | null;
  closed_at: Instant | null;
  remigration_id: number | null;
  succeeds: number | null;
}

export interface PassRow {
  id: number;
  project_id: number;
  kind: PassKind;
  state: PassState;
  limit_at: Instant | null;
  types: string;
  filters: string;
  policy: string;
  started_by: string;
  thread: string;
  created_at: Instant;
  started_at: Instant | null;
  ended_at: Instant | null;
  /** Who stopped the pass as a whole. */
  stopped_by: string | null;
  root_message: string | null;
  /** When a run of it began last. */
  begun_at: Instant | null;
}

export interface RunRow {
  id: number;
  pass_id: number;
  entry_id: number;
  state: PassState;
  wanted: "run" | "pause" | "stop";
  /** Decides nothing any more: an engine that pauses a run looks at what is wanted. */
  resumed: boolean;
  reason: string | null;
  waiting_for: Waiting | null;
  waiting_until: Instant | null;
  /** In a row, and without anything carried: those that may be the mailbox's own, and those at which the server took nobody. */
  tries: number;
  server_tries: number;
  expected: number | null;
  /** A reservation of its own, neither consumed nor released. */
  reserved: boolean;
  wrote: boolean;
  counted: boolean;
  failure_told: boolean;
  survey: string | null;
  after_run: number | null;
  checked: boolean | null;
}

export interface FolderRow {
  id: number;
  entry_id: number;
  source: string;
  target_folder_id: number | null;
  uid_validity: number | null;
  mark: string | null;
  owed_before: Instant | null;
}

export interface ItemRow {
  folder_id: number;
  uid_validity: number;
  uid: number;
  run_id: number;
  fingerprint: Buffer;
  size: number;
  modseq: number | null;
  target_folder_id: number;
  target_uid_validity: number;
  target_uid: number | null;
  identity: Buffer | null;
  flags: string | null;
}

export interface IntentRow {
  id: number;
  folder_id: number;
  uid_validity: number;
  uids: string;
  target_folder_id: number;
  target_uid_validity: number;
  floor: number;
  settles_at: Instant | null;
  run_id: number | null;
  repairs: boolean;
}

export interface FailureRow {
  folder_id: number;
  uid_validity: number;
  uid: number;
  run_id: number;
  reason: string;
  at: Instant;
}

export interface CounterColumns {
  listed: number;
  migrated: number;
  duplicates: number;
  filtered: number;
  failed: number;
  vanished: number;
  not_carried: number;
  bytes: number;
  changed: number | null;
  gone: number;
  deleted: number;
  dates_clamped: number;
}

export interface MovementRow {
  id: number;
  project_id: number;
  kind: Movement["kind"];
  count: number;
  by: string;
  entry_id: number | null;
  run_id: number | null;
  pass_id: number | null;
  note: string | null;
  at: Instant;
}

export interface NewsTableRow {
  id: number;
  pass_id: number;
  at: Instant;
  body: string;
  delivered: boolean;
}

export interface AuditRow {
  id: number;
  at: Instant;
  who: string;
  project_id: number | null;
  did: string;
  outcome: "done" | "refused" | "failed";
  reference: string | null;
  link: string | null;
}

export interface PlanRow {
  n: number;
  hash: string;
  user: string;
  channel: string;
  project_id: number;
  request: string;
  expires_at: Instant;
  chosen: "start" | "cancel" | null;
  chosen_by: string | null;
  chosen_at: Instant | null;
  forecast: string | null;
}

export interface ApprovalRow {
  n: number;
  project_id: number;
  channel: string;
  line: string;
  bound: string;
  told: string;
  person: string;
  expires_at: Instant;
  chosen: "approve" | "deny" | null;
  chosen_by: string | null;
  chosen_at: Instant | null;
}

export interface RemigrationRow {
  n: number;
  project_id: number;
  because: Because;
  reason: string;
  by: string;
  approved_by: string | null;
  at: Instant;
  accepts_duplicates: boolean;
  released_at: Instant | null;
}

export interface TickRow {
  remigration_n: number;
  item: string;
  by: string | null;
  at: Instant;
  note: string;
}

export interface ScheduleRow {
  n: number;
  project_id: number;
  channel: string;
  person: string;
  approved_by: string | null;
  request: string;
  at: Instant;
  state: ScheduleState;
  pass_id: number | null;
  reason: string | null;
  told: boolean;
}

export interface ReminderRow {
  n: number;
  project_id: number;
  channel: string;
  person: string;
  request: string;
  cron: string | null;
  typed: string | null;
  auto: boolean;
  at: Instant | null;
  state: ReminderState;
  times: number;
  unanswered_since: Instant | null;
  folds: boolean;
  told: boolean;
}

export interface CutoverRow {
  n: number;
  project_id: number;
  channel: string;
  person: string;
  domain: string;
  old_hosts: string;
  wanted_hosts: string;
  planned_at: Instant | null;
  quiet_hours: number;
  at: Instant;
  state: CutoverState;
  known: string;
  seen_at: Instant;
  told: Phase;
  moved_at: Instant | null;
  moved_by: string | null;
  due_at: Instant;
  mail_due_at: Instant | null;
  look: string | null;
  looked_at: Instant | null;
  offers: number;
  offered_at: Instant | null;
  answered_by: string | null;
  answered_at: Instant | null;
  safe_at: Instant | null;
  verdicts: number;
}

interface LateMarkRow {
  cutover_n: number;
  entry_id: number;
  folder: string;
  uid_validity: number;
  uid_next: number;
}

interface LateMailRow {
  cutover_n: number;
  entry_id: number;
  folder: string;
  uid_validity: number;
  uid: number;
  at: Instant;
  from_domain: string | null;
  settled: boolean;
}

export interface BoardStepRow {
  project_id: number;
  step: BoardStep;
  owner: string | null;
  ticked_by: string | null;
  ticked_at: Instant | null;
  note: string;
}

export interface TranscriptRow {
  id: number;
  at: Instant;
  kind: "private" | "post" | "edit" | "reply" | "pass";
  thread: string;
  reader: string | null;
  text: string;
  extra: string;
}

declare module "knex/types/tables.js" {
  interface Tables {
    key_checks: { id: number; sealed: string };
    endpoints: EndpointRow;
    projects: ProjectRow;
    channels: { channel: string; project_id: number; voice: Voice };
    entries: EntryRow;
    owners: { entry_id: number; token: number };
    passes: PassRow;
    runs: RunRow;
    target_folders: { id: number; entry_id: number; path: string };
    folders: FolderRow;
    items: ItemRow;
    intents: IntentRow;
    failures: FailureRow;
    run_folders: CounterColumns & { run_id: number; folder_id: number };
    license_movements: MovementRow;
    news: NewsTableRow;
    audit: AuditRow;
    plans: PlanRow;
    approvals: ApprovalRow;
    schedules: ScheduleRow;
    reminders: ReminderRow;
    boards: { project_id: number; channel: string };
    board_steps: BoardStepRow;
    cutovers: CutoverRow;
    late_marks: LateMarkRow;
    late_mails: LateMailRow;
    remigrations: RemigrationRow;
    ticks: TickRow;
    transcript: TranscriptRow;
    people: { id: string; name: string };
    roles: { project_id: number; person: string; role: Role; by: string; at: Instant };
    contacts: { place: string; how: string };
    posts: { key: string; thread: string };
    inbox: { event: string; at: Instant };
  }
}
