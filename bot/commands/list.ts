import { UserError } from "../../engine/domain/errors.ts";
import type { PassState } from "../../engine/domain/pass.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import { type Answer, type Context, command, privately } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { columns, count, moment, number } from "../wording/figures.ts";
import { stateWords } from "../wording/pass.ts";

export const list = command({
  name: "list",
  usage: "list [entries | closed | projects] [--project <name>]",
  summary:
    "lists mailboxes with state, passes used and license; those started from scratch since; or projects",
  role: "viewer",
  about: async (words, context) =>
    words.args[0]?.toLowerCase() === "projects" ? "any project" : projectOf(words, context),
  group: "Look",
  examples: ["list", "list projects"],
  options: projectOption,
  parse(words) {
    const what = words.args[0]?.toLowerCase() ?? "entries";
    if (words.args.length > 1 || !["entries", "mailboxes", "closed", "projects"].includes(what)) {
      throw new UserError(
        "There are three lists: type `list entries`, `list closed` or `list projects`.",
      );
    }
    return { what, words };
  },
  async run({ what, words }, context) {
    if (what === "projects") return allProjects(context);
    const project = await projectOf(words, context);
    return what === "closed" ? allClosed(project, context) : allEntries(project, context);
  },
});

const most = 200;

/** Those the person may look into. */
async function allProjects({ desk, channel, person, options }: Context): Promise<Answer> {
  const own = await desk.people.projects(person.id);
  const all = (await desk.projects.list()).filter(
    (one) => options.owners.includes(person.id) || own.includes(one.id),
  );
  if (all.length === 0) {
    return privately(
      "There are no projects yet. Type `project new <name> --from <endpoint> --to <endpoint>`.",
    );
  }
  const linked = await desk.projects.linked(channel);
  const rows = all.map((one) => [
    one.name,
    `${one.sourceEndpoint.name} → ${one.targetEndpoint.name}`,
    one.closed ? "closed" : "",
    one.id === linked?.id ? "this channel" : "",
  ]);
  return privately({
    text: columns(rows),
    title: "Projects",
    table: { columns: ["name", "from → to", "", ""], rows },
  });
}

async function allEntries(project: Project, { desk }: Context): Promise<Answer> {
  const entries = await desk.projects.entries(project.id);
  if (entries.length === 0) {
    return privately(
      `${project.name} has no mailboxes yet. Type \`add <source> <target>\` or \`import <file.csv>\`.`,
    );
  }
  const head = ["mailbox", "goes to", "state", "passes used", "license"];
  const rows = entries
    .slice(0, most)
    .map((entry) => [
      entry.source,
      entry.target,
      stateOf(entry),
      `${number(entry.passesUsed)} of ${project.policy.passesPerLicense}`,
      entry.license,
    ]);
  const more = entries.length > most ? `\nand ${number(entries.length - most)} more` : "";
  return privately({
    text: `${project.name}, ${count(entries.length, "mailbox", "mailboxes")}\n${columns([head, ...rows])}${more}`,
    title: `${project.name}, ${count(entries.length, "mailbox", "mailboxes")}`,
    table: { columns: head, rows },
    ...(more === "" ? {} : { notes: [more.trim()] }),
  });
}

/** Entries that others took the place of: their passes and licenses stay readable. */
async function allClosed(project: Project, { desk }: Context): Promise<Answer> {
  const closed = await desk.projects.closedEntries(project.id);
  if (closed.length === 0)
    return privately(`No mailbox of ${project.name} was started from scratch.`);
  const open = await desk.projects.entries(project.id);
  const head = ["mailbox", "went to", "closed", "passes used", "license", "remigration"];
  const rows = closed.slice(0, most).map((entry) => {
    const next = [...open, ...closed].find(({ succeeds }) => succeeds === entry.id);
    return [
      entry.source,
      entry.target,
      moment(entry.closedAt ?? 0, project.zone),
      number(entry.passesUsed),
      entry.license,
      String(next?.remigration ?? ""),
    ];
  });
  const title = `${project.name}, ${count(closed.length, "closed mailbox", "closed mailboxes")}`;
  const more =
    "`report <pass>` shows the passes they had, `remigration show <n>` why they were closed.";
  return privately({
    text: [title, columns([head, ...rows]), more].join("\n"),
    title,
    table: { columns: head, rows },
    notes: [more],
  });
}

function stateOf(entry: Entry): string {
  if (entry.notReady !== null) return entry.notReady;
  if (entry.busyWith !== null) return `in pass ${entry.busyWith}`;
  return entry.lastState === null
    ? "new"
    : (stateWords[entry.lastState as PassState] ?? entry.lastState);
}
