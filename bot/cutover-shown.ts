import { type Cutover, mailboxesOf } from "../engine/domain/cutover.ts";
import { UserError } from "../engine/domain/errors.ts";
import type { PassRequest } from "../engine/domain/plan.ts";
import type { Entry, Project } from "../engine/domain/project.ts";
import { type Desk, preview } from "../engine/submit.ts";
import type { Said } from "./command.ts";
import { type CutoverShown, type OfferPlan, watchedUntil } from "./wording/cutover.ts";

/** Of a cutover's message. */
export const cutoverKey = (n: number) => `cutover:${n}`;
/** Of the message that asks for its delta. */
export const offerKey = (n: number, offer: number) => `cutover:${n}:offer:${offer}`;

/** A cutover with what is shown of it. */
export async function shownOf(cutover: Cutover, desk: Desk): Promise<CutoverShown> {
  const [project, entries, late, linked] = await Promise.all([
    desk.projects.byId(cutover.project),
    desk.projects.entries(cutover.project),
    desk.cutovers.late(cutover.n),
    desk.projects.linked(cutover.channel),
  ]);
  return {
    cutover,
    late,
    mailboxes: mailboxesOf(entries, cutover.domain).entries.length,
    of: entries.length,
    zone: project.zone,
    project: project.name,
    suffix: linked?.id === project.id ? "" : ` --project ${project.name}`,
  };
}

/** The delta over a domain's mailboxes. */
export async function sweepRequest({ project, domain }: Cutover, desk: Desk): Promise<PassRequest> {
  const { entries, all } = mailboxesOf(await desk.projects.entries(project), domain);
  return {
    kind: "delta",
    limit: null,
    selection: all ? [] : selectionOf(entries, domain),
    types: null,
  };
}

/** A pattern, where it means just these; else their names. */
function selectionOf(entries: Entry[], domain: string): string[] {
  const end = `@${domain}`;
  const plain = entries.every(({ source, target }) =>
    [source, target].some((address) => address.toLowerCase().endsWith(end)),
  );
  return plain ? [`*${end}`] : entries.map(({ source }) => source);
}

/** What the delta that is offered would take now. */
export async function offerPlan(cutover: Cutover, desk: Desk): Promise<OfferPlan> {
  try {
    const request = await sweepRequest(cutover, desk);
    const plan = await preview(request, cutover.project, true, desk);
    return { licenses: plan.licensesNeeded, refused: null, opens: plan.window?.opens ?? null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { licenses: 0, refused: error.message, opens: null };
  }
}

/** Ends the watch of these; their messages and questions say so, each with why. */
export async function endCutovers(
  cutovers: Cutover[],
  how: "ended" | "cancelled",
  why: string,
  desk: Desk,
): Promise<Said[]> {
  const said: Said[] = [];
  for (const cutover of cutovers) {
    if (!(await desk.cutovers.end(cutover.n, how))) continue;
    const { n, offer } = cutover;
    const keys = [cutoverKey(n), ...(offer?.by === null ? [offerKey(n, offer.n)] : [])];
    const message = { text: watchedUntil(cutover, why) };
    said.push(...keys.map((key): Said => ({ how: "rewrite", key, message })));
  }
  return said;
}

/** The same for all of a project that are open. */
export async function endAllCutovers({ id }: Project, why: string, desk: Desk): Promise<Said[]> {
  return endCutovers(await desk.cutovers.open(id), "ended", why, desk);
}
