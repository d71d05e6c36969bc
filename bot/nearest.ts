import { distance } from "fastest-levenshtein";

/** The word most like what was typed, when it is like enough to be what was meant; null otherwise. */
export function nearest(typed: string, known: readonly string[]): string | null {
  const word = typed.toLowerCase();
  if (word.length < 2) return null;
  const allowed = Math.max(1, Math.min(3, Math.floor(word.length / 3)));
  const ranked = known
    .map((one) => ({ one, far: distance(word, one.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  const [best] = ranked;
  return best !== undefined && best.far <= allowed ? best.one : null;
}
