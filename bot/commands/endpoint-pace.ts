import { harmless, UserError } from "../../engine/domain/errors.ts";
import { aboutAll, command, privately } from "../command.ts";
import { readName } from "../mailbox.ts";
import { paceSet } from "../wording/pace.ts";

/** More than any mail server takes from one customer. */
const mostAtOnce = 10_000;

export const endpointPace = command({
  name: "endpoint pace",
  usage: "endpoint pace <name> <mailboxes at once>|none",
  summary: "how many mailboxes are carried at once at a mail server, by all engines together",
  role: "owner",
  about: aboutAll,
  group: "Set up",
  examples: ["endpoint pace old 10", "endpoint pace old none"],
  options: {},
  parse({ args }) {
    const [first, most] = args;
    const name = first === undefined ? "old" : readName("endpoint", first, "changed");
    if (most === undefined || args.length > 2) {
      throw new UserError(
        `A pace is a number of mailboxes at once, or none; nothing was changed. Type \`endpoint pace ${name} 10\` or \`endpoint pace ${name} none\`.`,
      );
    }
    return { name, atOnce: readPace(name, most) };
  },
  async run({ name, atOnce }, { desk }) {
    const endpoint = await desk.projects.endpoint(name);
    if (endpoint === null) {
      throw new UserError(
        `There is no endpoint ${name}; nothing was changed. Type \`endpoint list\` to see them.`,
      );
    }
    await desk.paces.set(endpoint.id, atOnce);
    return privately(paceSet(endpoint.name, atOnce));
  },
});

function readPace(name: string, text: string): number | null {
  if (text.toLowerCase() === "none") return null;
  const most = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (most >= 1 && most <= mostAtOnce) return most;
  throw new UserError(
    `“${harmless(text, 30)}” is no number of mailboxes from 1 to ${mostAtOnce}; nothing was changed. Type \`endpoint pace ${name} 10\`, or \`pause\` to carry none.`,
  );
}
