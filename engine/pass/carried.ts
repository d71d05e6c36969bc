import type { Ends } from "./ends.ts";

/** Those of a folder's UIDs that are carried. */
export async function carriedOf(
  folder: number,
  uidValidity: number,
  uids: readonly number[],
  { ledger }: Pick<Ends, "ledger">,
): Promise<Set<number>> {
  const sorted = uids.toSorted((a, b) => a - b);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return new Set();
  const known = await ledger.known(folder, uidValidity, first, last);
  return new Set(uids.filter((uid) => known.has(uid)));
}
