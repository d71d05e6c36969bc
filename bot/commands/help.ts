import { UserError } from "../../engine/domain/errors.ts";
import { aboutAll, type Command, command, type Group, groups, privately } from "../command.ts";
import type { Message } from "../message.ts";
import { nearest } from "../nearest.ts";
import { columns } from "../wording/figures.ts";

export const help = command({
  name: "help",
  usage: "help [command]",
  summary: "lists the commands, or tells one",
  role: "anyone",
  group: "Help",
  examples: ["help", "help prestage"],
  options: {},
  parse: ({ args }) => args.join(" ").toLowerCase().replace(/`/g, ""),
  async run(topic, { commands }) {
    return privately(topic === "" ? overview(commands) : told(topic, commands));
  },
});

const what =
  "Carries mailboxes from an old mail server to a new one, in passes. It is a migration, not synchronisation: nothing is deleted or updated at the new place, and the old one is never changed.";
const more = "`help <command>` tells one. A command works with or without `/migrate` before it.";

/** In columns where it is text alone; each command a line of its own where surfaces draw. */
function overview(commands: Command[]): Message {
  const of = (group: Group) => commands.filter((one) => one.group === group);
  const notes = groups.flatMap((group) => [
    `${group}:`,
    ...of(group).map((one) => `\`${short(one)}\` ${one.summary}`),
  ]);
  return {
    text: inColumns(commands),
    title: "What can be typed",
    notes: [what, ...notes, more],
  };
}

function inColumns(commands: Command[]): string {
  const parts = groups.map((group) => {
    const rows = commands.filter((one) => one.group === group);
    return `${group}\n${columns(rows.map((one) => [`  ${short(one)}`, one.summary]))}`;
  });
  return [what, ...parts, more].join("\n\n");
}

/** Without the options, which `help <command>` tells. */
function short({ usage }: Command): string {
  return usage.replace(/ \[?--.*/, "");
}

function told(topic: string, commands: Command[]): string {
  const exact = commands.filter((one) => one.name === topic);
  const found = [...exact, ...commands.filter((one) => one.name.startsWith(`${topic} `))];
  if (found.length === 0) {
    const names = [...new Set(commands.flatMap((one) => [one.name, one.name.split(" ")[0] ?? ""]))];
    const near = nearest(topic, names);
    throw new UserError(
      near === null
        ? "There is no such command. Type `help` to see all of them."
        : `Did you mean \`help ${near}\`?`,
    );
  }
  return found.map(one).join("\n\n");
}

function one(command: Command): string {
  const lines = [`\`${command.usage}\``, `${command.summary}.`];
  const local = Object.entries(command.options).filter(([, option]) => option.machineOnly);
  if (local.length > 0) {
    const names = local.map(([name]) => `\`--${name}\``).join(", ");
    lines.push(`Only on the machine Godwit runs on: ${names}.`);
  }
  if (command.about === aboutAll) lines.push("For those who stand in GODWIT_OWNERS.");
  else if (command.role !== "anyone") lines.push(`For the role ${command.role} and above.`);
  return [...lines, ...command.examples.map((example) => `  ${example}`)].join("\n");
}
