import { LogLevel, webApi } from "@slack/bolt";
import type { Clock } from "../../../engine/domain/clock.ts";
import type { Secret } from "../../../engine/domain/secret.ts";
import { ChatError } from "../../surface.ts";
import { chatError, slackWord } from "./errors.ts";
import { type Drawn, type Level, lesser } from "./render.ts";

/** Slack's Web API as a surface needs it. Every method throws `ChatError`. */
export interface SlackApi {
  /** For what must arrive. */
  speaking: webApi.WebClient;
  /**
   * For progress alone: the SDK stops a client's whole queue on a rate limit, and a stale frame must not hold
   * back an answer.
   */
  drawing: webApi.WebClient;
  /** Runs a call, its errors made ours. */
  call<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /** The same for an answer to somebody who waits: asked again a few times where Slack asks for a short pause. */
  answer<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /**
   * Says what `draw` draws, as richly as the workspace takes it: one that refuses newer blocks is not offered
   * them again.
   */
  richly<Answer>(
    draw: (level: Level) => Drawn,
    say: (drawn: Drawn) => Promise<Answer>,
  ): Promise<Answer>;
}

export interface ApiOptions {
  botToken: Secret;
  apiUrl: string | null;
  clock: Clock;
}

/** The longest pause an answer waits for, in ms. */
const patience = 10_000;

export function slackApi({ botToken, apiUrl, clock }: ApiOptions): SlackApi {
  const options: webApi.WebClientOptions = {
    ...(apiUrl === null ? {} : { slackApiUrl: apiUrl }),
    // Repeating is ours: only we know what must be looked for before it is said again.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: 15_000,
    logger: silentLogger,
  };
  let level: Level = "modern";

  const call = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await work();
    } catch (error) {
      throw chatError(error);
    }
  };

  return {
    speaking: new webApi.WebClient(botToken.reveal(), options),
    drawing: new webApi.WebClient(botToken.reveal(), options),
    call,

    async answer(work) {
      for (let left = 3; ; left -= 1) {
        try {
          return await call(work);
        } catch (error) {
          const wait = error instanceof ChatError ? (error.retryAfterMs ?? 1000) : 0;
          const limited = error instanceof ChatError && error.kind === "limited";
          if (!limited || left === 0 || wait > patience) throw error;
          await clock.sleep(wait);
        }
      }
    },

    async richly(draw, say) {
      for (;;) {
        const used: Level = level;
        try {
          return await say(draw(used));
        } catch (error) {
          const word = slackWord(error);
          // How long is too long Slack does not say: this one goes as text, the others as before.
          if (word === "msg_blocks_too_long" && used !== "text") return say(draw("text"));
          const next = lesser[used];
          if (word !== "invalid_blocks" || next === null) throw error;
          level = next;
        }
      }
    },
  };
}

/** The SDK's own lines could hold what people said. */
export const silentLogger: NonNullable<webApi.WebClientOptions["logger"]> = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  setName() {},
  getLevel: () => LogLevel.ERROR,
};
