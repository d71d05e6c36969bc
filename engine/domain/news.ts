import type { Instant } from "./clock.ts";
import type { Waiting } from "./errors.ts";
import type { Checked, PassId, PassState } from "./pass.ts";

/** What happened in a pass. Rows of an outbox: written with the fact itself, each delivered to its thread in order. */
export type News =
  | { type: "pass queued" }
  | { type: "pass started" }
  | { type: "license consumed"; entry: string }
  | { type: "first failure"; entry: string; folder: string; reason: string }
  | { type: "entry waits"; entry: string; for: Waiting; until: Instant | null }
  | { type: "entry ended"; entry: string; run: number; state: PassState; reason: string | null }
  | { type: "first checked"; entry: string; checked: Checked; others: number }
  | { type: "pass paused"; by: string }
  | { type: "pass resumed"; by: string }
  | { type: "pass ended"; state: PassState };

export interface NewsRow {
  id: number;
  pass: PassId;
  at: Instant;
  news: News;
}

/** The outbox. Each row has its own delivered mark: ids may commit out of order. */
export interface Newsroom {
  /** Undelivered rows of a pass in order, oldest pass first. */
  undelivered(limit: number): Promise<NewsRow[]>;
  delivered(ids: number[]): Promise<void>;
  /** Passes whose root message may change: not ended, or ended and not yet told. */
  live(): Promise<PassId[]>;
  /** The root message of a pass, once posted. */
  root(pass: PassId): Promise<string | null>;
  posted(pass: PassId, message: string): Promise<void>;
}
