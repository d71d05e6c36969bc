import { harmless, UserError } from "../engine/domain/errors.ts";
import { ended, type PassSnapshot, type RunSnapshot } from "../engine/domain/pass.ts";
import { glob } from "../engine/domain/plan.ts";
import type { Project } from "../engine/domain/project.ts";
import type { Context } from "./command.ts";

/** How far back passes are looked for by their number: first near, since snapshots cost, then far. */
const reach = [20, 2000];

/**
 * The pass, and the run in it, that a word means among those that have not ended: a number, a mailbox, or
 * nothing for the thread's own or the only one. Throws `UserError` where that is none or several.
 */
export async function passMeant(
  typed: string | null,
  project: Project,
  verb: string,
  context: Context,
): Promise<{ pass: PassSnapshot; run: RunSnapshot | null }> {
  const { desk, thread } = context;
  if (typed !== null && /^\d+$/.test(typed)) {
    return { pass: await passNumbered(Number(typed), project, context), run: null };
  }
  const active = (await desk.passes.recent(project.id, 50)).filter((one) => !ended(one.state));
  if (typed !== null) return runMeant(typed, active, project, verb);
  const here = thread === null ? null : await desk.passes.ofThread(thread);
  if (here !== null) return { pass: await passNumbered(here, project, context), run: null };
  const [only, ...others] = active;
  if (only === undefined) {
    throw new UserError(
      `No pass of ${project.name} is running; nothing was done. Type \`status\` to see the last one.`,
    );
  }
  if (others.length > 0) {
    const each = active.map((one) => `\`${verb} ${one.id}\` (${one.kind})`).join(", ");
    throw new UserError(
      `Several passes of ${project.name} are running; nothing was done. Type one of ${each}.`,
    );
  }
  return { pass: only, run: null };
}

/** A pass of the project by its number. Throws `UserError` where there is none. */
export async function passNumbered(
  id: number,
  project: Project,
  { desk }: Pick<Context, "desk">,
): Promise<PassSnapshot> {
  for (const limit of reach) {
    const found = (await desk.passes.recent(project.id, limit)).find((one) => one.id === id);
    if (found !== undefined) return found;
  }
  throw new UserError(
    `There is no pass ${id} in ${project.name}; nothing was done. Type \`status\` to see the last one.`,
  );
}

function runMeant(
  typed: string,
  active: PassSnapshot[],
  project: Project,
  verb: string,
): { pass: PassSnapshot; run: RunSnapshot } {
  const pattern = glob(typed);
  const found = active.flatMap((pass) =>
    pass.runs
      .filter((run) => !ended(run.state) && (pattern.test(run.source) || pattern.test(run.target)))
      .map((run) => ({ pass, run })),
  );
  const [only] = found;
  if (only === undefined) {
    throw new UserError(
      `${harmless(typed, 80)} is in no running pass of ${project.name}; nothing was done. Type \`status\` to see what runs.`,
    );
  }
  if (found.length > 1) {
    throw new UserError(
      `${harmless(typed, 80)} matches ${found.length} mailboxes; nothing was done. Name one, or type \`${verb} ${only.pass.id}\` for the whole pass.`,
    );
  }
  return only;
}
