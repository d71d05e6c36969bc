import type { Clock, Instant } from "../../../engine/domain/clock.ts";
import { AnswerRefused } from "./errors.ts";
import type { Drawn } from "./render.ts";

/** What Slack gives with a command or a press, to answer it by. */
export interface Given {
  /** Opens a modal, within three seconds. */
  triggerId: string | null;
  /** Takes five answers within half an hour. */
  responseUrl: string | null;
}

/** The answers that are still open, by the name each has as `Incoming.trigger`. */
export interface Triggers {
  keep(given: Given): string;
  formOf(trigger: string | null): string | null;
  /**
   * Answers by the response address. False where that cannot be done any more. Throws `AnswerRefused` where
   * the blocks were not taken.
   */
  answer(trigger: string | null, drawn: Drawn): Promise<boolean>;
}

const goodFor = 29 * 60_000;
const uses = 5;
const mostKept = 2000;

export function slackTriggers(clock: Clock): Triggers {
  const kept = new Map<string, Given & { left: number; until: Instant }>();
  let count = 0;
  return {
    keep(given) {
      count += 1;
      const name = String(count);
      kept.set(name, { ...given, left: uses, until: clock.now() + goodFor });
      const [oldest] = kept.keys();
      if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
      return name;
    },

    formOf: (trigger) => kept.get(trigger ?? "")?.triggerId ?? null,

    async answer(trigger, drawn) {
      const given = kept.get(trigger ?? "");
      if (given?.responseUrl == null || given.left === 0 || clock.now() >= given.until) {
        return false;
      }
      given.left -= 1;
      if (await sent(given.responseUrl, drawn)) return true;
      // Expired, or used up by what we do not know of.
      given.left = 0;
      return false;
    },
  };
}

async function sent(url: string, drawn: Drawn): Promise<boolean> {
  let response: Response;
  let said: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...drawn,
        response_type: "ephemeral",
        replace_original: false,
        mrkdwn: false,
        parse: "none",
      }),
      redirect: "error",
      signal: AbortSignal.timeout(10_000),
    });
    said = await response.text();
  } catch {
    return false;
  }
  if (!response.ok && said.includes("invalid_blocks")) throw new AnswerRefused("invalid_blocks");
  return response.ok;
}
