import { DateTime } from "luxon";
import { harmless, UserError } from "../../engine/domain/errors.ts";
import { command, privately } from "../command.ts";
import { csvText } from "../csv-out.ts";
import { projectOf, projectOption } from "../linked.ts";
import { columns } from "../wording/figures.ts";

/** Lines shown, and lines in the file. */
const shown = 20;
const kept = 10_000;

export const audit = command({
  name: "audit",
  usage: "audit [--project <name>]",
  summary: "shows who did what, when, and what came of it",
  role: "owner",
  group: "Look",
  examples: ["audit"],
  options: projectOption,
  parse(words) {
    if (words.args.length > 0) throw new UserError("Nothing was done. Type `audit` alone.");
    return words;
  },
  async run(words, context) {
    const project = await projectOf(words, context);
    const { desk } = context;
    const lines = await desk.audit.recent(project.id, kept);
    const names = new Map<string, string>();
    for (const { who } of lines) {
      if (!names.has(who)) names.set(who, harmless(await desk.people.name(who), 60));
    }
    const head = ["when", "who", "what", "outcome"];
    const rows = lines.map((line) => [
      DateTime.fromMillis(line.at, { zone: project.zone }).toFormat("yyyy-MM-dd HH:mm:ss"),
      names.get(line.who) ?? line.who,
      harmless(line.did, 200),
      line.reference === null ? line.outcome : `${line.outcome} (${line.reference})`,
    ]);
    const few = rows.slice(0, shown);
    const title = `Audit of ${project.name}, newest first, times in ${project.zone}`;
    const more = rows.length > shown ? [`and ${rows.length - shown} more, in the file`] : [];
    return privately({
      text: [title, columns([head, ...few]), ...more].join("\n"),
      title,
      table: { columns: head, rows: few },
      notes: more,
      file: {
        name: `audit-${project.name}.csv`,
        content: csvText(
          [...head, "identity", "link"],
          rows.map((row, at) => [...row, lines[at]?.who ?? "", lines[at]?.link ?? ""]),
        ),
      },
    });
  },
});
