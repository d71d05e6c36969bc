import type { Emptied } from "../../engine/domain/emptying.ts";
import { FolderError, harmless, TransientError, UserError } from "../../engine/domain/errors.ts";
import { choose } from "../../engine/domain/plan.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import {
  advise,
  type Because,
  hindrance,
  leftIn,
  reasons,
} from "../../engine/domain/remigration.ts";
import { type Answer, Aside, type Context, command, privately, type Words } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { readAddress, refuseOdd } from "../mailbox.ts";
import { secondPerson } from "../second-person.ts";
import { count } from "../wording/figures.ts";
import { who } from "../wording/people.ts";
import {
  emptiedText,
  emptyingStopped,
  firstTicks,
  hindranceText,
  type Plan,
  remigrationBegun,
  remigrationDry,
  remigrationForm,
  remigrationLine,
  remigrationPlan,
} from "../wording/remigration.ts";
import { sameServer } from "./add.ts";

/** As typed. */
interface Wanted {
  selection: string[];
  because: Because;
  reason: string;
  target: string | null;
  acceptsDuplicates: boolean;
  empties: boolean;
  words: Words;
}

export const remigrate = command<Wanted>({
  name: "remigrate",
  usage:
    'remigrate <mailboxes> --because deleted|config|target|errors --reason "…" [--target <address>] [--empty-target] [--accept-duplicates] [--dry-run] --confirm <project>',
  summary:
    "starts mailboxes from scratch, under a license more each; says first what would do instead",
  role: "operator",
  group: "Passes",
  examples: [
    'remigrate anna@old.example --because target --reason "moved to the other tenant" --target anna@other.example',
    'remigrate anna@old.example --because config --reason "folders were mapped wrongly" --empty-target --confirm acme',
  ],
  options: {
    because: { value: reasons.join("|") },
    reason: { value: '"why"' },
    target: { value: "<address>" },
    "accept-duplicates": { value: null },
    "empty-target": { value: null },
    "dry-run": { value: null },
    confirm: { value: "<project>" },
    ...projectOption,
  },
  parse: read,
  async run(wanted, context) {
    const project = await projectOf(wanted.words, context);
    const entries = chosen(wanted, await context.desk.projects.entries(project.id), project);
    await refuseItself(wanted, project, entries, context);
    const later = () => looked(wanted, project, entries, context);
    // To empty one, every mail that was carried is looked at.
    if (entries.length <= quicklyLooked && !wanted.empties) return later();
    const all = count(entries.length, "mailbox", "mailboxes");
    return {
      ...privately(`Looking at both ends of ${all}; the plan follows.`),
      later,
    };
  },
});

/** More mailboxes than this take a while. */
const quicklyLooked = 10;

function read(words: Words): Wanted {
  const { args, options } = words;
  const selection = args.flatMap((word) => word.split(",")).filter((word) => word !== "");
  if (selection.length === 0) {
    throw new UserError(
      'Which mailboxes? Nothing was done. Type `remigrate <mailboxes> --because deleted|config|target|errors --reason "…"`; all of them are `*`.',
    );
  }
  refuseOdd(selection);
  const because = reasons.find((one) => one === options.get("because")?.toLowerCase());
  if (because === undefined) {
    throw new UserError(
      `Why? Nothing was done. Type \`--because\` with one of ${reasons.join(", ")}: content deleted at the new place, configuration changed, new place changed, errors a delta cannot mend.`,
    );
  }
  const reason = options.get("reason")?.trim().replace(/\s+/g, " ") ?? "";
  if (reason === "" || harmless(reason, 500) !== reason) {
    throw new UserError(
      'The reason is kept in the audit: say it in at most 500 letters. Nothing was done. Type `--reason "the folders were mapped wrongly"`.',
    );
  }
  const target = options.get("target");
  const [acceptsDuplicates, empties] = [
    options.has("accept-duplicates"),
    options.has("empty-target"),
  ];
  if (empties && target !== undefined) {
    throw new UserError(
      "What was carried went to the mailbox before, and `--target` names another one: nothing of it is to be removed there. Nothing was done. Leave out `--empty-target`.",
    );
  }
  return {
    selection,
    because,
    reason,
    target: target === undefined ? null : readAddress(target),
    acceptsDuplicates,
    empties,
    words,
  };
}

