import { UnavailableError } from "./errors.ts";

/** Where an outage is told. */
export interface OutageLog {
  info(facts: Record<string, unknown>, text: string): void;
  error(facts: Record<string, unknown>, text: string): void;
}

/** Something that is tried again and again, and hears each time what came of it. */
export interface Tries {
  failed(error: unknown): void;
  worked(): void;
}

/** By its reason, those it keeps from working. */
type Outages = Map<string, Set<Tries>>;

const outages = new WeakMap<OutageLog, Outages>();

/**
 * Logs trouble once when it begins, whatever is tried meanwhile, and once when it is over. What is kept and cannot be
 * reached is one trouble for all that share a log, over when each of them works again; any other is told as `text`.
 */
export function triesOf(text: string, log: OutageLog): Tries {
  const on: Outages = outages.get(log) ?? new Map();
  outages.set(log, on);
  let met: { reason: string; over: string } | null = null;

  const leave = ({ reason, over }: { reason: string; over: string }) => {
    const kept = on.get(reason);
    kept?.delete(tries);
    if (kept?.size !== 0) return;
    on.delete(reason);
    log.info({ reason }, over);
  };
  const tries: Tries = {
    failed(error) {
      const away = error instanceof UnavailableError;
      const reason = away ? error.message : `${text}: ${String(error)}`;
      if (met?.reason === reason) return;
      const before = met;
      met = { reason, over: away ? "work goes on: this is over" : `${text}: this is over` };
      const kept = on.get(reason);
      kept?.add(tries);
      if (kept === undefined) {
        on.set(reason, new Set([tries]));
        log.error({ err: error }, away ? "work waits until this is over" : text);
      }
      if (before !== null) leave(before);
    },
    worked() {
      const before = met;
      met = null;
      if (before !== null) leave(before);
    },
  };
  return tries;
}
