import type { Instant } from "../../engine/domain/clock.ts";
import type { Cutover } from "../../engine/domain/cutover.ts";
import type { Project } from "../../engine/domain/project.ts";
import {
  type Answer,
  type Command,
  type Context,
  command,
  type Definition,
  privately,
  type Said,
  type Words,
} from "../command.ts";
import { cutoverMeant } from "../cutover-meant.ts";
import { endCutovers, offerKey, shownOf, sweepRequest } from "../cutover-shown.ts";
import { projectOf, projectOption } from "../linked.ts";
import { cutoverMessage, offerAnswered, watchedUntil } from "../wording/cutover.ts";
import { who } from "../wording/people.ts";
import { carryOut } from "./pass.ts";

export const cutoverStatus = about({
  name: "cutover status",
  usage: "cutover status [domain] [--project <name>]",
  summary: "shows how the cutover stands: the MX, late mail, and whether the old system may go",
  role: "viewer",
  group: "Look",
  async run(cutover, _project, { desk, thread }) {
    const message = cutoverMessage(await shownOf(cutover, desk), desk.clock.now());
    return thread === null ? privately(message) : { say: [{ how: "reply", message }] };
  },
});

export const cutoverSweep = about({
  name: "cutover sweep",
  usage: "cutover sweep [domain] [--project <name>]",
  summary: "runs the delta over the mailboxes of a cutover: at the change, and for late mail",
  role: "operator",
  group: "Passes",
  async run(cutover, project, context) {
    const { desk, person } = context;
    const request = await sweepRequest(cutover, desk);
    const typed = { limit: null, selection: [], types: null, yes: false, dryRun: false };
    const { words } = context.asked;
    const answer = await carryOut(request, project, { ...typed, words }, context);
    const by = who(person);
    const at = desk.clock.now();
    // Nothing else may have been asked, or somebody else may have answered.
    if (!(await desk.cutovers.answer(cutover.n, by, at))) return answer;
    return { ...answer, say: [...answered(cutover, project, by, at), ...answer.say] };
  },
});

export const cutoverCancel = about({
  name: "cutover cancel",
  usage: "cutover cancel <domain> [--project <name>]",
  summary: "ends the watch of a domain's MX; nothing that was carried changes",
  role: "operator",
  group: "Passes",
  async run(cutover, _project, { desk, person }) {
    const why = `cancelled by ${who(person)}`;
    const rewritten = await endCutovers([cutover], "cancelled", why, desk);
    return { say: [...rewritten, { how: "post", message: { text: watchedUntil(cutover, why) } }] };
  },
});

/** A command about one of the cutovers that are open. */
function about(
  definition: Pick<Definition<unknown>, "name" | "usage" | "summary" | "role" | "group"> & {
    run(cutover: Cutover, project: Project, context: Context): Promise<Answer>;
  },
): Command {
  const { run, ...told } = definition;
  return command<Words>({
    ...told,
    examples: [`${told.name} example.com`],
    options: projectOption,
    parse: (words) => words,
    async run(words, context) {
      const project = await projectOf(words, context);
      const open = await context.desk.cutovers.open(project.id);
      return run(cutoverMeant(words.args, open, project), project, context);
    },
  });
}

function answered(cutover: Cutover, { zone }: Project, by: string, at: Instant): Said[] {
  const { n, offer } = cutover;
  if (offer === null) return [];
  const message = offerAnswered(cutover, { ...offer, by, answeredAt: at }, at, zone);
  return [{ how: "rewrite", key: offerKey(n, offer.n), message }];
}
