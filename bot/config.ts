import { z } from "zod";
import { UserError } from "../engine/domain/errors.ts";
import { type NameServer, readNameServer } from "../engine/domain/name-server.ts";
import { hidePassword, Secret } from "../engine/domain/secret.ts";
import { type BoardConfig, boardOf, isOrigin } from "./queue-board/address.ts";

const text = z.string().trim();
const unset = (value: unknown) => (value === "" ? undefined : value);

const port = z.coerce
  .number("must be a port, a number from 1 to 65535")
  .int("must be a port, a number from 1 to 65535")
  .min(1, "must be a port, a number from 1 to 65535")
  .max(65_535, "must be a port, a number from 1 to 65535");

const nameServers = text.transform((value, context): NameServer[] => {
  const servers = [...new Set(list(value))].map(readNameServer);
  const good = servers.filter((one) => one !== null);
  if (good.length === 0 || good.length < servers.length || good.length > 16) {
    context.addIssue(
      "must be at most 16 IP addresses, separated by commas, like 192.0.2.1,192.0.2.1:5353,[2001:db8::1]:5353",
    );
  }
  return good;
});

const queueUrl = text
  .refine(
    (value) =>
      /^(rediss?|postgres(ql)?):\/\/./i.test(value) && URL.canParse(value) && isReadable(value),
    "must be an address like redis://user:password@host:6379/0, rediss://… or postgres://user@host/database; write / and @ in a password as %2F and %40",
  )
  .refine(
    (value) => !/^rediss?:/i.test(value) || namesRedis(value),
    "must be an address like redis://user:password@host:6379/0: what stands behind the host is the number of a database there",
  );

const shape = z.object({
  DATABASE_URL: z.preprocess(unset, text.default("sqlite:./godwit.db")),
  QUEUE_URL: z.preprocess(unset, queueUrl.optional()),
  GODWIT_KEYS: z.preprocess(unset, text.optional()),
  GODWIT_OWNERS: z.preprocess(unset, text.default("")),
  GODWIT_ENDPOINTS_ALLOWED: z.preprocess(unset, text.default("")),
  GODWIT_QUIET_SECONDS: z.preprocess(
    unset,
    z.coerce
      .number("must be a number of seconds, like 30")
      .min(0, "must be 0 or more seconds")
      .max(86_400, "must be at most 86400 seconds")
      .default(30),
  ),
  GODWIT_MAILBOXES: z.preprocess(
    unset,
    z.coerce
      .number("must be a number of mailboxes, like 4")
      .int("must be a whole number of mailboxes")
      .min(1, "must be 1 or more")
      .max(64, "must be at most 64: start more engines instead")
      .default(4),
  ),
  GODWIT_RESOLVERS: z.preprocess(unset, nameServers.optional()),
  GODWIT_AUTHORITATIVE: z.preprocess(unset, nameServers.optional()),
  GODWIT_HOST: z.preprocess(unset, text.default("127.0.0.1")),
  GODWIT_PORT: z.preprocess(unset, port.default(4980)),
  GODWIT_HEALTH_PORT: z.preprocess(unset, port.optional()),
  GODWIT_BOARD_PORT: z.preprocess(unset, port.optional()),
  GODWIT_BOARD_URL: z.preprocess(
    unset,
    text
      .refine(isOrigin, "must be an address like https://queue.example.com, without a path")
      .optional(),
  ),
  SLACK_BOT_TOKEN: z.preprocess(
    unset,
    text.startsWith("xoxb-", "must be a bot token, which begins with xoxb-").optional(),
  ),
  SLACK_APP_TOKEN: z.preprocess(
    unset,
    text.startsWith("xapp-", "must be an app-level token, which begins with xapp-").optional(),
  ),
  SLACK_SIGNING_SECRET: z.preprocess(unset, text.optional()),
  SLACK_API_URL: z.preprocess(unset, z.url("must be an address like https://…").optional()),
  MICROSOFT_APP_ID: z.preprocess(unset, text.optional()),
  MICROSOFT_APP_PASSWORD: z.preprocess(unset, text.optional()),
  MICROSOFT_APP_TENANT_ID: z.preprocess(unset, text.optional()),
  TEAMS_PORT: z.preprocess(unset, port.optional()),
  LOG_LEVEL: z.preprocess(
    unset,
    z
      .enum(["trace", "debug", "info", "warn", "error", "silent"], {
        error: "must be one of trace, debug, info, warn, error, silent",
      })
      .default("warn"),
  ),
});

/** The product's own settings, checked. */
export interface Config {
  databaseUrl: string;
  /** Null for the queue within one process. */
  queueUrl: string | null;
  keys: string | null;
  owners: string[];
  endpointsAllowed: string[];
  quietMs: number;
  /** Carried at the same time by an engine. */
  mailboxes: number;
  /** Who is asked for a domain's MX: null for this machine's own resolvers and public ones, and for the zone's servers. */
  dns: { resolvers: NameServer[] | null; authoritative: NameServer[] | null };
  /** Where what comes from outside is heard: Slack's signed requests, Teams, and who watches Godwit. */
  host: string;
  /** Of the local page, and of Slack's signed requests. */
  port: number;
  /** Where who watches Godwit asks; null for nowhere. */
  healthPort: number | null;
  /** Where owners look at the queue; null for nowhere. */
  board: BoardConfig | null;
  /** Null where Slack is not connected. */
  slack: SlackConfig | null;
  /** Null where Teams is not connected. */
  teams: TeamsConfig | null;
  logLevel: string;
}

/** Socket Mode where there is an app token, signed HTTP otherwise. */
export interface SlackConfig {
  botToken: Secret;
  appToken: Secret | null;
  signingSecret: Secret | null;
  apiUrl: string | null;
}