function chosen({ selection, target }: Wanted, entries: Entry[], project: Project): Entry[] {
  if (project.closed) {
    throw new UserError(`The project ${project.name} is closed; nothing was done.`);
  }
  const all = choose(selection, entries);
  const busy = all.filter(({ busyWith }) => busyWith !== null);
  if (busy.length > 0) {
    const each = busy.slice(0, 5).map(({ source, busyWith }) => `${source} (pass ${busyWith})`);
    throw new UserError(
      `These are in a pass that has not ended: ${each.join(", ")}. Nothing was done. Type \`stop ${busy[0]?.busyWith}\` or wait for it.`,
    );
  }
  const fresh = all.find(({ lastState, succeeds }) => lastState === null && succeeds === null);
  if (fresh !== undefined) {
    throw new UserError(
      `${fresh.source} was never carried: there is nothing to start again from scratch. Nothing was done. Type \`full ${fresh.source}\`.`,
    );
  }
  if (target !== null && all.length > 1) {
    throw new UserError(
      "`--target` is for one mailbox; nothing was done. Type the command for each mailbox by itself.",
    );
  }
  return all;
}

/** A mailbox is not carried into itself: the old place is never changed. */
async function refuseItself(
  { target }: Wanted,
  project: Project,
  entries: Entry[],
  { desk }: Context,
): Promise<void> {
  if (target === null || !(await sameServer(project, desk))) return;
  const itself = entries.find(({ source }) => source.toLowerCase() === target.toLowerCase());
  if (itself === undefined) return;
  throw new UserError(
    `${target} is the old mailbox itself: source and target would be the same mailbox of the same server. Nothing was done. Type \`--target\` with another one.`,
  );
}

async function looked(
  wanted: Wanted,
  project: Project,
  entries: Entry[],
  context: Context,
): Promise<Answer> {
  const { desk, approved, person, values } = context;
  const plan = await planOf(wanted, project, entries, context);
  const typedName =
    approved === null
      ? (values?.get("name")?.reveal().trim() ?? wanted.words.options.get("confirm"))
      : project.name;
  if (wanted.words.options.has("dry-run")) return privately(remigrationDry(plan));
  const left = plan.entries.map(({ facts, emptied }) => leftIn(facts, emptied));
  const stops = hindrance(project.policy, left, plan.balance, wanted);
  if (stops !== null) {
    throw new UserError(`${remigrationPlan(plan).text}\n${hindranceText(stops, plan)}`);
  }
  const shut = plan.entries.find(({ facts }) => facts.problem !== null);
  if (shut !== undefined) {
    throw new UserError(
      `${remigrationPlan(plan).text}\n${shut.target} cannot be opened: ${shut.facts.problem} Nothing was done.`,
    );
  }
  if (typedName === undefined) {
    const form = { how: "form", form: remigrationForm(plan) } as const;
    return { say: [{ how: "private", message: remigrationPlan(plan) }, form] };
  }
  if (typedName.toLowerCase() !== project.name.toLowerCase()) {
    throw new UserError(
      `That is not the name of ${project.name}; nothing was done. Type \`--confirm ${project.name}\`.`,
    );
  }
  const waits = await secondPerson(
    wanted.empties || project.policy.secondPerson.remigration,
    {
      project,
      told: remigrationLine(plan),
      content: contentOf(wanted, plan),
      message: remigrationPlan(plan),
    },
    context,
  );
  if (waits !== null) return waits;
  const n = await desk.remigrations.begin({
    project: project.id,
    because: wanted.because,
    reason: wanted.reason,
    by: person.id,
    approvedBy: approved?.by.id ?? null,
    acceptsDuplicates: wanted.acceptsDuplicates,
    entries: entries.map(({ id }) => ({ entry: id, target: wanted.target })),
    ticks: firstTicks(plan),
  });
  // By now a pass over them begins with nothing: where it ends half way, none takes what is gone for carried.
  const emptied = wanted.empties ? await emptyAll(n, project, context) : null;
  return {
    say: [{ how: "post", message: remigrationBegun(n, plan, who(person), emptied) }],
    note: `remigration ${n}${emptied === null ? "" : `; ${emptied}`}`,
  };
}

