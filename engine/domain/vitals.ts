import type { Instant } from "./clock.ts";
import type { Waiting } from "./errors.ts";
import type { PassKind, PassState } from "./pass.ts";

/** What became of the items all passes met. Together they are what was listed. */
export type Outcomes = Record<
  "migrated" | "duplicates" | "filtered" | "failed" | "vanished" | "notCarried",
  number
>;

/** How everything in the database stands at one moment: numbers alone, and nobody's name. */
export interface Figures {
  /** Of each kind and state there are passes in. */
  passes: { kind: PassKind; state: PassState; count: number }[];
  /** Runs an engine could begin at once, had it room. */
  waiting: number;
  /** Runs that were begun and are not over, whether an engine carries them, they wait, or their engine died. */
  begun: number;
  /** Runs that wait for something else than an engine. */
  waits: { reason: Waiting; count: number }[];
  items: Outcomes;
  /** Of the migrated items. */
  bytes: number;
  /** Of all projects together. */
  licenses: { reserved: number; consumed: number; free: number };
  news: { undelivered: number; oldestAt: Instant | null };
}

/** How many runs wait for an engine, and were begun by one. */
export interface RunCounts {
  /** As of `Figures`. */
  waiting: number;
  /** Begun, and waiting for nothing; their engine may have died since. */
  active: number;
  /** Waiting for something else than an engine: a server, their hours, a quiet time, another run. */
  held: number;
}

/** How what keeps everything is, for those who watch. */
export interface Vitals {
  /** Throws where the database does not answer, after some seconds at the latest. */
  answers(): Promise<void>;
  /** The same for every process on the database. Throws as `answers` does. */
  figures(): Promise<Figures>;
  /** Of all projects, at less cost than all figures. Throws as `answers` does. */
  runs(): Promise<RunCounts>;
}
