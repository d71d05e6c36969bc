import { DateTime } from "luxon";
import { harmless, UserError } from "../../engine/domain/errors.ts";
import { warnings } from "../../engine/domain/license.ts";
import { command, privately, publicly } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { secondPerson } from "../second-person.ts";
import { columns, count } from "../wording/figures.ts";
import { balanceText, movementRow, warningLines, wastedMessage } from "../wording/licenses.ts";
import { who } from "../wording/people.ts";

export const licenses = command({
  name: "licenses",
  usage: "licenses [--project <name>]",
  summary: "shows the balance, and what runs out soon",
  role: "viewer",
  group: "Licenses",
  examples: ["licenses"],
  options: projectOption,
  parse(words) {
    if (words.args.length > 0) {
      throw new UserError(
        'Nothing was done. Type `licenses`, `licenses history`, `licenses report` or `licenses add <n> --note "order number"`.',
      );
    }
    return words;
  },
  async run(words, context) {
    const project = await projectOf(words, context);
    const { desk } = context;
    const [balance, entries] = await Promise.all([
      desk.licenses.balance(project.id),
      desk.projects.entries(project.id),
    ]);
    const runOut = warnings(project.policy, entries, balance, desk.clock.now());
    return privately(
      [
        `Licenses of ${project.name}: ${balanceText(balance)}. One is used for a mailbox when its first item is written; \`licenses history\` shows each movement, \`licenses report\` what was used without result.`,
        ...warningLines(runOut, project.zone),
      ].join("\n"),
    );
  },
});

export const licensesAdd = command({
  name: "licenses add",
  usage: 'licenses add <n> --note "order number" [--project <name>]',
  summary: "notes licenses that were bought",
  role: "owner",
  group: "Licenses",
  examples: ['licenses add 20 --note "order 4711"'],
  options: { note: { value: '"order number"' }, ...projectOption },
  parse(words) {
    const [typed, ...rest] = words.args;
    const amount = /^\d{1,6}$/.test(typed ?? "") ? Number(typed) : 0;
    if (amount < 1 || rest.length > 0) {
      throw new UserError(
        'How many? A number from 1 to 999999; nothing was added. Type `licenses add 20 --note "order 4711"`.',
      );
    }
    const note = words.options.get("note") ?? "";
    if (note === "" || harmless(note, 200) !== note.trim().replace(/\s+/g, " ")) {
      throw new UserError(
        `Say where they come from, in at most 200 letters; nothing was added. Type \`licenses add ${amount} --note "order 4711"\`.`,
      );
    }
    return { amount, note: harmless(note, 200), words };
  },
  async run({ amount, note, words }, context) {
    const project = await projectOf(words, context);
    const told = `${count(amount, "license")} for ${project.name} (${note})`;
    const waits = await secondPerson(
      project.policy.secondPerson.grants,
      { project, told, content: [amount, note], message: { text: `To be added: ${told}.` } },
      context,
    );
    if (waits !== null) return waits;
    const balance = await context.desk.licenses.grant(project.id, amount, context.person.id, note);
    return publicly(
      `${count(amount, "license")} added to ${project.name} by ${who(context.person)} (${note}): ${balanceText(balance)}.`,
    );
  },
});

export const licensesHistory = command({
  name: "licenses history",
  usage: "licenses history [--project <name>]",
  summary: "shows who used, added and released licenses, when and for what",
  role: "viewer",
  group: "Licenses",
  examples: ["licenses history"],
  options: projectOption,
  parse: (words) => words,
  async run(words, context) {
    const project = await projectOf(words, context);
    const lines = await context.desk.licenses.history(project.id, 100);
    if (lines.length === 0) {
      return privately(
        'No license was bought or used yet. Type `licenses add <n> --note "order number"`.',
      );
    }
    const rows = await Promise.all(
      lines.map(async (line) =>
        movementRow(
          { ...line, by: await context.desk.people.name(line.by) },
          DateTime.fromMillis(line.at, { zone: project.zone }).toFormat("yyyy-MM-dd HH:mm"),
        ),
      ),
    );
    const balance = await context.desk.licenses.balance(project.id);
    return privately({
      text: `Licenses of ${project.name}: ${balanceText(balance)}\n${columns(rows)}`,
      title: `Licenses of ${project.name}: ${balanceText(balance)}`,
      table: { columns: ["when", "what", "mailbox", "pass", "who", "note"], rows },
    });
  },
});

export const licensesReport = command({
  name: "licenses report",
  usage: "licenses report [--project <name>]",
  summary: "shows licenses that were used and brought no result",
  role: "viewer",
  group: "Licenses",
  examples: ["licenses report"],
  options: projectOption,
  parse: (words) => words,
  async run(words, context) {
    const { desk } = context;
    const project = await projectOf(words, context);
    const wasted = await Promise.all(
      (await desk.licenses.wasted(project.id)).map(async (one) => ({
        ...one,
        by: await desk.people.name(one.by),
        when: DateTime.fromMillis(one.at, { zone: project.zone }).toFormat("yyyy-MM-dd HH:mm"),
      })),
    );
    return privately(wastedMessage(project.name, wasted, await desk.licenses.balance(project.id)));
  },
});
