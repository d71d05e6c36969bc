import {
  type Activity,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type ConversationReference,
  TeamsInfo,
  type TurnContext,
} from "botbuilder";
import type { Secret } from "../../../engine/domain/secret.ts";
import { ChatError } from "../../surface.ts";
import { chatError } from "./errors.ts";

/** How a conversation is reached: what Teams said of it when it was last heard from. */
export interface Reach {
  serviceUrl: string;
  bot: { id: string; name: string };
  tenant: string | null;
}

/** Somebody in a conversation, as Teams has them in its roster. */
export interface Member {
  id: string;
  directoryId: string | null;
  name: string;
  role: string | null;
  tenant: string | null;
}

/** Teams itself, as far as it is spoken to. Everything throws `ChatError` where it is not taken. */
export interface Connector {
  /** Says something and answers the message's id. */
  send(reach: Reach, conversation: string, activity: Partial<Activity>): Promise<string>;
  update(
    reach: Reach,
    conversation: string,
    id: string,
    activity: Partial<Activity>,
  ): Promise<void>;
  /** The personal chat with somebody, made where there is none. */
  chatWith(reach: Reach, member: string): Promise<string>;
  /** Null where nobody there is called that. */
  member(reach: Reach, conversation: string, id: string): Promise<Member | null>;
  /** Throws unless what came with this header is from Teams: `unreachable` where that cannot be told now. */
  authenticate(activity: Activity, header: string): Promise<void>;
  /** Throws `ChatError` unless Microsoft accepts our password. */
  signIn(): Promise<void>;
}

export interface Identity {
  appId: string;
  appPassword: Secret;
  tenantId: string;
  /** Where the keys of Teams' signatures are described; null for Microsoft's own address. */
  keysUrl: string | null;
}

/** What botbuilder speaks to Teams with, in the parts that it does not show otherwise. */
interface Client {
  client: { pipeline: { removePolicy(which: { name: string }): unknown } };
  conversations: { createConversation(asked: object): Promise<{ id: string }> };
  credentials?: { getToken?(): Promise<unknown> };
}

/** Whatever Teams does not answer within this may still have been done. */
const patience = 20_000;
const service = "https://api.botframework.com";
const publicService = "https://smba.trafficmanager.net/teams/";

/** Botbuilder, the one file that knows it. Without an identity nothing is signed: for a test client here. */
export function botbuilderConnector(identity: Identity | null): Connector {
  const auth = new ConfigurationBotFrameworkAuthentication(
    identity === null
      ? {}
      : {
          MicrosoftAppId: identity.appId,
          MicrosoftAppPassword: identity.appPassword.reveal(),
          MicrosoftAppTenantId: identity.tenantId,
          MicrosoftAppType: "SingleTenant",
          ...(identity.keysUrl === null ? {} : elsewhere(identity.keysUrl)),
        },
  );
  const adapter = new CloudAdapter(auth);
  const appId = identity?.appId ?? "";

  const within = <Answer>(
    { serviceUrl, bot, tenant }: Reach,
    conversation: string,
    work: (context: TurnContext, client: Client) => Promise<Answer>,
  ): Promise<Answer> =>
    asked(async () => {
      const reference = {
        channelId: "msteams",
        serviceUrl,
        bot,
        conversation: { id: conversation, ...(tenant === null ? {} : { tenantId: tenant }) },
      } as ConversationReference;
      const answers: Answer[] = [];
      await adapter.continueConversationAsync(appId, reference, async (context) => {
        const client: Client = context.turnState.get(adapter.ConnectorClientKey);
        // It would send a message again that may stand there already; who is told to wait decides here.
        client.client.pipeline.removePolicy({ name: "defaultRetryPolicy" });
        answers.push(await work(context, client));
      });
      const [answer] = answers;
      if (answers.length === 0) throw new ChatError("Teams does not answer.", "unreachable");
      return answer as Answer;
    });

  return {
    send: (reach, conversation, activity) =>
      within(reach, conversation, async (context) => {
        const sent = await context.sendActivity({ type: "message", ...activity });
        return sent?.id ?? "";
      }),

    update: (reach, conversation, id, activity) =>
      within(reach, conversation, async (context) => {
        await context.updateActivity({ type: "message", ...activity, id });
      }),

    chatWith: (reach, member) =>
      within(reach, "none", async (_, client) => {
        const { bot, tenant } = reach;
        const { id } = await client.conversations.createConversation({
          isGroup: false,
          bot,
          members: [{ id: member, name: "" }],
          ...(tenant === null ? {} : { tenantId: tenant, channelData: { tenant: { id: tenant } } }),
        });
        return id;
      }),

    async member(reach, conversation, id) {
      try {
        const found = await within(reach, conversation, (context) =>
          TeamsInfo.getMember(context, id),
        );
        return {
          id: found.id,
          directoryId: found.aadObjectId ?? null,
          name: found.name ?? "",
          role: found.userRole ?? null,
          tenant: found.tenantId ?? null,
        };
      } catch (error) {
        if (!(error instanceof ChatError) || error.kind !== "refused") throw error;
        return null;
      }
    },

    async authenticate(activity, header) {
      try {
        await auth.authenticateRequest(activity, header);
      } catch (error) {
        throw chatError(error);
      }
    },

    async signIn() {
      const nobody: Reach = {
        serviceUrl: publicService,
        bot: { id: appId, name: "" },
        tenant: null,
      };
      await within(nobody, "none", async (_, client) => client.credentials?.getToken?.());
    },
  };
}

/** Where one of these is given, botbuilder wants all. */
function elsewhere(keysUrl: string) {
  return {
    ToBotFromChannelOpenIdMetadataUrl: keysUrl,
    ToBotFromChannelTokenIssuer: service,
    ToChannelFromBotLoginUrl: "https://login.microsoftonline.com/botframework.com",
    ToChannelFromBotOAuthScope: service,
    OAuthUrl: service,
    ToBotFromEmulatorOpenIdMetadataUrl: keysUrl,
  };
}

async function asked<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new ChatError("Teams does not answer.", "unreachable");
    timer = setTimeout(() => reject(error), patience);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    throw chatError(error);
  } finally {
    clearTimeout(timer);
  }
}
