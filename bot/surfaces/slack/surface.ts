import type { Secret } from "../../../engine/domain/secret.ts";
import { type Form, inWords, type Message } from "../../message.ts";
import { type Asker, ChatError, type Person, type Surface } from "../../surface.ts";
import type { SlackApi } from "./api.ts";
import { directWith, filesOf, type Outgoing, upload } from "./files.ts";
import { formView } from "./forms.ts";
import { slackPast } from "./past.ts";
import type { SlackPeople } from "./people.ts";
import { pin } from "./pins.ts";
import { isDirect, placeOf, rootOf, type SlackPlace, threadOf, userOf } from "./places.ts";
import { type Drawn, draw } from "./render.ts";
import type { Triggers } from "./triggers.ts";

export interface SlackSurfaceParts {
  api: SlackApi;
  people: SlackPeople;
  triggers: Triggers;
  token: Secret;
  /** Where the workspace is read, with a slash at its end; null until Slack has said so. */
  url(): string | null;
}

/** What every message is sent with: nothing in it is looked up, linked or unfolded. */
const still = {
  parse: "none",
  link_names: false,
  unfurl_links: false,
  unfurl_media: false,
  mrkdwn: false,
} as const;

/** Slack as a surface. Threads are `slack:<channel>:<ts of the root message>`. */
export function slackSurface({ api, people, triggers, url }: SlackSurfaceParts): Surface {
  const { speaking, drawing } = api;
  const past = slackPast(api);

  const say = (
    message: Message,
    how: { channel: string; thread_ts?: string; reply_broadcast?: boolean; key?: string },
    work = api.call,
  ): Promise<string> => {
    const { key, reply_broadcast, ...where } = how;
    return work(() =>
      api.richly(
        (level) => draw(message, level),
        async (drawn) => {
          const { ts } = await speaking.chat.postMessage({
            ...drawn,
            ...where,
            ...still,
            ...(reply_broadcast === true && where.thread_ts !== undefined
              ? { thread_ts: where.thread_ts, reply_broadcast }
              : {}),
            ...(key === undefined
              ? {}
              : { metadata: { event_type: "godwit", event_payload: { key } } }),
          } as Parameters<typeof speaking.chat.postMessage>[0]);
          return ts ?? "";
        },
      ),
    );
  };

  const surface: Surface = {
    name: "slack",

    async post(channel, message, key) {
      const { channel: at } = placeOf(channel);
      const ts = await say(message, { channel: at, ...(key === undefined ? {} : { key }) });
      await handOver(message, { channel: at, ts });
      return threadOf(at, ts);
    },

    async edit(thread, message) {
      const { channel, ts } = rootOf(thread);
      await api.call(() =>
        api.richly(
          (level) => draw(message, level),
          (drawn) =>
            drawing.chat.update({
              channel,
              ts,
              text: drawn.text,
              // Without blocks those of before would go, and with them what people read.
              blocks: drawn.blocks ?? [],
              parse: "none",
              link_names: false,
            } as Parameters<typeof drawing.chat.update>[0]),
        ),
      );
    },

    async reply(thread, message, { key, aloud } = {}) {
      const { channel, ts } = rootOf(thread);
      await say(message, {
        channel,
        thread_ts: ts,
        reply_broadcast: aloud === true,
        ...(key === undefined ? {} : { key }),
      });
      await handOver(message, { channel, ts });
    },

    async private(to, message) {
      const files = filesOf(message);
      if (files.length === 0) return whisper(to, message);
      const here = placeOf(to.place);
      if (isDirect(here.channel)) {
        await whisper(to, message);
        return handOver(message, here);
      }
      try {
        await upload(files, await directWith(userOf(to.person), api), api);
      } catch (error) {
        if (!(error instanceof ChatError)) throw error;
        return whisper(to, without(files, message, error));
      }
      const names = files.map(({ name }) => name).join(", ");
      const where = `${names} ${files.length === 1 ? "is" : "are"} in your direct messages with me.`;
      await whisper(to, { ...message, notes: [...(message.notes ?? []), where] });
    },

    async form(to, form) {
      const { channel, ts } = placeOf(to.place);
      const trigger_id = triggers.formOf(to.trigger);
      if (trigger_id !== null) {
        try {
          const view = formView(form, threadOf(channel), ts === null ? null : to.place);
          await api.call(() => speaking.views.open({ trigger_id, view }));
          return;
        } catch (error) {
          // The trigger is good for three seconds; a press of the button brings a fresh one.
          if (!(error instanceof ChatError)) throw error;
        }
      }
      await whisper(to, asking(form));
    },

    pin: (thread, pinned) => pin(api, rootOf(thread), pinned),

    find: past.find,

    async ended() {},

    person: (typed): Promise<Person | null> => people.meant(typed),

    link(place) {
      const base = url();
      if (base === null) return null;
      const { channel, ts } = placeOf(place);
      const message = ts === null ? "" : `/p${ts.replace(".", "")}`;
      return `${base}archives/${channel}${message}`;
    },
  };
  return surface;

  /** What of a message goes as a file, under it in its thread; in words where Slack does not take it. */
  async function handOver(message: Message, place: SlackPlace): Promise<void> {
    const files = filesOf(message);
    if (files.length === 0) return;
    try {
      await upload(files, place, api);
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      const { channel, ts } = place;
      const { notes = [] } = without(files, { ...message, notes: [] }, error);
      const thread = ts === null ? {} : { thread_ts: ts };
      await say({ text: notes.join("\n") }, { channel, ...thread });
    }
  }

  /** To one person: by the answer to what they typed, unseen by others in the channel, or in their own. */
  async function whisper({ person, place, trigger }: Asker, message: Message): Promise<void> {
    const { channel, ts } = placeOf(place);
    const thread = ts === null ? {} : { thread_ts: ts };
    if (isDirect(channel)) {
      await say(message, { channel, ...thread }, api.answer);
      return;
    }
    const answered = await api.call(() =>
      api.richly(
        (level) => draw(message, level),
        (drawn) => triggers.answer(trigger, drawn),
      ),
    );
    if (answered) return;
    const user = userOf(person);
    try {
      await api.answer(() =>
        api.richly(
          (level) => draw(message, level),
          (drawn: Drawn) =>
            speaking.chat.postEphemeral({
              ...drawn,
              channel,
              user,
              ...thread,
              parse: "none",
              link_names: false,
            } as Parameters<typeof speaking.chat.postEphemeral>[0]),
        ),
      );
    } catch (error) {
      if (!(error instanceof ChatError) || error.kind !== "refused") throw error;
      const own = await api.answer(() => speaking.conversations.open({ users: user }));
      await say(message, { channel: own.channel?.id ?? user }, api.answer);
    }
  }
}

/** A message whose files Slack did not take. */
function without(files: Outgoing[], message: Message, { message: why }: ChatError): Message {
  const names = files.map(({ name }) => name).join(", ");
  const told = inWords(message);
  return { ...told, notes: [...(told.notes ?? []), `Not handed over: ${names}. ${why}`] };
}

function asking(form: Form): Message {
  return {
    text: `${form.title}: open the form to go on.`,
    buttons: [{ label: "Open the form", command: form.command, style: "primary" }],
  };
}
