import { type Shown, surfaceContract } from "../../../contracts/surface.ts";
import { channelId, readCard } from "../../../servers/teams-side.ts";
import { openStage } from "./stage.ts";

const channel = `teams:${encodeURIComponent(channelId)}`;

surfaceContract("Teams", async () => {
  const stage = await openStage();
  // Teams tells how to reach a place when it first speaks from there.
  await stage.side.send({ type: "conversationUpdate" });
  await stage.side.send({ type: "conversationUpdate", conversation: { id: channelId } });
  return {
    platform: stage.platform,
    channel,
    person: "teams:aad-ana",
    async shown(): Promise<Shown[]> {
      return stage.fake.messages.map(({ id, conversation, activity }) => {
        const [at = "", root] = conversation.split(";messageid=");
        const kind = at.startsWith("a:") ? "private" : root === undefined ? "root" : "reply";
        const thread =
          kind === "private" ? channel : `teams:${encodeURIComponent(at)}:${root ?? id}`;
        return { kind, thread, ...readCard(activity.attachments) };
      });
    },
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
});
