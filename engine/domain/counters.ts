/**
 * What became of the items a pass met. Always, for each folder:
 * listed = migrated + duplicates + filtered + failed + vanished + notCarried.
 */
export interface Counters {
  listed: number;
  migrated: number;
  duplicates: number;
  filtered: number;
  failed: number;
  vanished: number;
  notCarried: number;
  /** Bytes of the migrated items. */
  bytes: number;
  /** Known items whose flags changed since they were carried; null where the source cannot tell. */
  changed: number | null;
  /** Carried once and no longer at the source. */
  gone: number;
  /** Of the filtered: marked \Deleted. */
  deleted: number;
  /** Of the migrated: with an impossible create date moved into the possible. */
  datesClamped: number;
}

export function noCounters(): Counters {
  return {
    listed: 0,
    migrated: 0,
    duplicates: 0,
    filtered: 0,
    failed: 0,
    vanished: 0,
    notCarried: 0,
    bytes: 0,
    changed: 0,
    gone: 0,
    deleted: 0,
    datesClamped: 0,
  };
}

/** How far a folder's sums are from balance; 0 is right. */
export function gap(c: Counters): number {
  return c.listed - c.migrated - c.duplicates - c.filtered - c.failed - c.vanished - c.notCarried;
}

export function sum(all: Counters[]): Counters {
  const total = noCounters();
  for (const one of all) {
    for (const key of Object.keys(total) as (keyof Counters)[]) {
      const [a, b] = [total[key], one[key]];
      (total[key] as number | null) = a === null || b === null ? null : a + b;
    }
  }
  return total;
}
