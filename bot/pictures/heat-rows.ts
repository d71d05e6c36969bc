import {
  ended,
  type PassKind,
  type PassSnapshot,
  type RunSnapshot,
} from "../../engine/domain/pass.ts";
import type { Entry } from "../../engine/domain/project.ts";

/** What became of a mailbox in a pass. */
export type HeatState = "completed" | "failures" | "failed" | "stopped" | "running";

export interface HeatCell {
  state: HeatState;
  migrated: number;
  /** Of what ended: how much of what was listed was migrated; of what runs: how much is done. From 0 to 1. */
  share: number;
}

/** A mailbox, and what became of it in each pass; null where it was not in it. */
export interface HeatRow {
  name: string;
  cells: (HeatCell | null)[];
  /** Of the last pass that ended for it; null where none has. */
  outcome: HeatState | null;
}

/** Passes by mailbox. */
export interface HeatMap {
  project: string;
  zone: string;
  /** Oldest first. */
  columns: { pass: number; kind: PassKind; at: number; asked: boolean }[];
  rows: HeatRow[];
  /** Those there is no row for, together. */
  rest: { count: number; cells: (HeatCell | null)[] } | null;
}

/** Rows people look at; more would be too small to read. */
const mostRows = 40;

/** The worse one counts where several mailboxes share a cell. */
const order: HeatState[] = ["completed", "stopped", "running", "failures", "failed"];

/**
 * Mailboxes that need looking at first: those whose latest ended pass failed or left failures, then those with
 * most items. `passes`: oldest first; `asked`: the one the report is about.
 */
export function heatMap(
  project: { name: string; zone: string },
  entries: Pick<Entry, "id" | "source">[],
  passes: PassSnapshot[],
  asked: number,
): HeatMap {
  const runs = passes.map((pass) => new Map(pass.runs.map((run) => [run.entry, run])));
  const known = new Map(entries.map(({ id, source }) => [id, source]));
  for (const pass of passes) for (const run of pass.runs) known.set(run.entry, run.source);
  const all = [...known].map(([id, name]): HeatRow & { items: number } => {
    const own = runs.map((of) => of.get(id) ?? null);
    const cells = own.map(cellOf);
    const outcome = cells.findLast((one) => one !== null && one.state !== "running")?.state ?? null;
    return {
      name,
      cells,
      outcome,
      items: Math.max(0, ...own.map((run) => run?.counters.listed ?? 0)),
    };
  });
  all.sort((a, b) => troubleOf(b) - troubleOf(a) || b.items - a.items);
  // A row for one more takes no more room than one that says so.
  const shown = all.length === mostRows + 1 ? all.length : mostRows;
  const others = all.slice(shown);
  return {
    ...{ project: project.name, zone: project.zone },
    columns: passes.map(({ id, kind, createdAt, startedAt }) => ({
      pass: id,
      kind,
      at: startedAt ?? createdAt,
      asked: id === asked,
    })),
    rows: all.slice(0, shown),
    rest: others.length === 0 ? null : { count: others.length, cells: together(others, passes) },
  };
}

/** How much a mailbox needs looking at. */
function troubleOf({ outcome }: HeatRow): number {
  return outcome === "failed" ? 2 : outcome === "failures" ? 1 : 0;
}

function cellOf(run: RunSnapshot | null): HeatCell | null {
  if (run === null) return null;
  const { listed, migrated } = run.counters;
  const of = ended(run.state) ? listed : Math.max(listed, run.expected ?? 0);
  const done = ended(run.state) ? migrated : listed;
  return { state: stateOf(run), migrated, share: of === 0 ? 0 : Math.min(1, done / of) };
}

function stateOf({ state, counters }: RunSnapshot): HeatState {
  switch (state) {
    case "queued":
    case "processing":
    case "paused":
      return "running";
    case "completed":
      return counters.failed > 0 ? "failures" : "completed";
    case "completed_with_errors":
      return "failures";
    case "failed":
    case "stopped":
      return state;
  }
}

function together(rows: HeatRow[], passes: PassSnapshot[]): (HeatCell | null)[] {
  return passes.map((_, at) => {
    const cells = rows.map((row) => row.cells[at] ?? null).filter((cell) => cell !== null);
    if (cells.length === 0) return null;
    const worst = Math.max(...cells.map(({ state }) => order.indexOf(state)));
    return {
      state: order[worst] ?? "completed",
      migrated: cells.reduce((sum, { migrated }) => sum + migrated, 0),
      share: cells.reduce((sum, { share }) => sum + share, 0) / cells.length,
    };
  });
}
