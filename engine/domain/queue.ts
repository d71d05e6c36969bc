import type { RunId } from "./pass.ts";

/**
 * The bell: says that a run waits, and carries its number and nothing else. The database is the truth; a ring may
 * be lost, come twice, or late.
 */
export interface Queue extends AsyncDisposable {
  /**
   * Rings for a run. One that was rung for and is not answered yet, or is being answered, is not rung for again.
   * The lower `turn` (1 is the lowest) is answered first. Never throws; where what keeps the rings does not
   * answer, the ring is lost within a second or two.
   */
  ring(run: RunId, turn: number): Promise<void>;
  /**
   * Answers rings, at most `concurrency` at a time. A ring is nobody else's until the promise of its answer ends;
   * where its process dies, it is rung elsewhere. An answer that fails is rung again a few times, each time
   * later, and then forgotten. Disposing what is returned takes no more rings and waits for the answers under
   * way.
   */
  listen(answer: Answer, concurrency: number): AsyncDisposable;
  /** Whether rings are heard, as far as is known at this moment. Asks nobody. */
  serves(): boolean;
  /** What keeps the rings. */
  readonly keeper: "this process" | "Redis" | "PostgreSQL";
  /** Asks what keeps the rings; null where it does not answer within some seconds. Never throws. */
  depth(): Promise<Depth | null>;
}

/** How many rings there are. */
export interface Depth {
  /** For an answer, or for another one after one that failed. */
  waiting: number;
  /** Being answered. */
  active: number;
}

/** Ends when the run is over or not to be carried; fails when it is to be rung for again. */
export type Answer = (run: RunId) => Promise<void>;
