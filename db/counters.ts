import type { Knex } from "knex";
import type { Counters } from "../engine/domain/counters.ts";
import type { CounterColumns } from "./tables.ts";

const columns = [
  "listed",
  "migrated",
  "duplicates",
  "filtered",
  "failed",
  "vanished",
  "not_carried",
  "bytes",
  "changed",
  "gone",
  "deleted",
  "dates_clamped",
] as const satisfies (keyof CounterColumns)[];

/** A run's counters of one folder, as a row has them. */
export function countersOf(row: CounterColumns): Counters {
  return {
    listed: row.listed,
    migrated: row.migrated,
    duplicates: row.duplicates,
    filtered: row.filtered,
    failed: row.failed,
    vanished: row.vanished,
    notCarried: row.not_carried,
    bytes: row.bytes,
    changed: row.changed,
    gone: row.gone,
    deleted: row.deleted,
    datesClamped: row.dates_clamped,
  };
}

/** The other way round. */
export function columnsOf(counters: Counters): CounterColumns {
  return {
    listed: counters.listed,
    migrated: counters.migrated,
    duplicates: counters.duplicates,
    filtered: counters.filtered,
    failed: counters.failed,
    vanished: counters.vanished,
    not_carried: counters.notCarried,
    bytes: counters.bytes,
    changed: counters.changed,
    gone: counters.gone,
    deleted: counters.deleted,
    dates_clamped: counters.datesClamped,
  };
}

/** The columns added up over rows. Where one row cannot tell what changed, the sum cannot either. */
export function summed(knex: Knex): Knex.Raw[] {
  return columns.map((column) =>
    column === "changed"
      ? knex.raw("case when count(changed) = count(*) then sum(changed) end as changed")
      : knex.raw("sum(??) as ??", [column, column]),
  );
}
