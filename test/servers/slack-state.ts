/** Somebody in the workspace. */
export interface SlackUser {
  id: string;
  name: string;
  email: string;
  team_id: string;
  is_restricted?: boolean;
  is_ultra_restricted?: boolean;
  is_stranger?: boolean;
}

export interface SlackChannel {
  id: string;
  member: boolean;
  archived: boolean;
  /** The person whose direct message it is; null for a channel. */
  direct: string | null;
}

type Block = Record<string, unknown>;

/** A message as it is now. */
export interface SlackMessage {
  channel: string;
  ts: string;
  thread_ts: string | null;
  user: string;
  text: string;
  blocks: Block[];
  metadata: { event_type: string; event_payload: Record<string, unknown> } | null;
  broadcast: boolean;
  /** Seen by this person alone; null where everybody sees it. */
  only: string | null;
  edits: number;
  pinned: boolean;
  /** What it was sent with besides. */
  sent: Record<string, unknown>;
}

export interface SlackView {
  id: string;
  hash: string;
  user: string;
  view: Record<string, unknown>;
  open: boolean;
}

export interface SlackFile {
  id: string;
  name: string;
  content: string;
  /** As they came. */
  bytes?: Buffer;
  /** What a picture shows. */
  alt?: string;
  title?: string;
  channel: string | null;
  thread?: string;
  /** Where Slack says it is; on this server unless set. */
  url?: string;
}

/** A workspace: all that the fake knows. */
export interface SlackState {
  team: string;
  bot: { user: string; id: string; name: string };
  users: SlackUser[];
  channels: SlackChannel[];
  messages: SlackMessage[];
  views: SlackView[];
  files: SlackFile[];
  scopes: Set<string>;
  /** Types of blocks that this workspace does not know. */
  unknownBlocks: Set<string>;
  /** When each trigger was given, and to whom. */
  triggers: Map<string, { user: string; until: number; used: boolean }>;
  responses: Map<string, { user: string; channel: string; until: number; left: number }>;
  /** Time stamps count upwards from here. */
  count: number;
  now(): number;
}

export function slackState(now: () => number): SlackState {
  const person = (id: string, name: string, more: Partial<SlackUser> = {}): SlackUser => ({
    id,
    name,
    email: `${name}@company.example`,
    team_id: "T0TEAM",
    ...more,
  });
  return {
    team: "T0TEAM",
    bot: { user: "U0BOT", id: "B0BOT", name: "migrate" },
    users: [
      person("U0ANA", "ana"),
      person("U0BO", "bo"),
      person("U0GUEST", "gil", { is_restricted: true }),
      person("U0OTHER", "olga", { team_id: "T0OTHER", is_stranger: true }),
      person("U0BOT", "migrate"),
    ],
    channels: [
      { id: "C0ACME", member: true, archived: false, direct: null },
      { id: "C0OUT", member: false, archived: false, direct: null },
      { id: "D0ANA", member: true, archived: false, direct: "U0ANA" },
    ],
    messages: [],
    views: [],
    files: [],
    scopes: new Set(shippedScopes),
    unknownBlocks: new Set(),
    triggers: new Map(),
    responses: new Map(),
    count: 0,
    now,
  };
}

/** What the manifest asks for. */
const shippedScopes = [
  "commands",
  "chat:write",
  "app_mentions:read",
  "channels:read",
  "groups:read",
  "im:history",
  "im:write",
  "users:read",
  "users:read.email",
  "files:read",
  "files:write",
  "pins:write",
];

/** A fresh id, like `U7` or a time stamp. */
export function next(state: SlackState, prefix: string): string {
  state.count += 1;
  return `${prefix}${state.count}`;
}

export function nextTs(state: SlackState): string {
  state.count += 1;
  return `${Math.floor(state.now() / 1000)}.${String(state.count).padStart(6, "0")}`;
}

/** A trigger as a press or a command brings it: good for three seconds, once. */
export function giveTrigger(state: SlackState, user: string): string {
  const trigger = next(state, "trigger.");
  state.triggers.set(trigger, { user, until: state.now() + 3000, used: false });
  return trigger;
}
