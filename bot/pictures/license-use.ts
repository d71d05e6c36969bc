import type { Instant } from "../../engine/domain/clock.ts";
import type { Balance, Movement } from "../../engine/domain/license.ts";
import * as words from "../wording/pictures.ts";
import { scale } from "./axis.ts";
import { chart, chartTitle, chartWidth, filled, timeAxis } from "./chart.ts";
import {
  colours,
  type Drawing,
  drawing,
  heading,
  legend,
  lineSample,
  margin,
  path,
  rect,
  type Sample,
  type Shape,
  striped,
  text,
} from "./draw.ts";
import { widthOf } from "./font.ts";

/** A project's licenses as they stand, and as they were used. */
export interface LicenseUse {
  project: string;
  zone: string;
  now: Instant;
  balance: Balance;
  /** Oldest first; the last is now. */
  steps: Step[];
}

interface Step {
  at: Instant;
  owned: number;
  consumed: number;
}

const bar = { y: 64, height: 26 };
const panel = { y: 166, height: 96 };

/** From the books, newest first, back to where they were cut. Pure. */
export function stepsOf(balance: Balance, history: Movement[], now: Instant): Step[] {
  const steps: Step[] = [{ at: now, owned: balance.owned, consumed: balance.consumed }];
  let { owned, consumed } = balance;
  for (const { at, kind, count } of history) {
    if (kind === "grant" || kind === "consume") steps.push({ at, owned, consumed });
    if (kind === "grant") owned -= count;
    if (kind === "consume") consumed -= count;
  }
  return steps.reverse();
}

/** Licenses as one bar, and under it how they were used. Pure. */
export function drawLicenseUse({ project, zone, now, balance, steps }: LicenseUse): Drawing {
  const { owned, consumed, reserved, free } = balance;
  const { licenseParts: told } = words;
  const { blue, faint, ink, paper } = colours;
  const parts: Part[] = [
    { count: consumed, fill: blue, ink: paper, words: told.consumed(consumed) },
    { count: reserved, fill: striped, ink, words: told.reserved(reserved) },
    { count: free, fill: faint, ink, words: told.free(free) },
  ];
  const samples = parts.map(({ fill, words }): Sample => {
    return { mark: (x, y) => [rect(x, y, 18, 12, { fill, stroke: blue, rounded: 2 })], words };
  });
  return drawing(chartWidth, panel.y + panel.height + 62, [
    ...heading(words.licenseTitle(project), words.licenseHint(owned), chartWidth),
    ...barOf(parts, owned),
    ...legend(bar.y + bar.height + 10, chartWidth, samples).shapes,
    ...usedOverTime(steps, now, zone),
  ]);
}

interface Part {
  count: number;
  fill: string;
  ink: string;
  words: string;
}

function barOf(parts: Part[], owned: number): Shape[] {
  const long = scale(0, Math.max(1, owned), 0, chartWidth - margin * 2);
  let across = margin;
  return parts.flatMap(({ count, fill, ink }) => {
    const [x, length] = [across, long(Math.max(0, count))];
    across += length;
    if (length === 0) return [];
    const figure = words.figures(count)[0] ?? "";
    const look = { anchor: "middle", weight: "bold", fill: ink } as const;
    return [
      rect(x, bar.y, length, bar.height, { fill, stroke: colours.blue }),
      ...(widthOf(figure, 12, "bold") < length - 8
        ? [text(x + length / 2, bar.y + 17.5, figure, look)]
        : []),
    ];
  });
}

const looks = {
  owned: { stroke: colours.ink, width: 1.5, dashes: "6 3" },
  consumed: { stroke: colours.blue, width: 2.5 },
};

function usedOverTime(steps: Step[], now: Instant, zone: string): Shape[] {
  const from = steps[0]?.at ?? now;
  const to = Math.max(now, from + 60_000);
  const top = Math.max(1, ...steps.map(({ owned }) => owned));
  const drawn = chart(panel, { from, to, top, what: "items" });
  const { x, up } = drawn;
  const stairs = (what: "owned" | "consumed") =>
    steps.flatMap((step, n): [number, number][] => {
      const before = (steps[n - 1] ?? step)[what];
      return [
        [x(step.at), up(before)],
        [x(step.at), up(step[what])],
      ];
    });
  const bottom = panel.y + panel.height;
  return [
    chartTitle(panel.y - 14, words.usedTitle(zone)),
    ...drawn.grid,
    ...filled(stairs("consumed"), drawn, looks.consumed),
    path(stairs("owned"), looks.owned),
    ...timeAxis(from, to, zone, bottom),
    ...legend(bottom + 34, chartWidth, [
      lineSample(looks.consumed, words.usedWord),
      lineSample(looks.owned, words.ownedWord),
    ]).shapes,
  ];
}
