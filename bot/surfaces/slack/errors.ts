import { webApi } from "@slack/bolt";
import { ChatError } from "../../surface.ts";

/** What Slack's own faults are called; with any of these it may have done what it was asked. */
const theirs = new Set([
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
  "team_added_to_org",
]);

/** What somebody has to do about an error of Slack's. Nothing of a token stands in any of them. */
const remedies: Record<string, string> = {
  not_in_channel: "I am not in that channel. Type `/invite` and my name there first.",
  channel_not_found: "I cannot see that channel. Type `/invite` and my name there first.",
  is_archived: "That channel is archived. Type `link` in another one.",
  restricted_action: "A setting of the workspace keeps me from posting there. Ask its admins.",
  message_not_found: "That message is gone.",
  cant_update_message: "That message is not mine to change.",
  edit_window_closed: "That message is too old to be changed here.",
  missing_scope: "Slack says a permission is missing. Install the app again with its manifest.",
  not_authed: "Slack does not know the token. Set SLACK_BOT_TOKEN anew.",
  invalid_auth: "Slack does not know the token. Set SLACK_BOT_TOKEN anew.",
  token_revoked: "The token was revoked. Install the app again and set SLACK_BOT_TOKEN anew.",
  token_expired: "The token has expired. Install the app again and set SLACK_BOT_TOKEN anew.",
  account_inactive: "The app was removed from the workspace. Install it again.",
  expired_trigger_id: "Slack waited too long for the form. Press again.",
};

/** An answer by its address was not taken. */
export class AnswerRefused extends Error {
  override name = "AnswerRefused";
  readonly word: string;

  constructor(word: string) {
    super(`Slack says ${word}.`);
    this.word = word;
  }
}

/** Slack's own word for what went wrong; null where it is not a refusal of Slack's. */
export function slackWord(error: unknown): string | null {
  if (error instanceof AnswerRefused) return error.word;
  return error instanceof webApi.WebAPIPlatformError ? error.data.error : null;
}

/** An error of Slack's SDK as what a surface throws; anything else as it is. */
export function chatError(error: unknown): unknown {
  if (error instanceof ChatError) return error;
  if (error instanceof webApi.WebAPIRateLimitedError) {
    const retryAfterMs = error.retryAfter * 1000;
    return new ChatError("Slack asks for a pause.", "limited", { retryAfterMs });
  }
  if (error instanceof webApi.WebAPIRequestError) {
    return new ChatError("Slack does not answer.", "unreachable", { cause: error });
  }
  if (error instanceof webApi.WebAPIHTTPError) {
    return new ChatError(`Slack answers ${error.statusCode}.`, "unreachable");
  }
  const word = slackWord(error);
  // What the SDK throws itself is a plain error: a pause without a length, an upload that was not taken.
  if (word === null && error instanceof Error && error.constructor === Error) {
    if (/^Retry header/.test(error.message)) {
      return new ChatError("Slack asks for a pause.", "limited");
    }
    return new ChatError("Slack's answer makes no sense.", "unreachable", { cause: error });
  }
  if (word === null) return error;
  if (word === "ratelimited" || word === "rate_limited") {
    return new ChatError("Slack asks for a pause.", "limited");
  }
  if (theirs.has(word)) return new ChatError(`Slack says ${word}.`, "unreachable");
  return new ChatError(remedies[word] ?? `Slack says ${word}.`, "refused", { cause: error });
}
