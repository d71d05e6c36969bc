import { z } from "zod";
import type { Contacts, Thread } from "../../../engine/domain/thread.ts";
import { ChatError } from "../../surface.ts";
import { placeOf, threadOf } from "./places.ts";

const Reached = z.object({
  serviceUrl: z.string(),
  bot: z.object({ id: z.string(), name: z.string() }),
  tenant: z.string().nullable(),
});

const Chat = Reached.extend({ kind: z.enum(["channel", "group", "personal"]) });
const Own = Chat.extend({ conversation: z.string() });

/** How a conversation is reached again. */
export type Known = z.infer<typeof Chat>;
/** The personal chat with somebody. */
export type OwnChat = z.infer<typeof Own>;

/** What Teams told of conversations and people, kept for when we speak first. */
export interface KnownPlaces {
  keepChat(conversation: string, chat: Known): Promise<void>;
  /** Throws `ChatError` where we were never spoken to. */
  chat(thread: Thread): Promise<Known>;
  keepOwn(person: string, own: OwnChat): Promise<void>;
  own(person: string): Promise<OwnChat | null>;
}

export function known(contacts: Contacts): KnownPlaces {
  return {
    keepChat: (conversation, chat) =>
      contacts.keep(threadOf({ conversation, root: null }), JSON.stringify(Chat.parse(chat))),

    async chat(thread) {
      const place = placeOf(thread);
      const kept = place === null ? null : await contacts.of(threadOf({ ...place, root: null }));
      if (kept === null) {
        const text =
          "I am not in that channel or chat of Teams. Add the app there and mention me once.";
        throw new ChatError(text, "refused");
      }
      return Chat.parse(JSON.parse(kept));
    },

    keepOwn: (person, own) => contacts.keep(`${person}:own`, JSON.stringify(Own.parse(own))),

    async own(person) {
      const kept = await contacts.of(`${person}:own`);
      return kept === null ? null : Own.parse(JSON.parse(kept));
    },
  };
}
