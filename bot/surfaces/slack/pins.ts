import type { SlackApi } from "./api.ts";
import { slackWord } from "./errors.ts";

/** What Slack answers where there is nothing to do, and where it will not: a message is read unpinned as well. */
const harmlessWords = new Set([
  "already_pinned",
  "no_pin",
  "not_pinnable",
  "too_many_pins",
  "missing_scope",
  "message_not_found",
  "permission_denied",
]);

/** Pins a message, or takes its pin away. */
export async function pin(
  api: SlackApi,
  { channel, ts: timestamp }: { channel: string; ts: string },
  pinned: boolean,
): Promise<void> {
  await api.call(async () => {
    try {
      if (pinned) await api.speaking.pins.add({ channel, timestamp });
      else await api.speaking.pins.remove({ channel, timestamp });
    } catch (error) {
      if (!harmlessWords.has(slackWord(error) ?? "")) throw error;
    }
  });
}
