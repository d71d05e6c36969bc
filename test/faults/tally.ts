import type { Verdict } from "../servers/checker.ts";
import type { Tally } from "./suite.ts";

/** What the witness saw after so many faults. `wrong`: whatever else is not as promised. */
export function tallyOf(faults: number, verdict: Verdict, wrong: string[]): Tally {
  const differences = verdict.differences.map(
    ({ folder, source, target }) => `${folder}: ${source} became ${target}`,
  );
  return {
    faults,
    carried: verdict.present,
    lost: verdict.lost.length,
    duplicated: verdict.duplicated.length,
    foreign: verdict.foreign.length,
    wrong: [...wrong, ...differences],
  };
}

/** All of them as one. */
export function sumOf(tallies: Tally[]): Tally {
  const sum = (figure: (tally: Tally) => number) =>
    tallies.reduce((total, tally) => total + figure(tally), 0);
  return {
    faults: sum(({ faults }) => faults),
    carried: sum(({ carried }) => carried),
    lost: sum(({ lost }) => lost),
    duplicated: sum(({ duplicated }) => duplicated),
    foreign: sum(({ foreign }) => foreign),
    wrong: tallies.flatMap(({ wrong }) => wrong),
  };
}

/** Whether anything is not as promised. */
export function isDamage({ lost, duplicated, foreign, wrong }: Tally): boolean {
  return lost + duplicated + foreign + wrong.length > 0;
}
