import type { Instant } from "../engine/domain/clock.ts";
import { type Cutover, mailboxesOf } from "../engine/domain/cutover.ts";
import { UserError } from "../engine/domain/errors.ts";
import type { Phase } from "../engine/domain/mx.ts";
import type { PassRequest } from "../engine/domain/plan.ts";
import type { Thread } from "../engine/domain/thread.ts";
import { type Desk, preview } from "../engine/submit.ts";
import type { Message } from "./message.ts";
import { once, surfaceOf, taken } from "./speaking.ts";
import type { Surface } from "./surface.ts";
import {
  type CutoverShown,
  cutoverMessage,
  cutoverState,
  type OfferPlan,
  offerAnswered,
  offerMessage,
  phaseTold,
  verdictMessage,
} from "./wording/cutover.ts";
import { ttlAdvice } from "./wording/mx.ts";

/** Tells channels how their cutovers stand, and asks when there is something to do. */
export interface CutoverTeller {
  tick(): Promise<void>;
}

/** How often it looks, in ms. */
const lookMs = 2_000;
/** How long before the change somebody has to know of a time to live that is too long, in ms. */
const ttlMs = 72 * 60 * 60 * 1000;

/** Of a cutover's message. */
export const cutoverKey = (n: number) => `cutover:${n}`;
/** Of the message that asks for its delta. */
export const offerKey = (n: number, offer: number) => `cutover:${n}:offer:${offer}`;

/** Phases the channel itself is to notice. */
const alarms = new Set<Phase>(["dual", "strange", "none"]);

/** `surfaces`: those this process speaks on. What was asked and found is kept with the posts, and so told once. */
export function makeCutoverTeller(desk: Desk, surfaces: Surface[]): CutoverTeller {
  /** What each message shows; after a restart it is drawn once more. */
  const drawn = new Map<string, string>();
  let next: Instant = 0;
  return {
    async tick() {
      const now = desk.clock.now();
      if (now < next) return;
      next = now + lookMs;
      for (const cutover of await desk.cutovers.live()) {
        const surface = surfaceOf(cutover.channel, surfaces);
        if (surface !== null) await tell(await shownOf(cutover, desk), surface, desk, drawn);
      }
    },
  };
}

/** A cutover with what is shown of it. */
export async function shownOf(cutover: Cutover, desk: Desk): Promise<CutoverShown> {
  const [project, entries, late] = await Promise.all([
    desk.projects.byId(cutover.project),
    desk.projects.entries(cutover.project),
    desk.cutovers.late(cutover.n),
  ]);
  const mailboxes = mailboxesOf(entries, cutover.domain).entries.length;
  return { cutover, late, mailboxes, zone: project.zone, project: project.name };
}

/** The delta over a domain's mailboxes. */
export async function sweepRequest({ project, domain }: Cutover, desk: Desk): Promise<PassRequest> {
  const { all } = mailboxesOf(await desk.projects.entries(project), domain);
  return { kind: "delta", limit: null, selection: all ? [] : [`*@${domain}`], types: null };
}

async function tell(
  shown: CutoverShown,
  surface: Surface,
  desk: Desk,
  drawn: Map<string, string>,
): Promise<void> {
  const { cutover, zone } = shown;
  const { n, channel, known, told } = cutover;
  const now = desk.clock.now();
  const root = await desk.posts.thread(cutoverKey(n));
  if (root !== null) {
    const edit = () => surface.edit(root, cutoverMessage(shown, now));
    await redraw(cutoverKey(n), cutoverState(shown, now), edit, drawn);
    if (known.phase !== told) {
      const text = phaseTold(cutover, now, zone);
      const back = cutover.state === "moved" && known.phase === "old";
      const aloud = back || alarms.has(known.phase);
      // That it has moved is asked about in a message of its own.
      const said =
        known.phase === "new" && cutover.state === "moved"
          ? true
          : await taken(() => surface.reply(root, { text }, { aloud }));
      if (said) await desk.cutovers.told(n, known.phase);
    }
  }
  const advice = cutover.state === "watching" ? ttlAdvice(cutover, zone, now) : null;
  const { plannedAt } = cutover;
  if (advice !== null && plannedAt !== null && plannedAt - now <= ttlMs) {
    const text = `${cutover.domain}: ${advice}`;
    await once(`cutover:${n}:ttl`, channel, { text, tone: "warning" }, surface, desk.posts);
  }
  await tellOffer(shown, surface, desk, drawn);
  await tellVerdict(shown, surface, desk);
}

async function tellOffer(
  shown: CutoverShown,
  surface: Surface,
  desk: Desk,
  drawn: Map<string, string>,
): Promise<void> {
  const { cutover, late, zone } = shown;
  const { offer, n, channel } = cutover;
  if (offer === null) return;
  const now = desk.clock.now();
  const key = offerKey(n, offer.n);
  const posted: Thread | null = await desk.posts.thread(key);
  if (offer.by !== null) {
    if (posted === null) return;
    const edit = () => surface.edit(posted, offerAnswered(cutover, offer, now, zone));
    await redraw(key, "answered", edit, drawn);
    return;
  }
  const state = JSON.stringify(late);
  if (drawn.get(key) === state) return;
  const message: Message = offerMessage(shown, offer, await planOf(cutover, desk), now);
  const say =
    posted === null
      ? async () => desk.posts.note(key, await surface.post(channel, message, key))
      : () => surface.edit(posted, message);
  await redraw(key, state, say, drawn);
}

async function tellVerdict(shown: CutoverShown, surface: Surface, desk: Desk): Promise<void> {
  const { n, channel, safeAt, verdicts } = shown.cutover;
  if (verdicts === 0) return;
  const key = `cutover:${n}:verdict:${verdicts}`;
  // A verdict that was taken back before anybody heard of it need not be said at all.
  if (safeAt === null && (await desk.posts.thread(key)) === null) return;
  const which = safeAt === null ? `${key}:back` : key;
  await once(which, channel, verdictMessage(shown, desk.clock.now()), surface, desk.posts);
}

/** Says it where what is shown is not that state. */
async function redraw(
  key: string,
  state: string,
  edit: () => Promise<void>,
  drawn: Map<string, string>,
): Promise<void> {
  if (drawn.get(key) === state) return;
  if (await taken(edit)) drawn.set(key, state);
}

/** What the delta that is offered would take now. */
async function planOf(cutover: Cutover, desk: Desk): Promise<OfferPlan> {
  try {
    const request = await sweepRequest(cutover, desk);
    const plan = await preview(request, cutover.project, true, desk);
    return { mailboxes: plan.entries.length, licenses: plan.licensesNeeded, refused: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { mailboxes: 0, licenses: 0, refused: error.message };
  }
}