/** Without an app id only for a test client on this machine. */
export interface TeamsConfig {
  appId: string | null;
  appPassword: Secret | null;
  tenantId: string | null;
  port: number;
}

/**
 * Reads the configuration from the environment. Throws `UserError` naming every variable that is wrong, and
 * never repeats a value.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const read = shape.safeParse(env);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
    throw new UserError(
      `The configuration cannot be used: ${faults.join("; ")}. See .env.example.`,
    );
  }
  const values = read.data;
  for (const url of [values.DATABASE_URL, values.QUEUE_URL ?? ""]) hidePassword(url);
  if (values.QUEUE_URL !== undefined && /^sqlite:/i.test(values.DATABASE_URL)) {
    throw new UserError(
      "QUEUE_URL is set, and DATABASE_URL is an SQLite file, which several machines cannot share. Set DATABASE_URL like postgres://user@host/name, or unset QUEUE_URL: one process needs none.",
    );
  }
  return {
    databaseUrl: values.DATABASE_URL,
    queueUrl: values.QUEUE_URL ?? null,
    keys: values.GODWIT_KEYS ?? null,
    owners: list(values.GODWIT_OWNERS),
    endpointsAllowed: list(values.GODWIT_ENDPOINTS_ALLOWED),
    quietMs: values.GODWIT_QUIET_SECONDS * 1000,
    mailboxes: values.GODWIT_MAILBOXES,
    dns: {
      resolvers: values.GODWIT_RESOLVERS ?? null,
      authoritative: values.GODWIT_AUTHORITATIVE ?? null,
    },
    host: values.GODWIT_HOST,
    port: values.GODWIT_PORT,
    healthPort: healthPortOf(values),
    board: boardOf(values),
    slack: slackOf(values),
    teams: teamsOf(values),
    logLevel: values.LOG_LEVEL,
  };
}

type Values = z.infer<typeof shape>;

function healthPortOf({ GODWIT_HEALTH_PORT, GODWIT_PORT, TEAMS_PORT }: Values): number | null {
  if (GODWIT_HEALTH_PORT === undefined) return null;
  if (GODWIT_HEALTH_PORT === GODWIT_PORT || GODWIT_HEALTH_PORT === (TEAMS_PORT ?? 3978)) {
    throw new UserError(
      "GODWIT_HEALTH_PORT is the port of something else: of GODWIT_PORT or TEAMS_PORT. Set it to one of its own, like 9464, or unset it: then nobody can watch Godwit. See docs/operate.md.",
    );
  }
  return GODWIT_HEALTH_PORT;
}

function slackOf(values: Values): SlackConfig | null {
  const { SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET, SLACK_API_URL } = values;
  if (SLACK_BOT_TOKEN === undefined) {
    if (SLACK_APP_TOKEN === undefined && SLACK_SIGNING_SECRET === undefined) return null;
    throw new UserError(
      "SLACK_BOT_TOKEN is not set, and Slack cannot be spoken to without. Set it, or unset the other SLACK_ variables. See docs/connect-slack.md.",
    );
  }
  if (SLACK_APP_TOKEN === undefined && SLACK_SIGNING_SECRET === undefined) {
    throw new UserError(
      "SLACK_BOT_TOKEN is set, and nothing to hear Slack by. Set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP). See docs/connect-slack.md.",
    );
  }
  return {
    botToken: new Secret(SLACK_BOT_TOKEN),
    appToken: SLACK_APP_TOKEN === undefined ? null : new Secret(SLACK_APP_TOKEN),
    signingSecret: SLACK_SIGNING_SECRET === undefined ? null : new Secret(SLACK_SIGNING_SECRET),
    apiUrl: SLACK_API_URL ?? null,
  };
}

function teamsOf(values: Values): TeamsConfig | null {
  const { MICROSOFT_APP_ID, MICROSOFT_APP_PASSWORD, MICROSOFT_APP_TENANT_ID, TEAMS_PORT } = values;
  if (MICROSOFT_APP_ID === undefined) {
    if (TEAMS_PORT === undefined && MICROSOFT_APP_PASSWORD === undefined) return null;
    if (MICROSOFT_APP_PASSWORD !== undefined) {
      throw new UserError(
        "MICROSOFT_APP_PASSWORD is set and MICROSOFT_APP_ID is not. Set both, or neither. See docs/connect-teams.md.",
      );
    }
  } else if (MICROSOFT_APP_PASSWORD === undefined || MICROSOFT_APP_TENANT_ID === undefined) {
    throw new UserError(
      "MICROSOFT_APP_ID is set; MICROSOFT_APP_PASSWORD and MICROSOFT_APP_TENANT_ID belong to it. See docs/connect-teams.md.",
    );
  }
  return {
    appId: MICROSOFT_APP_ID ?? null,
    appPassword: MICROSOFT_APP_PASSWORD === undefined ? null : new Secret(MICROSOFT_APP_PASSWORD),
    tenantId: MICROSOFT_APP_TENANT_ID ?? null,
    port: TEAMS_PORT ?? 3978,
  };
}

function list(value: string): string[] {
  return value
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

/** ioredis takes a word for a number, and its error is nobody's to catch. */
function namesRedis(url: string): boolean {
  const asked = URL.parse(url)?.searchParams.get("db") ?? "0";
  return /^rediss?:\/\/[^/?#]+(\/\d*)?(\?.*)?$/i.test(url) && /^\d+$/.test(asked);
}

/** Whether name and password of a URL can be read: a lone % makes neither. */
function isReadable(url: string): boolean {
  try {
    const { username, password } = new URL(url);
    return decodeURIComponent(username + password) !== null;
  } catch {
    return false;
  }
}
