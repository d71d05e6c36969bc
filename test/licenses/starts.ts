import type { Knex } from "knex";
import { submitPass } from "../../db/submit.ts";
import type { NewPass, Passes } from "../../engine/domain/pass.ts";
import { type PassPlan, type PassRequest, planPass } from "../../engine/domain/plan.ts";
import type { ProjectId } from "../../engine/domain/project.ts";
import type { Books } from "../contracts/books.ts";
import type { openBooks } from "../db/books.ts";

export type OpenedBooks = Awaited<ReturnType<typeof openBooks>>;

/** What the request would do now, by what these books say. */
export async function planOf(
  { projects, licenses, clock }: Books,
  project: ProjectId,
  request: Pick<PassRequest, "kind"> & Partial<PassRequest>,
  asked: boolean,
): Promise<PassPlan> {
  const now = await projects.byId(project);
  const entries = await projects.entries(project);
  const balance = await licenses.balance(project);
  const limit = request.kind === "prestage" ? { days: 30 } : null;
  const whole = { limit, selection: [], types: null, ...request };
  return planPass(whole, now, entries, balance, clock.now(), asked);
}

/** The pass of a plan, as it is submitted. */
export const passOf = ({ project, kind, limit, types, filters, entries }: PassPlan): NewPass => ({
  project: project.id,
  kind,
  limit,
  types,
  filters,
  policy: project.policy,
  startedBy: "local:owner",
  thread: "local:main",
  entries: entries.map(({ entry, license }) => ({ entry: entry.id, license })),
});

/** The same statements, but each by itself: no transaction, and nobody takes turns. */
export function naivePasses({ database, passes, clock }: OpenedBooks): Passes {
  const loose = database.knex as unknown as Knex.Transaction;
  return { ...passes, submit: (pass) => submitPass(loose, pass, clock.now()) };
}
