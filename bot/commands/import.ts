import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { Entry, Login, NewEntry, Project } from "../../engine/domain/project.ts";
import type { Secret } from "../../engine/domain/secret.ts";
import { type Context, command, publicly } from "../command.ts";
import { type CsvRow, type Fault, faultsText, readCsv } from "../csv.ts";
import { projectOf, projectOption } from "../linked.ts";
import { passwordFrom } from "../variables.ts";
import { count } from "../wording/figures.ts";
import { refuseClosed, sameServer } from "./add.ts";

export const importCsv = command({
  name: "import",
  usage: "import <file.csv> [--project <name>]",
  summary: "adds mailboxes from a CSV file on this machine, all or none; without secrets",
  role: "operator",
  group: "Set up",
  examples: ["import ./mailboxes.csv"],
  options: projectOption,
  parse(words) {
    const [path] = words.args;
    if (path === undefined || words.args.length > 1) {
      throw new UserError(
        "Which file? Nothing was imported. Type `import ./mailboxes.csv`; its first line is `source,target`. A path with spaces stands in quotes.",
      );
    }
    return { path, words };
  },
  async run({ path, words }, context) {
    if (!context.capabilities.readsThisMachine) {
      throw new UserError(
        "`import <file>` reads a file of the machine Godwit runs on, and works there alone; nothing was imported. Type it in its terminal, or `add <source> <target>` here.",
      );
    }
    const project = await projectOf(words, context);
    refuseClosed(project);
    const { rows, faults } = readCsv(await read(path, context));
    const { desk } = context;
    const entries = await desk.projects.entries(project.id);
    const endpoints = await desk.projects.endpoints();
    const login = (id: number) => endpoints.find((one) => one.id === id)?.login ?? "master";
    const ways = {
      source: login(project.sourceEndpoint.id),
      target: login(project.targetEndpoint.id),
    };
    const here = await sameServer(project, desk);
    const fresh: NewEntry[] = [];
    const known: Login[] = [];
    for (const row of rows) {
      const standing = meets(row, entries, project, faults);
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
      `Imported ${count(fresh.length, "mailbox", "mailboxes")} into ${project.name} (by ${context.person.id}).${again}${skipped} Next: \`verify\`.`,
    );
  },
});

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

/** The entry the project has for the row already; a row that says otherwise than the project is a fault. */
function meets(row: CsvRow, entries: Entry[], project: Project, faults: Fault[]): Entry | null {
  const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
  const bySource = entries.find((entry) => same(entry.source, row.source));
  const byTarget = entries.find((entry) => same(entry.target, row.target));
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
  { machine }: Context,
  faults: Fault[],
): Secret | null {
  if (variable === null) return null;
  try {
    return passwordFrom(variable, machine);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    faults.push({ line, column, text: error.message });
    return null;
  }
}
