import type { Instant } from "../domain/clock.ts";
import type { Counters } from "../domain/counters.ts";

/** What happens in a pass, as it happens. */
export type PassEvent =
  | { type: "expected"; items: number }
  | { type: "waits for doubt"; until: Instant }
  | { type: "goes on" }
  | { type: "rematched"; folder: string; found: number; carried: number }
  | { type: "settled"; folder: string; counters: Counters }
  | { type: "folder failed"; folder: string; reason: string };

/** How a pass over one entry ended. */
export interface PassResult {
  /** The signal ended it between two batches; what was not reached stays for the next time. */
  interrupted: boolean;
  failed: number;
  /** Folders whose sums do not balance: a fault of ours, never shown green. */
  gaps: string[];
  /** Folders that could not be carried at all. */
  folders: { folder: string; reason: string }[];
  /** Copies the target stored after it had been asked and said no: reported, never deleted. */
  late: number;
}
