import { distance } from "fastest-levenshtein";

/** The word most like what was typed, when it is like enough to be what was meant; null otherwise. */
export function nearest(typed: string, known: readonly string[]): string | null {
  const word = typed.toLowerCase();
  if (word.length < 2) return null;
  const begun = known.filter((one) => one.toLowerCase().startsWith(word));
  if (begun.length === 1 && begun[0] !== undefined) return begun[0];
  const allowed = Math.max(1, Math.min(3, Math.floor(word.length / 3)));
  const ranked = known
    .map((one) => ({ one, far: far(word, one.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  const [best] = ranked;
  return best !== undefined && best.far <= allowed ? best.one : null;
}

function far(typed: string, known: string): number {
  // Letters in the wrong order are one slip of the fingers, not two.
  const letters = (word: string) => [...word].sort().join("");
  const steps = distance(typed, known);
  return steps === 2 && letters(typed) === letters(known) ? 1 : steps;
}
