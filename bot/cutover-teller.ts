import type { Instant } from "../engine/domain/clock.ts";
import { type Cutover, standing } from "../engine/domain/cutover.ts";
import { ownTtl, type Phase } from "../engine/domain/mx.ts";
import type { Desk } from "../engine/submit.ts";
import { cutoverKey, offerKey, offerPlan, shownOf } from "./cutover-shown.ts";
import type { Message } from "./message.ts";
import { type Pace, paceOf } from "./pace.ts";
import { once, surfaceOf } from "./speaking.ts";
import { ChatError, type Surface } from "./surface.ts";
import {
  type CutoverShown,
  cutoverMessage,
  cutoverState,
  offerAnswered,
  offerMessage,
  phaseTold,
  verdictMessage,
} from "./wording/cutover.ts";
import { ttlAdvice } from "./wording/mx.ts";

/** Tells channels how their cutovers stand, and asks when there is something to do. */
export interface CutoverTeller {
  /** Tells what is to be told now; throws the first error that was no platform's, after the rest was told. */
  tick(): Promise<void>;
}

/** How often it looks, in ms. */
const lookMs = 2_000;
/** How often an open question is looked at again, in ms. */
const offerMs = 60_000;
/** A message nobody has posted by then is posted here, in ms. */
const postMs = 60_000;
const day = 24 * 60 * 60 * 1000;

/** Phases the channel itself is to notice. */
const alarms = new Set<Phase>(["dual", "strange", "none"]);

/**
 * `surfaces`: those this process speaks on, at this pace. What was asked and found is kept with the posts, and so
 * told once.
 */
export function makeCutoverTeller(
  desk: Desk,
  surfaces: Surface[],
  pace: Pace = paceOf(desk.clock, 0),
): CutoverTeller {
  /** What each cutover was when all of it was told, and what each message shows; after a restart all is told again. */
  const told = new Map<number, { version: string; at: Instant }>();
  const drawn = new Map<string, string>();
  let next: Instant = 0;
  return {
    async tick() {
      const now = desk.clock.now();
      if (now < next) return;
      next = now + lookMs;
      const errors: unknown[] = [];
      for (const cutover of await desk.cutovers.live()) {
        const surface = surfaceOf(cutover.channel, surfaces);
        const version = versionOf(cutover);
        const last = told.get(cutover.n);
        // What the delta would take changes with passes, hours and licenses.
        const open = cutover.offer?.by === null && now - (last?.at ?? 0) >= offerMs;
        if (surface === null || (last?.version === version && !open)) continue;
        if (!pace.maySpeak(cutover.channel)) continue;
        try {
          const shown = await shownOf(cutover, desk);
          if (await tell({ shown, surface, desk, pace, drawn, now })) {
            told.set(cutover.n, { version, at: now });
          }
          pace.spoke(cutover.channel);
        } catch (error) {
          if (error instanceof ChatError) pace.hold(cutover.channel, error);
          else errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}

/** What a cutover is told of; it changes with every look. */
function versionOf({ state, known, told, look, offer, safeAt, verdicts }: Cutover): string {
  return JSON.stringify([state, known.sight.at, told, look?.at, offer, safeAt, verdicts]);
}

interface Telling {
  shown: CutoverShown;
  surface: Surface;
  desk: Desk;
  pace: Pace;
  drawn: Map<string, string>;
  now: Instant;
}

/** Whether all of it could be told. */
async function tell(telling: Telling): Promise<boolean> {
  const { shown, now } = telling;
  const card = await redraw(
    cutoverKey(shown.cutover.n),
    cutoverState(shown, now),
    () => cutoverMessage(shown, now),
    telling,
    now - shown.cutover.at > postMs,
  );
  await tellPhase(telling);
  await tellTtl(telling);
  const offer = await tellOffer(telling);
  await tellVerdict(telling);
  return card && offer;
}

async function tellPhase({ shown, surface, desk, now }: Telling): Promise<void> {
  const { cutover, zone } = shown;
  const { n, known, told, state } = cutover;
  if (known.phase === told) return;
  const root = await desk.posts.thread(cutoverKey(n));
  if (root === null) return;
  // That it has moved is asked about in a message of its own.
  if (known.phase !== "new" || state !== "moved") {
    const aloud = alarms.has(known.phase) || (state === "moved" && known.phase === "old");
    await surface.reply(root, { text: phaseTold(cutover, now, zone) }, { aloud });
  }
  await desk.cutovers.told(n, known.phase);
}

/** Somebody has to know in time of a time to live that is too long. */
async function tellTtl({ shown, surface, desk, now }: Telling): Promise<void> {
  const { cutover, zone } = shown;
  const { n, plannedAt, state, known, channel, domain } = cutover;
  const advice = state === "watching" ? ttlAdvice(cutover, zone, now) : null;
  const ahead = Math.max(3 * day, (ownTtl(known.sight) ?? 0) * 1000 + day);
  if (advice === null || plannedAt === null || plannedAt - now > ahead) return;
  const message: Message = { text: `${domain}: ${advice}`, tone: "warning" };
  await once(`cutover:${n}:ttl`, channel, message, surface, desk.posts);
}

async function tellOffer(telling: Telling): Promise<boolean> {
  const { shown, desk, now } = telling;
  const { cutover, late, zone } = shown;
  const { offer, n } = cutover;
  if (offer === null) return true;
  const key = offerKey(n, offer.n);
  if (offer.by !== null) {
    const answered = () => offerAnswered(cutover, offer, now, zone);
    return redraw(key, "answered", answered, telling, false);
  }
  const plan = await offerPlan(cutover, desk);
  const state = JSON.stringify([late, plan, shown.mailboxes]);
  return redraw(key, state, () => offerMessage(shown, offer, plan, now), telling, true);
}

async function tellVerdict({ shown, surface, desk, now }: Telling): Promise<void> {
  const { cutover, late } = shown;
  const { n, channel, safeAt, verdicts } = cutover;
  if (verdicts === 0) return;
  // What was seen since is not judged yet.
  if (standing(cutover, late, now).safe !== (safeAt !== null)) return;
  const key = `cutover:${n}:verdict:${verdicts}`;
  // A verdict that was taken back before anybody heard of it need not be said at all.
  if (safeAt === null && (await desk.posts.thread(key)) === null) return;
  const which = safeAt === null ? `${key}:back` : key;
  await once(which, channel, verdictMessage(shown, now), surface, desk.posts);
}

/** Says it where what is shown is not that state; false where it has to be tried again. */
async function redraw(
  key: string,
  state: string,
  message: () => Message,
  { shown, surface, desk, pace, drawn }: Telling,
  mayPost: boolean,
): Promise<boolean> {
  if (drawn.get(key) === state) return true;
  const { channel } = shown.cutover;
  const posted = await desk.posts.thread(key);
  if (posted === null) {
    if (!mayPost) return true;
    await once(key, channel, message(), surface, desk.posts);
    drawn.set(key, state);
    return true;
  }
  if (!pace.mayEdit(channel)) return false;
  try {
    await surface.edit(posted, message());
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    pace.dropped(channel, error);
    // A message that somebody deleted is not drawn again and again.
    if (error.kind !== "refused") return false;
  }
  pace.edited(channel);
  drawn.set(key, state);
  return true;
}