async function planOf(
  wanted: Wanted,
  project: Project,
  entries: Entry[],
  { desk }: Context,
): Promise<Plan> {
  const { target, empties } = wanted;
  const [facts, balance] = await Promise.all([
    desk.inspector.look(entries.map((entry) => ({ entry, target }))),
    desk.licenses.balance(project.id),
  ]);
  const emptied: (Emptied | null)[] = [];
  for (const entry of entries) emptied.push(empties ? await lookAt(entry, desk) : null);
  return {
    project,
    because: wanted.because,
    reason: wanted.reason,
    acceptsDuplicates: wanted.acceptsDuplicates,
    empties: wanted.empties,
    balance,
    entries: entries.map((entry, at) => ({
      entry,
      target: target ?? entry.target,
      facts: facts[at]!,
      emptied: emptied[at] ?? null,
      advice: advise(wanted.because, facts[at]!, project.filters, target !== null),
    })),
    typed: typedAgain(wanted),
  };
}

async function lookAt(entry: Entry, desk: Context["desk"]): Promise<Emptied> {
  try {
    return await desk.emptying.look(entry);
  } catch (error) {
    if (!(error instanceof TransientError || error instanceof FolderError)) throw error;
    throw new UserError(
      `${entry.target} cannot be looked into: ${harmless(error.message, 300)} Nothing was done. Type the command again later.`,
    );
  }
}

/** What must be the same when a second person has approved it. */
function contentOf(wanted: Wanted, { entries }: Plan): unknown {
  const { because, reason, target, acceptsDuplicates, empties } = wanted;
  // What is removed cannot be brought back: as much as was shown, or nothing.
  const which = entries.map(({ entry, emptied }) => [entry.id, emptied]);
  return [which, because, reason, target, acceptsDuplicates, empties];
}

/** By the ledgers of the entries that were closed. */
async function emptyAll(n: number, project: Project, { desk }: Context): Promise<string> {
  const sums = { removed: 0, onlyHere: 0, touched: 0, left: 0 };
  for (const entry of await desk.projects.entries(project.id)) {
    if (entry.remigration !== n) continue;
    try {
      const emptied = await desk.emptying.empty(entry);
      for (const key of ["removed", "onlyHere", "touched", "left"] as const) {
        sums[key] += emptied[key];
      }
    } catch (error) {
      const told = [UserError, TransientError, FolderError].some((kind) => error instanceof kind);
      if (!told || !(error instanceof Error)) throw error;
      const text = emptyingStopped(n, entry.target, error.message);
      const message = { text, tone: "bad" } as const;
      throw new Aside(new UserError(text), [{ how: "post", message }]);
    }
  }
  return emptiedText(sums);
}

function typedAgain({ selection, because, reason, target, words, ...how }: Wanted): string {
  const project = words.options.get("project");
  return [
    "remigrate",
    ...selection,
    `--because ${because}`,
    `--reason "${reason.replace(/["“”„«»]/g, "'")}"`,
    ...(target === null ? [] : [`--target ${target}`]),
    ...(how.acceptsDuplicates ? ["--accept-duplicates"] : []),
    ...(how.empties ? ["--empty-target"] : []),
    ...(project === undefined ? [] : [`--project ${project}`]),
  ].join(" ");
}
