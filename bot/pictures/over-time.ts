import type { Instant } from "../../engine/domain/clock.ts";
import type { PassSums } from "../../engine/domain/pass.ts";
import * as words from "../wording/pictures.ts";
import { chart, chartTitle, chartWidth, filled, timeAxis } from "./chart.ts";
import {
  colours,
  type Drawing,
  drawing,
  heading,
  legend,
  line,
  lineSample,
  margin,
  rect,
  type Shape,
  text,
  wrapped,
} from "./draw.ts";
import type { Outlook } from "./outlook.ts";

/** What a project carried so far, and what is left. */
export interface OverTime {
  project: string;
  zone: string;
  now: Instant;
  /** Added up; the first is 0, the last is now. */
  points: Point[];
  outlook: Outlook;
}

interface Point {
  at: Instant;
  items: number;
  bytes: number;
}

const panel = { height: 112, gap: 40 };
const top = 92;

/** Adds passes up. A pass is taken to have carried evenly from its begin to its end. Pure. */
export function pointsOf(passes: PassSums[], now: Instant): Point[] {
  const begun = passes.flatMap(({ startedAt, endedAt, migrated, bytes }) =>
    startedAt === null || migrated === 0
      ? []
      : [{ from: startedAt, to: Math.max(endedAt ?? now, startedAt + 1), migrated, bytes }],
  );
  const times = [...new Set([...begun.flatMap(({ from, to }) => [from, to]), now])].sort(
    (a, b) => a - b,
  );
  return times.map((at) => {
    const point = { at, items: 0, bytes: 0 };
    for (const { from, to, migrated, bytes } of begun) {
      const part = at >= to ? 1 : at <= from ? 0 : (at - from) / (to - from);
      point.items += migrated * part;
      point.bytes += bytes * part;
    }
    return { at, items: Math.round(point.items), bytes: Math.round(point.bytes) };
  });
}

const carried = { stroke: colours.blue, width: 2 };
const expected = { stroke: colours.red, width: 2, dashes: "5 4" };
const present = { stroke: colours.ink, width: 1, dashes: "1 3" };

/** Items and bytes over time, and dashed what is left. Pure. */
export function drawOverTime(data: OverTime): Drawing {
  const { points, outlook, now, zone, project } = data;
  const from = points[0]?.at ?? now;
  const end = outlook.type === "left" ? outlook.doneAt : null;
  const to = Math.max(end ?? now, from + 60_000);
  const panels = (["items", "bytes"] as const).flatMap((what, n) =>
    panelOf(what, top + n * (panel.height + panel.gap), data, from, to),
  );
  const axis = top + panel.height * 2 + panel.gap;
  const key = legend(axis + 34, chartWidth, [
    lineSample(carried, words.carriedWord),
    ...(end === null ? [] : [lineSample(expected, words.expectedWord)]),
    {
      mark: (x, y) => [line(x + 9, y - 1, x + 9, y + 13, present)],
      words: words.nowWord(now, zone),
    },
  ]);
  const below = axis + 50 + key.height;
  const told = wrapped(words.outlookText(outlook, zone), chartWidth - margin * 2, 11);
  return drawing(chartWidth, below + told.length * 16 + 4, [
    ...heading(words.overTimeTitle(project), words.overTimeHint(zone), chartWidth),
    ...panels,
    ...timeAxis(from, to, zone, axis),
    ...key.shapes,
    ...told.map((words, n) => text(margin, below + n * 16, words, { size: 11 })),
  ]);
}

function panelOf(
  what: "items" | "bytes",
  y: number,
  { points, now, outlook }: OverTime,
  from: Instant,
  to: Instant,
): Shape[] {
  const last = points.at(-1)?.[what] ?? 0;
  const more = outlook.type === "left" ? outlook[what] : 0;
  const end = outlook.type === "left" ? outlook.doneAt : null;
  const drawn = chart({ y, height: panel.height }, { from, to, top: last + more, what });
  const { x, up } = drawn;
  return [
    chartTitle(y - 12, words.panelTitle(what, last, more)),
    ...drawn.grid,
    ...filled(
      points.map((point) => [x(point.at), up(point[what])]),
      drawn,
      carried,
    ),
    line(x(now), y, x(now), y + panel.height, present),
    ...(end === null
      ? []
      : [
          line(x(now), up(last), x(end), up(last + more), expected),
          rect(x(end) - 3, up(last + more) - 3, 6, 6, { fill: colours.red, rounded: 3 }),
        ]),
  ];
}
