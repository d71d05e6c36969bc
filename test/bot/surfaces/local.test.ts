import { localChannel, localSurface } from "../../../bot/surfaces/local/surface.ts";
import { type Shown, surfaceContract } from "../../contracts/surface.ts";
import { chatWorld } from "../../doubles/chat-world.ts";

surfaceContract("the local channel", async () => {
  const world = await chatWorld();
  const { transcript } = world.desk;
  const listening = { [Symbol.asyncDispose]: async () => {} };
  return {
    platform: {
      surface: localSurface(transcript),
      listen: async () => listening,
      check: async () => "local",
    },
    channel: localChannel,
    person: "local:owner",
    async shown() {
      const shown: Shown[] = [];
      for (const line of await transcript.after(0, 1000)) {
        const buttons = ((line.extra.buttons ?? []) as { label: string }[]).map((one) => one.label);
        const text = line.text.replaceAll("`", "");
        if (line.kind === "edit") {
          const root = shown.find((one) => one.kind === "root" && one.thread === line.thread);
          Object.assign(root ?? {}, { text, buttons });
        } else if (line.kind !== "pass") {
          shown.push({
            kind: line.kind === "post" ? "root" : line.kind,
            thread: line.thread,
            text,
            buttons,
          });
        }
      }
      return shown;
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
});
