import { vi } from "vitest";
import { type ChatWorld, chatWorld } from "../../../doubles/chat-world.ts";
import { type FakeSlack, startFakeSlack } from "../../../servers/slack.ts";
import { buttonsIn, readIn } from "../../../servers/slack-blocks.ts";
import type { SlackMessage } from "../../../servers/slack-state.ts";
import { slackAt } from "./open.ts";

/** A bot in a fake workspace, heard by Socket Mode. Ana owns everything. */
export interface SlackWorld extends AsyncDisposable {
  slack: FakeSlack;
  world: ChatWorld;
  /** What the surface logged. */
  logged: string[];
  /** Waits until the bot has said something that matches, after what was said before. */
  said(what: RegExp): Promise<SlackMessage>;
  /** From here on only what is said anew counts. */
  caughtUp(): void;
  /** Everything that was said, as people read it. */
  all(): string[];
}

export async function slackWorld(people: string[] = ["anna"]): Promise<SlackWorld> {
  const slack = await startFakeSlack();
  const logged: string[] = [];
  const world = await chatWorld({
    people,
    owners: ["slack:U0ANA"],
    platforms: [(_, clock) => slackAt(slack, { clock, logged })],
  });
  let read = 0;
  return {
    slack,
    world,
    logged,
    caughtUp() {
      read = slack.state.messages.length;
    },
    all: () => slack.state.messages.map(readIn),
    said: (what) =>
      vi.waitFor(
        () => {
          const at = slack.state.messages.findIndex(
            (message, n) => n >= read && what.test(readIn(message)),
          );
          const found = slack.state.messages[at];
          if (found === undefined) {
            const heard = slack.state.messages.slice(read).map(readIn).join("\n---\n");
            throw new Error(`${what} was not said, but:\n${heard}\n${world.logged}\n${logged}`);
          }
          read = at + 1;
          return found;
        },
        { timeout: 5000, interval: 5 },
      ),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await slack[Symbol.asyncDispose]();
    },
  };
}

/** The button with this label, as a press needs it. */
export function button(message: SlackMessage, label: string) {
  const found = buttonsIn(message).find((one) => one.label === label);
  if (found === undefined) throw new Error(`There is no button ${label}: ${readIn(message)}`);
  const { ts, thread_ts } = message;
  return { ts, thread_ts, ephemeral: message.only !== null, id: found.id, value: found.value };
}

/** Letters in somebody's old mailbox, the youngest of them this many days old. */
export function mail(world: ChatWorld, who: string, count: number, days: number): void {
  for (let n = 0; n < count; n += 1) {
    const bytes = Buffer.from(`Subject: ${who} ${days}/${n}\r\n\r\nhello\r\n`);
    world.system.deliver(`${who}@old.example`, "INBOX", bytes, {
      createdAt: world.clock.now() - (days + n) * 24 * 60 * 60 * 1000,
    });
  }
}
