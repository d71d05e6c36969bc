import { App, HTTPReceiver, SocketModeReceiver, webApi } from "@slack/bolt";
import type { Clock } from "../../../engine/domain/clock.ts";
import { UserError } from "../../../engine/domain/errors.ts";
import type { Secret } from "../../../engine/domain/secret.ts";
import { ChatError, type Handle, type Platform } from "../../surface.ts";
import { type SlackApi, silentLogger, slackApi } from "./api.ts";
import { openDoor } from "./door.ts";
import { chatError } from "./errors.ts";
import { type Hearing, hear } from "./hear.ts";
import { slackMembership } from "./membership.ts";
import { slackPeople } from "./people.ts";
import { keepConnected } from "./socket.ts";
import { slackSurface } from "./surface.ts";
import { slackTriggers } from "./triggers.ts";

export interface SlackOptions {
  botToken: Secret;
  /** With it Slack is heard by Socket Mode; without, by signed HTTP. */
  appToken: Secret | null;
  signingSecret: Secret | null;
  /** Where signed HTTP listens, at /slack/events. */
  host: string;
  port: number;
  /** In place of Slack's own address. */
  apiUrl: string | null;
  log: {
    warn(facts: Record<string, unknown>, text: string): void;
    error(facts: Record<string, unknown>, text: string): void;
  };
  clock: Clock;
}

/** Whom Slack knows us as. */
interface Self {
  team: string;
  teamName: string;
  user: string;
  name: string;
  bot: string;
  url: string;
}

/** Slack, spoken to through its Web API and heard through Bolt. Nothing is asked of Slack before it is needed. */
export async function openSlack(options: SlackOptions): Promise<Platform> {
  const { botToken, apiUrl, clock } = options;
  const api = slackApi({ botToken, apiUrl, clock });
  let known: Self | null = null;
  const self = async () => {
    known ??= await whoWeAre(api);
    return known;
  };
  const triggers = slackTriggers(clock);
  const people = slackPeople(api, clock, async () => (await self()).team);
  const surface = slackSurface({
    api,
    people,
    triggers,
    token: botToken,
    url: () => known?.url ?? null,
  });
  return {
    surface,

    async listen(handle) {
      const us = await self().catch(refusal);
      const members = slackMembership(api, clock, us.name);
      const hearing = hear({
        api,
        people,
        members,
        triggers,
        us,
        token: botToken,
        apiUrl,
        surface,
      });
      return start(options, us, hearing, handle);
    },

    async check() {
      const us = await self().catch(refusal);
      if (options.appToken !== null) await knowsApp(options.appToken, apiUrl);
      const how = options.appToken === null ? "signed HTTP" : "Socket Mode";
      return `Slack, the workspace ${us.teamName}, as @${us.name} (${how})`;
    },
  };
}

async function whoWeAre({ call, speaking }: SlackApi): Promise<Self> {
  const said = await call(() => speaking.auth.test());
  return {
    team: said.team_id ?? "",
    teamName: said.team ?? "",
    user: said.user_id ?? "",
    name: said.user ?? "migrate",
    bot: said.bot_id ?? "",
    url: said.url ?? "https://slack.com/",
  };
}

function refusal(error: unknown): never {
  if (!(error instanceof ChatError)) throw error;
  throw new UserError(`Slack cannot be used: ${error.message} See docs/connect-slack.md.`);
}

async function start(
  options: SlackOptions,
  us: Self,
  hearing: Hearing,
  handle: Handle,
): Promise<AsyncDisposable> {
  const { appToken, signingSecret, host, port, apiUrl, botToken, log, clock } = options;
  const clientOptions = {
    ...(apiUrl === null ? {} : { slackApiUrl: apiUrl }),
    retryConfig: { retries: 0 },
  };
  const receiver =
    appToken !== null
      ? new SocketModeReceiver({
          appToken: appToken.reveal(),
          logger: silentLogger,
          autoReconnectEnabled: false,
          installerOptions: { clientOptions },
        })
      : new HTTPReceiver({
          signingSecret: signingSecret?.reveal() ?? "",
          endpoints: "/slack/events",
          logger: silentLogger,
          bodyLimit: 1024 * 1024,
        });
  const app = new App({
    receiver,
    logger: silentLogger,
    authorize: async () => ({
      botToken: botToken.reveal(),
      botId: us.bot,
      botUserId: us.user,
      teamId: us.team,
    }),
    clientOptions,
  });
  app.error(async (err) => log.error({ err }, "an event of Slack's failed"));
  const busy = hearing.register(app, handle);
  const heard = await (receiver instanceof HTTPReceiver
    ? openDoor(receiver, host, port)
    : keepConnected(receiver, clock, log).catch(refusalOfApp));
  return {
    async [Symbol.asyncDispose]() {
      await heard[Symbol.asyncDispose]();
      await Promise.allSettled(busy);
    },
  };
}

/** Throws where Slack does not know the token that Socket Mode needs. */
async function knowsApp(appToken: Secret, apiUrl: string | null): Promise<void> {
  const client = new webApi.WebClient(appToken.reveal(), {
    ...(apiUrl === null ? {} : { slackApiUrl: apiUrl }),
    retryConfig: { retries: 0 },
    logger: silentLogger,
  });
  await client.apps.connections.open({}).catch(refusalOfApp);
}

function refusalOfApp(error: unknown): never {
  const said = chatError(error);
  if (!(said instanceof ChatError)) throw error;
  const what =
    said.kind === "refused"
      ? "Slack does not know SLACK_APP_TOKEN, or it lacks `connections:write`."
      : said.message;
  throw new UserError(`Slack cannot be heard: ${what} See docs/connect-slack.md.`);
}
