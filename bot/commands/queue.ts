import { UserError } from "../../engine/domain/errors.ts";
import { aboutAll, command, privately } from "../command.ts";
import { type BoardAt, queueMessage } from "../wording/queue.ts";

export const queue = command({
  name: "queue",
  usage: "queue",
  summary: "shows how the queue stands, and opens its board",
  role: "owner",
  about: aboutAll,
  group: "Look",
  examples: ["queue"],
  options: {},
  parse({ args }) {
    if (args.length > 0) throw new UserError("Nothing was done. Type `queue` alone.");
  },
  async run(_, { desk, options, person }) {
    const { keeper } = desk.queue;
    const [rings, runs] = await Promise.all([desk.queue.depth(), desk.vitals.runs()]);
    const { board = "unset" } = options;
    const at: BoardAt = typeof board === "string" ? board : { link: board.invite(person.id) };
    return privately(queueMessage({ keeper, rings, runs }, at));
  },
});
