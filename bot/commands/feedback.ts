import { UserError } from "../../engine/domain/errors.ts";
import { command, privately } from "../command.ts";

export const feedback = command({
  name: "feedback",
  usage: 'feedback "…"',
  summary: "leaves a word for whoever runs Godwit, in the audit",
  role: "viewer",
  about: async () => "any project",
  group: "Help",
  examples: ['feedback "the report should name the folders"'],
  options: {},
  parse({ args }) {
    if (args.length === 0) {
      throw new UserError('Nothing was said. Type `feedback "what you would like"`.');
    }
  },
  // The bot writes every command into the audit as it was typed: that is where it is read.
  async run() {
    return privately("Thank you. It stands in the audit, where the owners read it.");
  },
});
