import type { SlackWire } from "./slack-wire.ts";

/** What Slack gives with what people do. */
export interface Handed {
  trigger(user: string): Promise<string> | string;
  responseUrl(user: string, channel: string): string;
  /** Different for every event. */
  id(): string;
}

export interface Pressed {
  ts: string;
  thread_ts?: string | null;
  ephemeral?: boolean;
  id: string;
  value: string;
}

/** Somebody who sits before Slack. Everything is done once the bot has acknowledged it. */
export interface SlackPerson {
  /** `/migrate …` */
  command(text: string, channel?: string): Promise<void>;
  mention(text: string, thread?: string | null, channel?: string): Promise<void>;
  /** Writes to the bot directly. */
  write(text: string, more?: Record<string, unknown>): Promise<void>;
  press(button: Pressed, channel?: string): Promise<void>;
  /** Sends the modal with these answers, by the ids of their blocks. */
  submit(
    view: { id: string; hash: string; view: Record<string, unknown> },
    answers: Record<string, Record<string, unknown>>,
  ): Promise<void>;
}

export interface PersonParts {
  user: string;
  /** Where they type unless it is said. */
  channel: string;
  /** Of the direct messages with the bot. */
  direct: string;
  wire: SlackWire;
  handed: Handed;
  bot: string;
}

export function slackPerson({
  user,
  channel: usual,
  direct,
  wire,
  handed,
  bot,
}: PersonParts): SlackPerson {
  const team = { team_id: "T0TEAM", api_app_id: "A0APP", token: "not-used-any-more" };
  const event = (inner: Record<string, unknown>) => {
    const event_id = `Ev${handed.id()}`;
    return wire.send("events_api", { ...team, type: "event_callback", event_id, event: inner });
  };
  return {
    async command(text, channel = usual) {
      const trigger_id = await handed.trigger(user);
      await wire.send("slash_commands", {
        ...team,
        command: "/migrate",
        text,
        user_id: user,
        user_name: user.toLowerCase(),
        channel_id: channel,
        channel_name: "somewhere",
        trigger_id,
        response_url: handed.responseUrl(user, channel),
      });
    },

    mention: (text, thread = null, channel = usual) =>
      event({
        type: "app_mention",
        user,
        channel,
        ts: `17${handed.id()}.000100`,
        text: `<@${bot}> ${text}`,
        ...(thread === null ? {} : { thread_ts: thread }),
      }),

    write: (text, more = {}) =>
      event({
        type: "message",
        channel_type: "im",
        user,
        channel: direct,
        ts: `17${handed.id()}.000200`,
        text,
        ...more,
      }),

    async press({ ts, thread_ts, ephemeral = false, id, value }, channel = usual) {
      const trigger_id = await handed.trigger(user);
      await wire.send("interactive", {
        ...team,
        type: "block_actions",
        team: { id: "T0TEAM", domain: "acme" },
        user: { id: user, team_id: "T0TEAM" },
        channel: { id: channel },
        trigger_id,
        response_url: handed.responseUrl(user, channel),
        container: {
          type: "message",
          message_ts: ts,
          channel_id: channel,
          is_ephemeral: ephemeral,
          ...(thread_ts == null ? {} : { thread_ts }),
        },
        actions: [
          {
            type: "button",
            action_id: id,
            block_id: "b",
            value,
            action_ts: `18${handed.id()}.000300`,
          },
        ],
      });
    },

    submit: ({ id, hash, view }, answers) =>
      wire.send("interactive", {
        ...team,
        type: "view_submission",
        team: { id: "T0TEAM", domain: "acme" },
        user: { id: user, team_id: "T0TEAM" },
        view: {
          ...view,
          id,
          hash,
          state: {
            values: Object.fromEntries(
              Object.entries(answers).map(([block, answer]) => [block, { answer }]),
            ),
          },
        },
      }),
  };
}
