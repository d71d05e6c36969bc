/**
 * A migration's name begins with its number. One that takes something away, or whose version writes words that
 * older ones do not know, ends with `_since_` and the number of another: programs that know that one can live with
 * it. All others only add, and harm nobody.
 */
const shape = /^(\d{4})_[a-z0-9_]+?(?:_since_(\d{4}))?$/;

/** Those of a database's migrations that a program cannot live with which knows these, in order. */
export function tooNew(applied: readonly string[], known: readonly string[]): string[] {
  const level = numberOf(known.at(-1) ?? "");
  return strange(applied, known).filter((name) => {
    const [, number, since] = shape.exec(name) ?? [];
    // With a number of ours it is no later version's but another program's.
    return number === undefined || Number(number) <= level || Number(since ?? 0) > level;
  });
}

/** Those that a program does not know which knows these. */
export function strange(applied: readonly string[], known: readonly string[]): string[] {
  return applied.filter((name) => !known.includes(name));
}

/** Whether it says of itself that not everybody can live with it. */
export function demands(name: string): boolean {
  return shape.exec(name)?.[2] !== undefined;
}

function numberOf(name: string): number {
  return Number(shape.exec(name)?.[1] ?? 0);
}
