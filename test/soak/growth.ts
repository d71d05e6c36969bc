/** A figure at a moment. */
export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  value: number;
}

/**
 * How a figure is judged. `level`: the last fifth's median is no more than the first's by a tenth, and by `free` that
 * any number may swing. `memory`: it grows by less than a tenth of its median an hour, and the most of the last fifth
 * is no more than 1.25 times the median. `live`: what a full collection leaves grows by less than a twentieth an hour.
 */
export type Rule = { type: "level"; free: number } | { type: "memory" } | { type: "live" };

export interface Growth {
  /** Medians of the first and the last fifth after the warm-up. */
  first: number;
  last: number;
  /** The most of the last fifth. */
  most: number;
  /** By the median of all slopes between two samples (Theil–Sen): a spike moves it nowhere. */
  perHour: number;
  /** `short`: what was seen does not last long enough to tell. */
  verdict: "flat" | "grows" | "short";
}

const minute = 60_000;
const hour = 60 * minute;
/** Memory settles for a while after the start, and swings; over less than this a slope means nothing. */
const tells = 20 * minute;

/** What is not looked at: the first quarter, fifteen minutes at most. */
function warmUp(lastedMs: number): number {
  return Math.min(15 * minute, lastedMs / 4);
}

/** How a figure grew, once it had warmed up. Pure; samples in the order of their times. */
export function growthOf(samples: Sample[], rule: Rule): Growth {
  const [begin, end] = [samples[0]?.at ?? 0, samples.at(-1)?.at ?? 0];
  const from = begin + warmUp(end - begin);
  const warm = samples.filter(({ at }) => at >= from);
  const fifth = (end - from) / 5;
  const early = warm.filter(({ at }) => at <= from + fifth).map(({ value }) => value);
  const late = warm.filter(({ at }) => at >= end - fifth).map(({ value }) => value);
  const found = {
    first: median(early),
    last: median(late),
    most: Math.max(...late, 0),
    perHour: slope(warm) * hour,
  };
  if (warm.length < 5) return { ...found, verdict: "short" };
  const usual = median(warm.map(({ value }) => value));
  switch (rule.type) {
    case "level":
      return { ...found, verdict: told(found.last <= found.first * 1.1 + rule.free) };
    case "memory":
      if (end - from < tells) return { ...found, verdict: "short" };
      return { ...found, verdict: told(found.perHour < usual / 10 && found.most <= usual * 1.25) };
    case "live":
      if (end - from < tells) return { ...found, verdict: "short" };
      return { ...found, verdict: told(found.perHour < usual / 20) };
  }
}

function told(flat: boolean): Growth["verdict"] {
  return flat ? "flat" : "grows";
}

/** Of values an hour hence, per millisecond. */
function slope(samples: Sample[]): number {
  const slopes: number[] = [];
  for (const [nth, one] of samples.entries()) {
    for (const other of samples.slice(nth + 1)) {
      if (other.at > one.at) slopes.push((other.value - one.value) / (other.at - one.at));
    }
  }
  return median(slopes);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[half - 1], sorted[half]];
  if (high === undefined) return 0;
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2;
}
