import type { Shown } from "../../../contracts/surface.ts";
import { surfaceContract } from "../../../contracts/surface.ts";
import { startFakeSlack } from "../../../servers/slack.ts";
import { buttonsIn, readIn } from "../../../servers/slack-blocks.ts";
import { slackAt } from "./open.ts";

for (const unknown of [[], ["rich_text", "table"]]) {
  const takes = unknown.length === 0 ? "every block" : `no ${unknown.join(", ")}`;
  surfaceContract(`slack, in a workspace that takes ${takes}`, async () => {
    const slack = await startFakeSlack();
    for (const type of unknown) slack.state.unknownBlocks.add(type);
    return {
      platform: await slackAt(slack),
      channel: "slack:C0ACME",
      person: "slack:U0ANA",
      async shown() {
        return slack.state.messages.map(
          (message): Shown => ({
            kind: message.only !== null ? "private" : message.thread_ts ? "reply" : "root",
            thread: `slack:${message.channel}:${message.thread_ts ?? message.ts}`,
            text: readIn(message),
            buttons: buttonsIn(message).map(({ label }) => label),
          }),
        );
      },
      [Symbol.asyncDispose]: () => slack[Symbol.asyncDispose](),
    };
  });
}
