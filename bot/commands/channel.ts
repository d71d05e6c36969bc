import { UserError } from "../../engine/domain/errors.ts";
import type { Voice } from "../../engine/domain/project.ts";
import { command, privately, publicly } from "../command.ts";
import { who } from "../wording/people.ts";

const voices: Record<Voice, string> = {
  quiet: "only the message of each pass, troubles and ends",
  normal: "what happens, folded together where it is much",
  verbose: "each mailbox by itself as long as they are not too many",
};

export const channel = command({
  name: "channel",
  usage: "channel [quiet|normal|verbose]",
  summary: "shows what this channel is about, or sets how much it is told",
  role: "operator",
  group: "Set up",
  examples: ["channel", "channel quiet"],
  options: {},
  parse({ args }) {
    const [typed] = args;
    const voice = (Object.keys(voices) as Voice[]).find((one) => one === typed?.toLowerCase());
    if (args.length > 1 || (typed !== undefined && voice === undefined)) {
      throw new UserError(
        "A channel is told `quiet`, `normal` or `verbose`; nothing was changed. Type `channel quiet`.",
      );
    }
    return voice ?? null;
  },
  async run(voice, { desk, channel: here, person }) {
    const project = await desk.projects.linked(here);
    if (project === null) {
      throw new UserError(
        "This channel is not linked to a project; nothing was done. Type `link <project>`.",
      );
    }
    if (voice === null) {
      const now = await desk.projects.voice(here);
      return privately(
        `This channel is about ${project.name} and is told ${now}: ${voices[now]}. Type \`channel quiet\`, \`channel normal\` or \`channel verbose\` to change that.`,
      );
    }
    await desk.projects.setVoice(here, voice);
    return publicly(`This channel is now told ${voice}: ${voices[voice]} (by ${who(person)}).`);
  },
});
