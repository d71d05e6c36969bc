import type { Thread } from "../../../engine/domain/thread.ts";
import type { Form, Message, Picture } from "../../message.ts";
import { type Asker, ChatError, type Surface } from "../../surface.ts";
import {
  asking,
  askingCard,
  drawn,
  openedForm,
  pictureActivity,
  pressCard,
  pressNote,
  taskMessage,
} from "./cards.ts";
import type { Connector } from "./connector.ts";
import type { Known, KnownPlaces, OwnChat } from "./known.ts";
import type { Pace } from "./pace.ts";
import type { Pending } from "./pending.ts";
import type { TeamsPeople } from "./people.ts";
import { conversationId, conversationOf, linkOf, placeOf, threadOf } from "./places.ts";

export interface TeamsSurfaceParts {
  connector: Connector;
  places: KnownPlaces;
  people: TeamsPeople;
  pending: Pending;
  pace: Pace;
}

/** A note under the pressed button shows about this much. */
const noteLength = 300;

/** Teams as a surface. Threads are `teams:<conversation>:<root message>`, both percent-encoded. */
export function teamsSurface(parts: TeamsSurfaceParts): Surface {
  const { connector, people, pending, pace } = parts;
  const { chat } = parts.places;

  const send = async (to: Known, conversation: string, activity: ReturnType<typeof drawn>) => {
    pace(conversation);
    return connector.send(to, conversation, activity);
  };

  /** Each in a message of its own; in words where Teams does not take it. */
  const show = async (to: Known, conversation: string, pictures: Picture[] = []) => {
    for (const picture of pictures) {
      try {
        await send(to, conversation, pictureActivity(picture));
      } catch (error) {
        if (!(error instanceof ChatError) || error.kind !== "refused") throw error;
        await send(to, conversation, drawn({ text: picture.alt }));
      }
    }
  };

  return {
    name: "teams",

    async post(channel, message) {
      const { conversation } = partsOf(channel);
      const to = await chat(channel);
      const id = await send(to, conversation, drawn(message));
      // A channel answers with the thread it made, elsewhere the message's own id is all there is.
      const root = conversationOf(id).root ?? id;
      const under = to.kind === "channel" ? conversationId({ conversation, root }) : conversation;
      await show(to, under, message.pictures);
      return threadOf({ conversation, root });
    },

    async edit(thread, message) {
      const { conversation, root } = rootOf(thread);
      const to = await chat(thread);
      await connector.update(to, conversation, root, drawn(message));
    },

    async reply(thread, message) {
      const place = rootOf(thread);
      const to = await chat(thread);
      const conversation = to.kind === "channel" ? conversationId(place) : place.conversation;
      await send(to, conversation, drawn(message));
      await show(to, conversation, message.pictures);
    },

    async private(to, message) {
      const waiting = pending.asking(to.trigger);
      if (waiting === "fetch" || waiting === "submit") {
        if (pending.answer(to.trigger, taskMessage(message))) return;
      }
      if (waiting === "press" && isNote(message)) {
        if (pending.answer(to.trigger, pressNote(message.text))) return;
      }
      // A card in place of the pressed one would be gone with the next edit of it.
      await whisper(to, (place) => drawn(message, place), message);
      pending.answer(to.trigger, pressNote("The answer is in your own chat with me."));
    },

    async form(to, form) {
      const waiting = pending.asking(to.trigger);
      if (waiting === "press") {
        if (pending.answer(to.trigger, pressCard(askingCard(form)))) return;
      }
      if (waiting === "fetch" || waiting === "submit") {
        if (pending.answer(to.trigger, openedForm(form, to.place))) return;
      }
      await whisper(to, (place) => asking(form, place), formWords(form));
    },

    /** No bot can pin: `status` shows it again. */
    pin: () => Promise.resolve(),
    /** A bot cannot read what stands in a thread. */
    find: () => Promise.resolve(null),
    ended: () => Promise.resolve(),
    person: (typed, place) => people.meant(typed, place),
    link: linkOf,
  };

  /** Where only that person reads it: the personal chat. In the thread, as text alone, where there is none. */
  async function whisper(
    to: Asker,
    draw: (place?: Thread) => ReturnType<typeof drawn>,
    words: Message,
  ): Promise<void> {
    const here = await chat(to.place);
    const { conversation, root } = partsOf(to.place);
    if (here.kind === "personal") {
      await send(here, conversation, draw());
      await show(here, conversation, words.pictures);
      return;
    }
    let own: OwnChat;
    try {
      own = await people.chatWith(to.person, here);
      await send(own, own.conversation, draw(to.place));
    } catch (error) {
      if (!(error instanceof ChatError) || error.kind !== "refused") throw error;
      const thread =
        here.kind === "channel" ? conversationId({ conversation, root }) : conversation;
      await send(
        here,
        thread,
        drawn({ text: words.text, ...(words.tone ? { tone: words.tone } : {}) }),
      );
      return;
    }
    await show(own, own.conversation, words.pictures);
  }
}

/** Whether the line under a pressed button can say it. It may be read as Markdown: what would be is no note. */
function isNote({ text, table, buttons, pictures }: Message): boolean {
  const none = !table && !pictures && (buttons === undefined || buttons.length === 0);
  return none && text.length <= noteLength && !/[\n[\]<>*_~#\\|]|:\/\//.test(text);
}

function formWords(form: Form): Message {
  return { text: `${form.title}: I cannot show you the form here. ${form.otherwise}` };
}

function partsOf(thread: Thread): { conversation: string; root: string | null } {
  const place = placeOf(thread);
  if (place === null) throw new ChatError("That is no place in Teams.", "refused");
  return place;
}

function rootOf(thread: Thread): { conversation: string; root: string } {
  const { conversation, root } = partsOf(thread);
  if (root === null) throw new ChatError("That is no thread in Teams.", "refused");
  return { conversation, root };
}
