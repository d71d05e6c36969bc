import type { Thread } from "../../../engine/domain/thread.ts";
import { ChatError } from "../../surface.ts";
import type { SlackApi } from "./api.ts";
import { slackWord } from "./errors.ts";
import { placeOf, type SlackPlace, threadOf } from "./places.ts";

/** What was said before. */
export interface Past {
  /** As `Surface.find`. */
  find(place: Thread, key: string): Promise<Thread | null>;
}

/** How far is looked back: so many pages of so many messages. */
const pages = 20;
const perPage = 200;

interface Page {
  messages?: object[];
  response_metadata?: { next_cursor?: string };
}

export function slackPast({ call, speaking }: SlackApi): Past {
  /** Channels and direct messages each have a permission of their own. */
  const closed = new Set<string>();

  const page = ({ channel, ts }: SlackPlace, cursor: string): Promise<Page> => {
    const asked = {
      channel,
      limit: perPage,
      include_all_metadata: true,
      ...(cursor === "" ? {} : { cursor }),
    };
    return call<Page>(() =>
      ts === null
        ? speaking.conversations.history(asked)
        : speaking.conversations.replies({ ...asked, ts }),
    );
  };

  return {
    async find(thread, key) {
      const place = placeOf(thread);
      const kind = place.channel.slice(0, 1);
      if (closed.has(kind)) return null;
      try {
        // Slack tells a thread from its beginning: what was said last is on its last page.
        for (let cursor = "", n = 0; n < pages; n += 1) {
          const { messages = [], response_metadata } = await page(place, cursor);
          const found = messages.find((one) => keyOf(one) === key);
          if (found !== undefined) return place.ts === null ? rootIn(place, found) : thread;
          cursor = response_metadata?.next_cursor ?? "";
          if (cursor === "") return null;
        }
        return null;
      } catch (error) {
        if (!(error instanceof ChatError) || error.kind !== "refused") throw error;
        // The shipped permissions do not reach into the past of channels.
        if (slackWord(error.cause) === "missing_scope") closed.add(kind);
        return null;
      }
    },
  };
}

function rootIn({ channel }: SlackPlace, message: object): Thread {
  return threadOf(channel, (message as { ts?: string }).ts ?? null);
}

function keyOf(message: object): unknown {
  const { metadata } = message as {
    metadata?: { event_type?: string; event_payload?: { key?: unknown } };
  };
  return metadata?.event_type === "godwit" ? metadata.event_payload?.key : undefined;
}
