import type { Clock, Instant } from "../domain/clock.ts";
import type { Ledger } from "../domain/ledger.ts";
import type { Fence } from "../domain/owner.ts";
import type { Source, Target } from "../domain/provider.ts";
import type { Care } from "./care.ts";
import type { AllResent } from "./late.ts";

/** What a pass works with. One owner: `fence` proves it to the ledger. */
export interface Ends {
  source: Source;
  target: Target;
  ledger: Ledger;
  fence: Fence;
  clock: Clock;
  /** Before this instant a batch in doubt is not judged: the target may still be storing it. */
  doubtSettlesAt: Instant;
  /** And no batch waits for longer than this for it, in ms. */
  longestQuietMs: number;
  batch: { items: number; bytes: number };
  /** Aborts when the entry is no longer ours: not a byte more may be sent. */
  lost: AbortSignal;
  /** What the run has sent again, over all its connections: the target may store late what it was sent first. */
  resent: AllResent;
  care: Care;
}

/** How often in a row the target refused for want of space, and its words. One for a whole run. */
export interface Full {
  refusals: number;
  reason: string;
}
