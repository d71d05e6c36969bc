import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { Entry, Login, NewEntry, Project } from "../../engine/domain/project.ts";
import type { Secret } from "../../engine/domain/secret.ts";
import { type Answer, type Context, command, publicly, type Words } from "../command.ts";
import { type CsvRow, type Fault, faultsText, readCsv } from "../csv.ts";
import { projectOf, projectOption } from "../linked.ts";
import type { Form } from "../message.ts";
import { passwordFrom } from "../variables.ts";
import { count } from "../wording/figures.ts";
import { who } from "../wording/people.ts";
import { refuseClosed, sameServer } from "./add.ts";

export const importCsv = command({
  name: "import",
  usage: "import [file.csv] [--project <name>]",
  summary: "adds mailboxes from a CSV file, all or none; without secrets",
  role: "operator",
  group: "Set up",
  examples: ["import", "import ./mailboxes.csv"],
  options: projectOption,
  parse(words) {
    const [path = null] = words.args;
    if (words.args.length > 1) {
      throw new UserError(
        "`import` takes one file; nothing was imported. A path with spaces stands in quotes.",
      );
    }
    return { path, words };
  },
  async run({ path, words }, context): Promise<Answer> {
    const text = await csvText(path, context);
    if (text === null) return { say: [{ how: "form", form: asking(words) }] };
    const project = await projectOf(words, context);
    refuseClosed(project);
    const { rows, faults } = readCsv(text);
    const { desk } = context;
    const entries = await desk.projects.entries(project.id);
    const endpoints = await desk.projects.endpoints();
    const login = (id: number) => endpoints.find((one) => one.id === id)?.login ?? "master";
    const ways = {
      source: login(project.sourceEndpoint.id),
      target: login(project.targetEndpoint.id),
    };
    const here = await sameServer(project, desk);
    const there = {
      bySource: new Map(entries.map((entry) => [entry.source.toLowerCase(), entry])),
      byTarget: new Map(entries.map((entry) => [entry.target.toLowerCase(), entry])),
    };
    const fresh: NewEntry[] = [];
    const known: Login[] = [];
    for (const row of rows) {
      const standing = meets(row, there, project, faults);
      if (here && row.source.toLowerCase() === row.target.toLowerCase()) {
        faults.push({
          line: row.line,
          column: "target",
          text: "is the same mailbox of the same server as the source; name another",
        });
      }
      const entry = newEntry(row, ways, context, faults);
      if (standing === null) fresh.push(entry);
      else known.push({ ...entry, entry: standing.id });
    }
    if (faults.length > 0) throw new UserError(faultsText(faults));
    const logins = known.filter(
      (one) => one.sourceUser ?? one.sourcePassword ?? one.targetUser ?? one.targetPassword,
    );
    if (fresh.length > 0) await desk.projects.add(project.id, fresh);
    if (logins.length > 0) await desk.projects.setLogins(logins);
    const left = known.length - logins.length;
    const again =
      logins.length === 0
        ? ""
        : ` ${count(logins.length, "row")} ${was(logins.length)} there already: ${logins.length === 1 ? "its login is" : "their logins are"} new.`;
    const skipped =
      left === 0
        ? ""
        : ` ${count(left, "row")} ${was(left)} there already and left as ${left === 1 ? "it is" : "they are"}.`;
    return publicly(
      `Imported ${count(fresh.length, "mailbox", "mailboxes")} into ${project.name} (by ${who(context.person)}).${again}${skipped} Next: \`verify\`.`,
    );
  },
});

/** The file's text; null where it has to be asked for. */
async function csvText(path: string | null, context: Context): Promise<string | null> {
  const { readsThisMachine } = context.capabilities;
  const sent = context.values?.get("file");
  if (sent !== undefined) return sent.reveal();
  if (path === null) {
    if (!readsThisMachine) return null;
    throw new UserError(
      "Which file? Nothing was imported. Type `import ./mailboxes.csv`; its first line is `source,target`. A path with spaces stands in quotes.",
    );
  }
  if (!readsThisMachine) {
    throw new UserError(
      "`import <file>` reads a file of the machine Godwit runs on, and works there alone; nothing was imported. Type `import` to send a file from here, or `add <source> <target>`.",
    );
  }
  return read(path, context);
}

function asking(words: Words): Form {
  const project = words.options.get("project");
  return {
    title: "Import mailboxes",
    intro:
      "A CSV file whose first line is source,target. Passwords do not belong in it: give them one by one with `endpoint secret <endpoint> <mailbox>`.",
    fields: [{ name: "file", label: "CSV file", kind: "file" }],
    submit: "Import",
    command: project === undefined ? "import" : `import --project ${project}`,
    otherwise: "Nothing was imported. Type `import ./mailboxes.csv`.",
  };
}

async function read(path: string, { machine }: Context): Promise<string> {
  try {
    return await machine.readFile(path);
  } catch {
    throw new UserError(
      `The file ${harmless(path)} could not be read; nothing was imported. Type \`import\` with the path of a CSV file.`,
    );
  }
}

function was(rows: number): string {
  return rows === 1 ? "was" : "were";
}

/** The entries a project has, by their addresses in lower case. */
type There = Record<"bySource" | "byTarget", Map<string, Entry>>;

/** The entry the project has for the row already; a row that says otherwise than the project is a fault. */
function meets(row: CsvRow, there: There, project: Project, faults: Fault[]): Entry | null {
  const bySource = there.bySource.get(row.source.toLowerCase());
  const byTarget = there.byTarget.get(row.target.toLowerCase());
  if (bySource !== undefined && bySource === byTarget) return bySource;
  if (bySource !== undefined) {
    faults.push({
      line: row.line,
      column: "target",
      text: `${row.source} goes to ${bySource.target} in ${project.name} already; write that, or leave the row out`,
    });
  }
  if (byTarget !== undefined) {
    faults.push({
      line: row.line,
      column: "source",
      text: `${row.target} takes ${byTarget.source} in ${project.name} already; write that, or leave the row out`,
    });
  }
  return null;
}

function newEntry(
  row: CsvRow,
  ways: Record<"source" | "target", string>,
  context: Context,
  faults: Fault[],
): NewEntry {
  const side = (end: "source" | "target") => {
    const user = row[`${end}_user`];
    const variable = row[`${end}_password_env`];
    if (ways[end] === "master" && (user !== null || variable !== null)) {
      const column = user !== null ? `${end}_user` : `${end}_password_env`;
      faults.push({
        line: row.line,
        column,
        text: "a master logs in at that endpoint; leave the cell empty",
      });
    }
    return { user, password: password(variable, row.line, `${end}_password_env`, context, faults) };
  };
  const [source, target] = [side("source"), side("target")];
  return {
    source: row.source,
    target: row.target,
    sourceUser: source.user,
    sourcePassword: source.password,
    targetUser: target.user,
    targetPassword: target.password,
  };
}

function password(
  variable: string | null,
  line: number,
  column: string,
  { machine, capabilities }: Context,
  faults: Fault[],
): Secret | null {
  if (variable === null) return null;
  if (!capabilities.readsThisMachine) {
    const text =
      "names a variable of the machine Godwit runs on, and that works there alone; leave the column out and type `endpoint secret <endpoint> <mailbox>`";
    faults.push({ line, column, text });
    return null;
  }
  try {
    return passwordFrom(variable, machine);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    faults.push({ line, column, text: error.message });
    return null;
  }
}
