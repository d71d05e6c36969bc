import type { App } from "@slack/bolt";
import { z } from "zod";
import { Secret } from "../../../engine/domain/secret.ts";
import { ChatError, type Handle, type Incoming, type Surface } from "../../surface.ts";
import type { SlackApi } from "./api.ts";
import { download } from "./files.ts";
import { answersOf, formCallback } from "./forms.ts";
import type { Membership } from "./membership.ts";
import type { SlackPeople } from "./people.ts";
import { isDirect, placeOf, threadOf } from "./places.ts";
import type { Triggers } from "./triggers.ts";

export interface HearingParts {
  api: SlackApi;
  people: SlackPeople;
  members: Membership;
  triggers: Triggers;
  us: { user: string };
  token: Secret;
  apiUrl: string | null;
  surface: Surface;
}

/** What is done with what Slack sends. */
export interface Hearing {
  /** Hands everything to `handle`, acknowledged before. Answers what is being handled. */
  register(app: App, handle: Handle): Set<Promise<unknown>>;
}

/** What somebody typed or pressed, before we know who they are. */
interface Heard {
  eventId: string;
  user: string;
  channel: string;
  thread: string | null;
  /** The message that was typed or pressed. */
  message: string | null;
  text: string;
  triggerId: string | null;
  responseUrl: string | null;
  values?: Map<string, Secret>;
  /** Files by the field they answer. */
  files?: Map<string, string>;
}

const Typed = z.object({
  user: z.string(),
  channel: z.string(),
  channel_type: z.string().optional(),
  ts: z.string(),
  thread_ts: z.string().optional(),
  text: z.string().default(""),
  subtype: z.string().optional(),
  bot_id: z.string().optional(),
  files: z.array(z.object({ id: z.string() })).optional(),
});

const Pressed = z.object({
  trigger_id: z.string(),
  response_url: z.string().optional(),
  user: z.object({ id: z.string() }),
  channel: z.object({ id: z.string() }),
  container: z.object({
    message_ts: z.string(),
    thread_ts: z.string().optional(),
    is_ephemeral: z.boolean().optional(),
  }),
});

export function hear(parts: HearingParts): Hearing {
  const { us } = parts;
  return {
    register(app, handle) {
      const busy = new Set<Promise<unknown>>();
      const on = (heard: Heard) => {
        const work = incoming(heard, parts).then(handle);
        busy.add(work);
        return work.finally(() => busy.delete(work));
      };

      app.command(/.*/, async ({ ack, command }) => {
        await ack();
        await on({
          eventId: command.trigger_id,
          user: command.user_id,
          channel: command.channel_id,
          thread: null,
          message: null,
          text: command.text,
          triggerId: command.trigger_id,
          responseUrl: command.response_url,
        });
      });

      app.event("app_mention", async ({ event, body }) => {
        const message = Typed.safeParse(event);
        // In direct messages it comes as a message, too; other apps are nobody.
        if (!message.success || isDirect(message.data.channel)) return;
        if (message.data.bot_id === undefined) await on(typed(message.data, body.event_id));
      });

      app.event("message", async ({ event, body }) => {
        const message = Typed.safeParse(event);
        // What others write in channels is none of ours, nor what bots, edits and joins bring.
        if (!message.success || message.data.channel_type !== "im") return;
        const { subtype, bot_id, user } = message.data;
        if (bot_id !== undefined || user === us.user) return;
        if (subtype !== undefined && subtype !== "file_share") return;
        await on(typed(message.data, body.event_id));
      });

      app.action(/^command-\d+$/, async ({ ack, body, action }) => {
        await ack();
        const press = Pressed.parse(body);
        const { value } = z.object({ value: z.string() }).parse(action);
        const { message_ts, thread_ts, is_ephemeral } = press.container;
        // Nothing can stand under a message that one person sees.
        const root = is_ephemeral === true ? null : message_ts;
        await on({
          eventId: press.trigger_id,
          user: press.user.id,
          channel: press.channel.id,
          thread: thread_ts ?? root,
          message: root,
          text: value,
          triggerId: press.trigger_id,
          responseUrl: press.response_url ?? null,
        });
      });

      app.view(formCallback, async ({ ack, body, view }) => {
        await ack();
        const { meta, values, files } = answersOf(view);
        const { channel, ts } = placeOf(meta.thread ?? meta.channel);
        await on({
          eventId: `view:${view.id}:${view.hash}`,
          user: body.user.id,
          channel,
          thread: ts,
          message: null,
          text: meta.command,
          triggerId: null,
          responseUrl: null,
          values,
          files,
        });
      });
      return busy;
    },
  };
}

function typed(event: z.infer<typeof Typed>, eventId: string): Heard {
  const { user, channel, ts, thread_ts, text, files } = event;
  const file = files?.[0]?.id;
  return {
    eventId,
    user,
    channel,
    thread: thread_ts ?? null,
    message: ts,
    text,
    triggerId: null,
    responseUrl: null,
    ...(file === undefined ? {} : { files: new Map([["file", file]]) }),
  };
}

async function incoming(heard: Heard, parts: HearingParts): Promise<Incoming> {
  const { people, triggers, us, surface, members } = parts;
  const { eventId, user, channel, thread, message, triggerId, responseUrl } = heard;
  const text = plainWords(heard.text, us.user);
  return {
    surface: "slack",
    person: await people.typing(user),
    channel: threadOf(channel),
    thread: thread === null ? null : threadOf(channel, thread),
    text,
    values: await answers(heard, text, parts),
    eventId,
    trigger: triggers.keep({ triggerId, responseUrl }),
    link: surface.link(threadOf(channel, message)),
    capabilities: { readsThisMachine: false, cannotPost: await members.cannotPost(channel) },
  };
}

/** The mention of ourselves goes, those of others become their identities. */
function plainWords(text: string, us: string): string {
  return text
    .replace(/<@([UW][A-Z0-9]+)(?:\|[^>]*)?>/g, (_, id: string) =>
      id === us ? " " : `slack:${id}`,
    )
    .trim();
}

async function answers(
  { values, files }: Heard,
  text: string,
  { api, token, apiUrl }: HearingParts,
): Promise<Map<string, Secret> | null> {
  // A file that stands beside what was typed is fetched only where it is meant.
  const wanted = values !== undefined || /^(\/?migrate\s+)?import\b/i.test(text);
  if (files === undefined || files.size === 0 || !wanted) return values ?? null;
  const all = new Map(values);
  for (const [name, id] of files) {
    try {
      all.set(name, new Secret(await download(id, api, token, apiUrl), { looked: false }));
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      // Without it the command asks for the file again.
      return values === undefined || values.size === 0 ? null : values;
    }
  }
  return all;
}
