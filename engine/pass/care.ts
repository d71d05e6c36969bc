import { TransientError } from "../domain/errors.ts";

/** After so many lost connections over one message alone it is given up for this run. */
const mostLosses = 3;

/** So many are given up in a row and do not count against the run: what is dropped each time is no matter of messages. */
const mostGivenUp = 20;

/** Of so many in a run a refusal is not believed at once: a target that breaks down over all it is given has nothing. */
const mostAskedAgain = 20;

/** For people: why a message was not handed over. */
export const givenUp = `the connection was lost ${mostLosses} times while it was handed over`;

/**
 * What a run remembers, over its connections, of messages over which one was lost: a single message on which a server
 * hangs up is found, and holds up no other. Whatever was under way together goes alone the next time.
 */
export interface Care {
  of(folder: number, uidValidity: number): FolderCare;
  /**
   * The connection was lost, after something was carried or not. True where a message was given up for it, or is asked
   * for again, which is as good as that. `blames`: it may be for what was under way; not where the server takes nobody.
   */
  lost(progress: boolean, blames: boolean): boolean;
  /** Something goes alone, was given up or asked for again: who lets go of the run forgets that. */
  knows(): boolean;
}

/** The same of one folder, as it is numbered now. */
export interface FolderCare {
  /** These are under way while it works. */
  during<Done>(uids: readonly number[], work: () => Promise<Done>): Promise<Done>;
  isAlone(uid: number): boolean;
  isGivenUp(uid: number): boolean;
  /**
   * The target refused what it may have, by breaking down or not, for the first time in this run: it is to be asked again.
   */
  isRefusedAnew(uid: number, brokeDown: boolean): boolean;
}

/** Of a run that has lost nothing yet. */
export function newCare(): Care {
  let underWay: string[] = [];
  const alone = new Set<string>();
  const losses = new Map<string, number>();
  let given = 0;
  const refused = new Set<string>();
  let isNew = false;
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
        isRefusedAnew(uid, brokeDown) {
          const name = `${nameOf(uid)} ${brokeDown}`;
          isNew = !refused.has(name) && refused.size < mostAskedAgain;
          if (isNew) refused.add(name);
          return isNew;
        },
      };
    },
    lost(progress, blames) {
      if (progress) given = 0;
      const isAskedAgain = isNew;
      isNew = false;
      const met = underWay;
      underWay = [];
      if (isAskedAgain || !blames) return isAskedAgain;
      const [only, ...others] = met;
      for (const name of met) alone.add(name);
      if (only === undefined || others.length > 0) return false;
      const times = (losses.get(only) ?? 0) + 1;
      losses.set(only, times);
      if (times !== mostLosses) return false;
      given += 1;
      return given <= mostGivenUp;
    },
    knows: () => alone.size + refused.size > 0,
  };
}
