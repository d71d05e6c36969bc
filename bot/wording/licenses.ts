import type { Balance, Movement, Warning, Wasted } from "../../engine/domain/license.ts";
import type { Message } from "../message.ts";
import { columns, count, moment, names, number } from "./figures.ts";

/** `20 owned, 2 reserved, 11 used, 7 free`. */
export function balanceText({ owned, reserved, consumed, free }: Balance): string {
  return `${number(owned)} owned, ${number(reserved)} reserved, ${number(consumed)} used, ${number(free)} free`;
}

/** A line of the books. */
export function movementRow(line: Movement, when: string): string[] {
  const what = { grant: "bought", reserve: "reserved", consume: "used", release: "released" };
  return [
    when,
    `${what[line.kind]} ${number(line.count)}`,
    line.entry ?? "",
    line.pass === null ? "" : `pass ${line.pass}`,
    line.by,
    line.note ?? "",
  ];
}

/** What runs out soon, a line for each kind. */
export function warningLines(warnings: Warning[], zone: string): string[] {
  const lines: string[] = [];
  for (const one of warnings) {
    if (one.type !== "licenses") continue;
    lines.push(
      `Licenses run out: ${number(one.free)} free, and ${count(one.without, "mailbox has", "mailboxes have")} none yet. Type \`licenses add ${one.without - one.free} --note "order number"\`.`,
    );
  }
  const windows = warnings.filter((one) => one.type === "window");
  const over = windows.filter((one) => one.over);
  const open = windows.filter((one) => !one.over).sort((a, b) => a.until - b.until);
  if (over.length > 0) {
    lines.push(`The window of deltas is over for ${names(over.map((one) => one.entry))}.`);
  }
  const [first] = open;
  if (first !== undefined) {
    lines.push(
      `Windows of deltas end soon: ${names(open.map((one) => one.entry))}, the first at ${moment(first.until, zone)}. Type \`delta\` before.`,
    );
  }
  const passes = warnings.filter((one) => one.type === "passes");
  const used = passes.filter((one) => one.left === 0);
  const few = passes.filter((one) => one.left > 0);
  if (used.length > 0) {
    lines.push(`No pass is left under the license of ${names(used.map((one) => one.entry))}.`);
  }
  if (few.length > 0) {
    const each = few.map((one) => `${one.entry} (${one.left})`);
    lines.push(`Few passes are left under the license of ${names(each)}.`);
  }
  return lines;
}

const why: Record<Wasted["why"], string> = {
  "no pass completed": "no pass completed under it",
  remigrated: "the mailbox was started from scratch since",
};

/** Licenses that were used and brought nothing that is still in use. */
export function wastedMessage(
  project: string,
  wasted: (Wasted & { when: string })[],
  balance: Balance,
): Message {
  if (wasted.length === 0) {
    return {
      text: `Every license that was used in ${project} has brought a result (${balanceText(balance)}).`,
    };
  }
  const head = ["when", "mailbox", "pass", "who", "why"];
  const rows = wasted.map((one) => [one.when, one.entry, `pass ${one.pass}`, one.by, why[one.why]]);
  const title = `Used without result in ${project}: ${count(wasted.length, "license")} of ${number(balance.consumed)} used`;
  const next =
    "Type `status <mailbox>` to see what became of one; a delta under the same license costs nothing.";
  return {
    text: [title, columns([head, ...rows]), next].join("\n"),
    title,
    table: { columns: head, rows },
    notes: [next],
  };
}
