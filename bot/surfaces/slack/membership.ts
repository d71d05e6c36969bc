import type { Clock, Instant } from "../../../engine/domain/clock.ts";
import { ChatError } from "../../surface.ts";
import type { SlackApi } from "./api.ts";
import { isDirect } from "./places.ts";

/** Which channels we are in. */
export interface Membership {
  /** What to do first where we are not in a channel; null where we can post. */
  cannotPost(channel: string): Promise<string | null>;
}

/** How long it is believed that we are in a channel, in ms. */
const believed = 10 * 60_000;

/** `name` is ours, as people type it. */
export function slackMembership(api: SlackApi, clock: Clock, name: string): Membership {
  const inside = new Map<string, Instant>();
  return {
    async cannotPost(channel) {
      if (isDirect(channel) || clock.now() < (inside.get(channel) ?? 0)) return null;
      try {
        const { channel: info } = await api.call(() =>
          api.speaking.conversations.info({ channel }),
        );
        if (info?.is_member === true) {
          inside.set(channel, clock.now() + believed);
          return null;
        }
      } catch (error) {
        if (!(error instanceof ChatError)) throw error;
        // What cannot be asked now is found out by posting.
        if (error.kind !== "refused") return null;
      }
      return `I am not in this channel. Type \`/invite @${name}\` here first.`;
    },
  };
}
