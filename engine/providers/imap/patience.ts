import type { Limits } from "./limits.ts";
import type { Screen } from "./screen.ts";

/** A server has not come to an end in time, however much it says. */
export class Late extends Error {
  override name = "Late";
}

/** How long a command may take: longer the more it brings, however long it drips. */
export interface Patience {
  /** So many bytes came that were asked for. */
  useful(bytes: number): void;
  /** Ends with what it is given. The server is not to blame for that time: we hold it back. */
  hold<One>(pause: Promise<One>): Promise<One>;
  end(): void;
}

/**
 * Calls `late`, once, when the time is over. The answer that is under way then may come to its end as long as its
 * literal comes at `leastRate`, for it may be what was asked for; the next may not.
 */
export function startPatience(
  { commandMs, leastRate }: Limits,
  { ended, arrived }: Pick<Screen, "ended" | "arrived">,
  late: () => void,
): Patience {
  let due = performance.now() + commandMs;
  let heldSince: number | null = null;
  /** The answer under way when the time was over. */
  let last: number | null = null;
  let timer: NodeJS.Timeout;
  const look = () => {
    let left = due - (heldSince ?? performance.now());
    if (left > 0) last = null;
    else {
      last ??= ended();
      left = last === ended() ? left + (arrived() / leastRate) * 1000 : 0;
    }
    if (left <= 0) late();
    else timer = setTimeout(look, Math.min(left + 1, commandMs)).unref();
  };
  look();
  return {
    useful(bytes) {
      due += (bytes / leastRate) * 1000;
    },
    async hold(pause) {
      const began = performance.now();
      heldSince = began;
      try {
        return await pause;
      } finally {
        heldSince = null;
        due += performance.now() - began;
      }
    },
    end: () => clearTimeout(timer),
  };
}
