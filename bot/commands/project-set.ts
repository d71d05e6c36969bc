import type { Instant } from "../../engine/domain/clock.ts";
import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { Policy } from "../../engine/domain/policy.ts";
import type { Filters, Project } from "../../engine/domain/project.ts";
import { ringWaiting, windowAt } from "../../engine/submit.ts";
import { authorise } from "../authorise.ts";
import { type Command, command, privately } from "../command.ts";
import { readDate } from "../limit.ts";
import { projectOf, projectOption } from "../linked.ts";
import { nearest } from "../nearest.ts";
import { loosens, policySettings } from "../policy-settings.ts";
import { refuseNeverOpen, windowSettings } from "../project-windows.ts";
import { secondPerson } from "../second-person.ts";
import { policyChanges, policyText } from "../wording/policy.ts";
import { windowChanges, windowsInForce } from "../wording/windows.ts";
import { readZone } from "./project-new.ts";
import { filterLines } from "./project-show.ts";

type Change = Partial<Pick<Project, "policy" | "zone" | "filters" | "windows">>;

/** Each setting: what its value becomes. `none` clears those that can be cleared. */
const settings: Record<string, (value: string, project: Project) => Change> = {
  ...Object.fromEntries(
    Object.entries(policySettings).map(([key, change]) => [
      key,
      (value: string, { policy }: Project) => ({ policy: change(value, policy) }),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(windowSettings).map(([key, change]) => [
      key,
      (value: string, { windows }: Project) => ({ windows: change(value, windows) }),
    ]),
  ),
  after: (value, project) => filter(project, { after: date(value, project) }),
  before: (value, project) => filter(project, { before: date(value, project) }),
  "folders.include": (value, project) => filter(project, { include: patterns(value) }),
  "folders.exclude": (value, project) => filter(project, { exclude: patterns(value) }),
  "folders.map": (value, project) => filter(project, { map: folderMap(value) }),
  maxItemSize: (value, project) => filter(project, { maxItemSize: bytes(value) }),
  zone: (value) => ({ zone: readZone(value) }),
};

export const projectSet: Command = command({
  name: "project set",
  usage: "project set <key> <value> [--project <name>]",
  summary:
    "changes a filter, the hours of passes, the policy or the time zone; `none` clears what can be cleared",
  role: "operator",
  group: "Set up",
  examples: [
    "project set after 2020-01-01",
    'project set folders.exclude "Junk,Archive/*"',
    'project set folders.map "Sent=Sent Items"',
    "project set maxItemSize 25MB",
    "project set passesPerLicense unlimited",
    'project set hours "weekdays 19:00-07:00, sat,sun 00:00-24:00"',
    'project set blackout "2026-12-24..2026-12-26, 2027-01-01"',
  ],
  options: projectOption,
  parse(words) {
    const [typed, ...rest] = words.args;
    const keys = Object.keys(settings);
    const key = keys.find((one) => one.toLowerCase() === typed?.toLowerCase());
    if (key === undefined) {
      const near = typed === undefined ? null : nearest(typed, keys);
      throw new UserError(
        near === null
          ? `Which setting? Nothing was changed. Type \`project set <key> <value>\` with one of ${keys.join(", ")}.`
          : `Did you mean \`project set ${near} …\`? Nothing was changed.`,
      );
    }
    const value = rest.join(" ").trim();
    if (value === "") {
      throw new UserError(
        `\`${key}\` needs a value; nothing was changed. Type \`project set ${key} <value>\`, or \`none\` to clear it.`,
      );
    }
    return { key, value, words };
  },
  async run({ key, value, words }, context) {
    const project = await projectOf(words, context);
    // Who has to approve is the owners' to say.
    if (key.startsWith("secondPerson.")) {
      await authorise({ ...projectSet, role: "owner" }, words, context);
    }
    const change = settings[key]?.(value, project) ?? {};
    const { after, before } = change.filters ?? project.filters;
    if (after !== null && before !== null && after >= before) {
      throw new UserError(
        "`after` must lie before `before`, or no mail is left; nothing was changed. Type `project set after none` to clear one of them.",
      );
    }
    const policy = change.policy ?? project.policy;
    const changed = policyChanges(project.policy, policy);
    const told = `policy of ${project.name}: ${changed}`;
    const waits = await secondPerson(
      loosens(project.policy.secondPerson, policy.secondPerson),
      { project, told, content: policy, message: { text: `To be changed: ${told}.` } },
      context,
    );
    if (waits !== null) return waits;
    // Made anew of the project as it stands by then: another change at this moment stays.
    let was = project;
    const now = await context.desk.projects.change(project.id, (stands) => {
      was = stands;
      const anew = settings[key]?.(value, stands) ?? {};
      if (anew.policy !== undefined && context.approved === null) {
        refuseLoosening(stands.policy, anew.policy);
      }
      if (anew.windows !== undefined) {
        refuseNeverOpen({ zone: stands.zone, windows: anew.windows }, context.desk.clock.now());
      }
      return anew;
    });
    // What waits for its hours may begin by now, or waits for others.
    if (change.windows !== undefined || change.zone !== undefined) await ringWaiting(context.desk);
    const note = changed === "" ? windowChanges(was.windows, now.windows) : changed;
    return {
      ...privately(`Set for ${now.name}:\n${setLines(change, now, context.desk.clock.now())}`),
      ...(note === "" ? {} : { note }),
    };
  },
});

/** What stands now of what was set. */
function setLines(change: Change, now: Project, at: Instant): string {
  const indented = (lines: string[]) => lines.map((line) => `  ${line}`).join("\n");
  if (change.filters !== undefined) {
    return `${indented(filterLines(now))}\nFilters hold for passes started from now on; full passes and deltas ignore \`after\` and \`before\`.`;
  }
  if (change.windows !== undefined) {
    const window = windowAt(now, at);
    const how =
      window === null
        ? "What waits for its hours goes on."
        : "Outside their hours they wait, and go on by themselves. `verify` may run at any hour.";
    return `${indented(windowsInForce(now.windows, window, now.zone))}\nThat holds at once, for passes that run too. ${how}`;
  }
  return indented(
    change.zone === undefined ? [`policy: ${policyText(now.policy)}`] : [`zone: ${now.zone}`],
  );
}

/** The rule was made while this was on its way. */
function refuseLoosening(before: Policy, after: Policy): void {
  if (!loosens(before.secondPerson, after.secondPerson)) return;
  throw new UserError(
    "Somebody changed who has to approve at this moment; nothing was changed. Type the command again.",
  );
}

function filter(project: Project, change: Partial<Filters>): Change {
  return { filters: { ...project.filters, ...change } };
}

function isNone(value: string): boolean {
  return value.toLowerCase() === "none";
}

function date(value: string, project: Project): number | null {
  return isNone(value) ? null : readDate(value, project.zone, "date");
}

function patterns(value: string): string[] {
  if (isNone(value)) return [];
  const all = value.split(",").map((one) => one.trim());
  if (all.length > 200 || all.some((one) => !isFolder(one))) throw badFolders('"Junk,Archive/*"');
  return all;
}

function folderMap(value: string): Record<string, string> {
  if (isNone(value)) return {};
  const pairs = value.split(",").map((one) => one.split("=").map((side) => side.trim()));
  const seen = new Set<string>();
  for (const pair of pairs) {
    const [from = "", to = ""] = pair;
    if (pair.length !== 2 || ![from, to].every((side) => isFolder(side) && !side.includes("*"))) {
      throw badFolders('"Sent=Sent Items,Old/2019=Archive/2019"');
    }
    if (seen.has(from.toLowerCase())) {
      throw new UserError(
        `The folder ${harmless(from, 60)} is mapped twice; nothing was changed. Name it once.`,
      );
    }
    seen.add(from.toLowerCase());
  }
  return Object.fromEntries(pairs.map(([from = "", to = ""]) => [from, to]));
}

function isFolder(name: string): boolean {
  return (
    name.length > 0 &&
    name.length <= 500 &&
    name.split("/").every((part) => part.trim() !== "") &&
    harmless(name, 500) === name
  );
}

function badFolders(example: string): UserError {
  return new UserError(
    `That is no list of folders; nothing was changed. Names are separated by commas, \`/\` stands between a folder and its parent: write it like ${example}, or \`none\`.`,
  );
}

function bytes(value: string): number | null {
  if (isNone(value)) return null;
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([KMG]?)(?:i?B)?$/i.exec(value);
  const power = { "": 0, k: 1, m: 2, g: 3 }[match?.[2]?.toLowerCase() ?? ""] ?? 0;
  const size = match === null ? 0 : Math.floor(Number(match[1]) * 1024 ** power);
  if (size >= 1 && size <= 2 ** 50) return size;
  throw new UserError(
    `“${harmless(value, 30)}” is not a size; nothing was changed. Write it like 25MB, or \`none\`.`,
  );
}
