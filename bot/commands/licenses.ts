import { DateTime } from "luxon";
import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { Balance } from "../../engine/domain/license.ts";
import { command, privately, publicly } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { columns, count, number } from "../wording/figures.ts";
import { who } from "../wording/people.ts";
import { movementRow } from "../wording/plan.ts";

export const licenses = command({
  name: "licenses",
  usage: "licenses [--project <name>]",
  summary: "shows the balance",
  role: "viewer",
  group: "Licenses",
  examples: ["licenses"],
  options: projectOption,
  parse(words) {
    if (words.args.length > 0) {
      throw new UserError(
        'Nothing was done. Type `licenses`, `licenses history` or `licenses add <n> --note "order number"`.',
      );
    }
    return words;
  },
  async run(words, context) {
    const project = await projectOf(words, context);
    const balance = await context.desk.licenses.balance(project.id);
    return privately(
      `Licenses of ${project.name}: ${told(balance)}. One is used for a mailbox when its first item is written; \`licenses history\` shows each movement.`,
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
    const balance = await context.desk.licenses.grant(project.id, amount, context.person.id, note);
    return publicly(
      `${count(amount, "license")} added to ${project.name} by ${who(context.person)} (${note}): ${told(balance)}.`,
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
      text: `Licenses of ${project.name}: ${told(balance)}\n${columns(rows)}`,
      title: `Licenses of ${project.name}: ${told(balance)}`,
      table: { columns: ["when", "what", "mailbox", "pass", "who", "note"], rows },
    });
  },
});

function told({ owned, reserved, consumed, free }: Balance): string {
  return `${number(owned)} owned, ${number(reserved)} reserved, ${number(consumed)} used, ${number(free)} free`;
}
