import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { Project } from "../../engine/domain/project.ts";
import { type CheckItem, checklist, type Remigration } from "../../engine/domain/remigration.ts";
import { type Context, command, privately, publicly } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { numberTyped } from "../numbered.ts";
import { columns } from "../wording/figures.ts";
import { who } from "../wording/people.ts";
import { remigrationMessage, remigrationRows } from "../wording/remigration.ts";

export const remigrationList = command({
  name: "remigration list",
  usage: "remigration list [--project <name>]",
  summary: "lists the remigrations of a project",
  role: "viewer",
  group: "Look",
  examples: ["remigration list"],
  options: projectOption,
  parse: (words) => words,
  async run(words, context) {
    const project = await projectOf(words, context);
    const all = await context.desk.remigrations.list(project.id);
    if (all.length === 0) return privately(`Nothing of ${project.name} was started from scratch.`);
    const head = ["number", "mailboxes", "because", "when", ""];
    const rows = remigrationRows(all, project.zone);
    return privately({
      text: columns([head, ...rows]),
      title: `Remigrations of ${project.name}`,
      table: { columns: head, rows },
    });
  },
});

export const remigrationShow = command({
  name: "remigration show",
  usage: "remigration show <n> [--project <name>]",
  summary: "shows a remigration with its checklist",
  role: "viewer",
  group: "Look",
  examples: ["remigration show 2"],
  options: projectOption,
  parse: (words) => ({ n: numberTyped("remigration show", "a remigration", words.args), words }),
  async run({ n, words }, context) {
    const project = await projectOf(words, context);
    return privately(await shown(await numbered(n, project, context), project, context));
  },
});

const ours = checklist.flatMap((one) => (one.by === "people" ? one.item : []));

export const remigrationTick = command({
  name: "remigration tick",
  usage: 'remigration tick <n> <item> [--note "…"] [--project <name>]',
  summary: "ticks what people see to themselves: a backup, permissions",
  role: "operator",
  group: "Passes",
  examples: ["remigration tick 2 backup", 'remigration tick 2 permissions --note "asked Bo"'],
  options: { note: { value: '"…"' }, ...projectOption },
  parse(words) {
    const [, typed, ...rest] = words.args;
    const n = numberTyped("remigration tick", "a remigration", words.args.slice(0, 1));
    const item: CheckItem | undefined = ours.find((one) => one === typed?.toLowerCase());
    if (item === undefined || rest.length > 0) {
      throw new UserError(
        `Which item? What Godwit can see it ticks itself; nothing was ticked. Type one of ${ours.map((one) => `\`remigration tick ${n} ${one}\``).join(", ")}.`,
      );
    }
    return { n, item, note: harmless(words.options.get("note") ?? "", 200), words };
  },
  async run({ n, item, note, words }, context) {
    const project = await projectOf(words, context);
    const { desk, person } = context;
    await numbered(n, project, context);
    await desk.remigrations.tick(n, item, person.id, note);
    const text = checklist.find((one) => one.item === item)?.text ?? item;
    return publicly(
      `Remigration ${n}: ${text} (ticked by ${who(person)}${note === "" ? "" : `, ${note}`}).`,
    );
  },
});

async function numbered(n: number, project: Project, { desk }: Context): Promise<Remigration> {
  const found = await desk.remigrations.look(n);
  if (found?.project === project.id) return found;
  throw new UserError(
    `There is no remigration ${n} in ${project.name}; nothing was done. Type \`remigration list\` to see them.`,
  );
}

async function shown(remigration: Remigration, { zone }: Project, { desk }: Context) {
  const ticked = await Promise.all(
    remigration.ticks.map(async (tick) => ({
      ...tick,
      name: tick.by === null ? "Godwit" : harmless(await desk.people.name(tick.by), 60),
    })),
  );
  const by = harmless(await desk.people.name(remigration.by), 60);
  return remigrationMessage(remigration, by, ticked, zone);
}
