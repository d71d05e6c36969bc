import { UserError } from "../../engine/domain/errors.ts";
import { projectNamed } from "../../engine/submit.ts";
import { command, publicly } from "../command.ts";
import { who } from "../wording/people.ts";

export const link = command({
  name: "link",
  usage: "link <project>",
  summary: "makes this channel the one of a project, so that no command needs its name",
  role: "operator",
  about: ({ args }, { desk }) => projectNamed(args[0] ?? "", desk),
  group: "Set up",
  examples: ["link acme"],
  options: {},
  parse({ args }) {
    const [name] = args;
    if (name === undefined || args.length > 1) {
      throw new UserError(
        "Which project? Nothing was linked. Type `link <project>`; `list projects` shows them.",
      );
    }
    return name;
  },
  async run(name, { desk, channel, person }) {
    const project = await projectNamed(name, desk);
    await desk.projects.link(channel, project.id);
    return publicly(`This channel is now about ${project.name} (by ${who(person)}).`);
  },
});

export const unlink = command({
  name: "unlink",
  usage: "unlink",
  summary: "takes the project off this channel; nothing of it is lost",
  role: "operator",
  group: "Set up",
  examples: ["unlink"],
  options: {},
  parse({ args }) {
    if (args.length > 0) {
      throw new UserError(
        "`unlink` takes this channel's project off it; nothing was done. Type it alone.",
      );
    }
  },
  async run(_, { desk, channel, person }) {
    const project = await desk.projects.linked(channel);
    if (project === null)
      throw new UserError("This channel is not linked to a project; nothing was done.");
    await desk.projects.unlink(channel);
    return publicly(
      `This channel is no longer about ${project.name} (by ${who(person)}). Type \`link ${project.name}\` to bring it back.`,
    );
  },
});
