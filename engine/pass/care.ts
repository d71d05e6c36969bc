import { TransientError } from "../domain/errors.ts";

/** After so many lost connections over one message alone it is given up for this run. */
const mostLosses = 3;

/** So many are given up in a row and do not count against the run: what is dropped each time is no matter of messages. */
const mostGivenUp = 20;

/** A refusal is doubted until so many questions in a row have brought nothing to light. */
const mostInVain = 3;

/** For people: why a message was not handed over. */
export const givenUp = `the connection was lost ${mostLosses} times while it was handed over`;

/**
 * What a run remembers, over its connections, of messages over which one was lost: a single message on which a server
 * hangs up is found, and holds up no other. Whatever was under way together goes alone the next time.
 */
export interface Care {
  of(folder: number, uidValidity: number): FolderCare;
  /**
   * The connection was lost, after something was carried or not. True where a message was given up for it, which is as
   * good as that. `blames`: it may be for what was under way; not where the server takes nobody.
   */
  lost(progress: boolean, blames: boolean): boolean;
  /** True for the first refusal of something of this batch in doubt: the target is asked again before one is believed. */
  doubtsRefusal(intent: number): boolean;
  /** The target was asked, and had something. */
  found(): void;
  /** Something goes alone, was given up or asked for again: who lets go of the run forgets that. */
  knows(): boolean;
}

/** The same of one folder, as it is numbered now. */
export interface FolderCare {
  /** These are under way while it works. */
  during<Done>(uids: readonly number[], work: () => Promise<Done>): Promise<Done>;
  isAlone(uid: number): boolean;
  isGivenUp(uid: number): boolean;
  /** The target broke down over it. True where it is to be asked for it at once: the first time since it was under way. */
  breaksDown(uid: number): boolean;
  /** And it was asked for it since. */
  hasBrokenDown(uid: number): boolean;
}

/** Of a run that has lost nothing yet. */
export function newCare(): Care {
  let underWay: string[] = [];
  const alone = new Set<string>();
  const losses = new Map<string, number>();
  let given = 0;
  const refused = new Set<number>();
  const brokeDown = new Set<string>();
  let inVain = 0;
  return {
    of(folder, uidValidity) {
      const nameOf = (uid: number) => `${folder} ${uidValidity} ${uid}`;
      return {
        async during(uids, work) {
          underWay = uids.map(nameOf);
          try {
            const done = await work();
            underWay = [];
            return done;
          } catch (error) {
            if (!(error instanceof TransientError)) underWay = [];
            throw error;
          }
        },
        isAlone: (uid) => alone.has(nameOf(uid)),
        isGivenUp: (uid) => (losses.get(nameOf(uid)) ?? 0) >= mostLosses,
        breaksDown(uid) {
          if (brokeDown.has(nameOf(uid)) || inVain === mostInVain) return false;
          brokeDown.add(nameOf(uid));
          inVain += 1;
          return true;
        },
        hasBrokenDown: (uid) => brokeDown.has(nameOf(uid)),
      };
    },
    lost(progress, blames) {
      if (progress) given = 0;
      const met = underWay;
      underWay = [];
      if (!blames) return false;
      const [only, ...others] = met;
      for (const name of met) alone.add(name);
      // What was stored now may be what it breaks down over next.
      brokeDown.clear();
      if (only === undefined || others.length > 0) return false;
      const times = (losses.get(only) ?? 0) + 1;
      losses.set(only, times);
      if (times !== mostLosses) return false;
      given += 1;
      return given <= mostGivenUp;
    },
    doubtsRefusal(intent) {
      if (refused.has(intent) || inVain === mostInVain) return false;
      refused.add(intent);
      inVain += 1;
      return true;
    },
    found() {
      inVain = 0;
    },
    knows: () => alone.size + refused.size + brokeDown.size > 0,
  };
}
