import { type BoardStep, boardSteps, isSafe } from "../../engine/domain/board.ts";
import { standing } from "../../engine/domain/cutover.ts";
import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { Project } from "../../engine/domain/project.ts";
import { boardFacts, boardKey, boardShown } from "../board.ts";
import { type Answer, type Context, command, publicly, type Words } from "../command.ts";
import { endAllCutovers } from "../cutover-shown.ts";
import { projectOf, projectOption } from "../linked.ts";
import { boardMessage, boardMoved, boardTaken, stepWords } from "../wording/board.ts";
import { who } from "../wording/people.ts";
import { withheldText } from "../wording/verdict.ts";

const steps = boardSteps.map(({ step }) => step);

export const board = command({
  name: "board",
  usage: "board [--project <name>]",
  summary: "puts the project's board into this channel: one message that is kept as things stand",
  role: "operator",
  group: "Look",
  examples: ["board"],
  options: projectOption,
  parse(words) {
    if (words.args.length === 0) return words;
    throw new UserError(
      `\`board ${harmless(words.args.join(" "), 60)}\` is not known; nothing was done. Type \`board\`, \`board assign <step> <person>\`, \`board tick <step>\`, \`board untick <step>\` or \`board remove\`.`,
    );
  },
  async run(words, context): Promise<Answer> {
    const { desk, channel } = context;
    const project = await projectOf(words, context);
    const key = boardKey(project.id);
    const message = boardMessage(await boardShown(project, desk), desk.clock.now());
    await desk.boards.put(project.id, channel);
    return {
      say: [
        { how: "rewrite", key, message: boardMoved(project.name), pin: false },
        { how: "post", key, message, pin: true },
      ],
    };
  },
});

export const boardRemove = command({
  name: "board remove",
  usage: "board remove [--project <name>]",
  summary: "takes the project's board down; owners and ticks are kept",
  role: "operator",
  group: "Look",
  examples: ["board remove"],
  options: projectOption,
  parse: (words) => words,
  async run(words, context): Promise<Answer> {
    const { desk, person } = context;
    const project = await projectOf(words, context);
    const all = await desk.boards.all();
    if (!all.some((one) => one.project === project.id)) {
      throw new UserError(`${project.name} has no board; nothing was done. Type \`board\`.`);
    }
    await desk.boards.put(project.id, null);
    const message = boardTaken(project.name, who(person));
    return {
      say: [
        { how: "rewrite", key: boardKey(project.id), message, pin: false },
        { how: "private", message },
      ],
    };
  },
});

export const boardAssign = command({
  name: "board assign",
  usage: "board assign <step> <person>|none [--project <name>]",
  summary: "says whose a step of the board is",
  role: "operator",
  group: "Look",
  examples: ["board assign mx @anna", "board assign switch-off none"],
  options: projectOption,
  parse(words) {
    const step = stepTyped("board assign", words);
    const typed = words.args.slice(1).join(" ");
    if (typed !== "") return { step, typed, words };
    throw new UserError(
      `Whose? Nothing was changed. Type \`board assign ${step} @bo\`, or \`board assign ${step} none\`.`,
    );
  },
  async run({ step, typed, words }, context) {
    const { desk, person, lookUp } = context;
    const project = await projectOf(words, context);
    if (typed.toLowerCase() === "none") {
      await desk.boards.assign(project.id, step, null);
      return publicly(`${stepWords[step]} of ${project.name} is nobody's now (by ${who(person)}).`);
    }
    const owner = await lookUp(typed);
    if (owner === null) {
      throw new UserError(
        `Nobody is known by ${harmless(typed, 60)}; nothing was changed. Mention the person, or type their e-mail address; at this machine a name like \`bo\`.`,
      );
    }
    if (!owner.id.startsWith("local:")) await desk.people.met(owner);
    await desk.boards.assign(project.id, step, owner.id);
    return publicly(
      `${stepWords[step]} of ${project.name} is ${who(owner)}'s (by ${who(person)}).`,
    );
  },
});

export const boardTick = command({
  name: "board tick",
  usage: 'board tick <step> [--note "…"] [--anyway] [--project <name>]',
  summary: "says that a step is done which Godwit cannot see",
  role: "operator",
  group: "Look",
  examples: ["board tick ttl", 'board tick switch-off --note "by Anna, 18:00"'],
  options: { note: { value: '"…"' }, anyway: { value: null }, ...projectOption },
  parse: (words) => ({
    step: stepTyped("board tick", words, 1),
    note: harmless(words.options.get("note") ?? "", 120),
    words,
  }),
  async run({ step, note, words }, context) {
    const { desk, person } = context;
    const project = await projectOf(words, context);
    if (step === "switch-off" && !words.options.has("anyway")) await refuseUnsafe(project, context);
    await desk.boards.tick(project.id, step, person.id, desk.clock.now(), note);
    const told = publicly(
      `${stepWords[step]} of ${project.name} is done (by ${who(person)}${note === "" ? "" : `: ${note}`}).`,
    );
    if (step !== "switch-off") return told;
    // Nobody is to look into mailboxes that are gone.
    const why = `the old system is off, by ${who(person)}`;
    return { say: [...told.say, ...(await endAllCutovers(project, why, desk))] };
  },
});

export const boardUntick = command({
  name: "board untick",
  usage: "board untick <step> [--project <name>]",
  summary: "takes a tick of the board back",
  role: "operator",
  group: "Look",
  examples: ["board untick ttl"],
  options: projectOption,
  parse: (words) => ({ step: stepTyped("board untick", words, 1), words }),
  async run({ step, words }, context) {
    const { desk, person } = context;
    const project = await projectOf(words, context);
    await desk.boards.tick(project.id, step, null, desk.clock.now(), "");
    return publicly(
      `${stepWords[step]} of ${project.name}: its tick was taken back (by ${who(person)}).`,
    );
  },
});

function stepTyped(name: string, { args }: Words, most = Number.POSITIVE_INFINITY): BoardStep {
  const step = steps.find((one) => one === args[0]?.toLowerCase());
  if (step !== undefined && args.length <= most) return step;
  throw new UserError(
    `Which step? Nothing was changed. Type \`${name} <step>\` with one of ${steps.join(", ")}.`,
  );
}

/** An old system that is off takes what is left in it along. */
async function refuseUnsafe(project: Project, { desk }: Context): Promise<void> {
  const now = desk.clock.now();
  const facts = await boardFacts(project, desk);
  if (isSafe(facts, now)) return;
  const why = facts.cutovers.flatMap(({ cutover, late }) => {
    const { safe, why } = standing(cutover, late, now);
    return safe
      ? []
      : [
          `${cutover.domain}: ${withheldText({ cutover, suffix: "" }, why, now, project.zone).join("; ")}`,
        ];
  });
  const reason =
    why.length > 0
      ? why.join(". ")
      : facts.cutovers.length === 0
        ? "no cutover is watched, so that nobody knows"
        : "not every mailbox belongs to a domain that is watched";
  throw new UserError(
    `It is not safe to switch the old system off: ${reason}. Nothing was ticked. If it is off all the same, type \`board tick switch-off --anyway\`.`,
  );
}
