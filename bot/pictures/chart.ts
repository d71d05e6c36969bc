import type { Instant } from "../../engine/domain/clock.ts";
import { axisFigure } from "../wording/pictures.ts";
import { scale, timeTicks, valueTicks } from "./axis.ts";
import { colours, line, margin, path, type Shape, text } from "./draw.ts";

/** Of every chart over time, its picture's width and where its times begin and end. */
export const chartWidth = 640;
const left = margin + 52;
const right = chartWidth - margin - 10;

/** A chart's way from figures to places. */
export interface Chart {
  x(at: Instant): number;
  up(value: number): number;
  /** Its lines of values, with their figures. */
  grid: Shape[];
}

/** A chart of one measure over time, in the picture from `y` down. */
export function chart(
  { y, height }: { y: number; height: number },
  { from, to, top, what }: { from: Instant; to: Instant; top: number; what: "items" | "bytes" },
): Chart {
  const ticks = valueTicks(top, 3, what === "items" ? 10 : 1024);
  const up = scale(0, ticks.at(-1) ?? 1, y + height, y);
  const figure = { size: 9.5, anchor: "end", fill: colours.subtle } as const;
  const grid = ticks.flatMap((value) => [
    line(left, up(value), right, up(value), { stroke: colours.line }),
    text(left - 7, up(value) + 3.5, axisFigure(what, value), figure),
  ]);
  return { x: timeScale(from, to), up, grid };
}

export function chartTitle(y: number, title: string): Shape {
  return text(margin, y, title, { size: 11.5, weight: "bold", width: chartWidth - margin * 2 });
}

/** A line of a chart with its ground filled. */
export function filled(points: [number, number][], { up }: Chart, stroke: LineLook): Shape[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [];
  const ground: [number, number][] = [...points, [last[0], up(0)], [first[0], up(0)]];
  return [path(ground, { fill: colours.blues[0] }, true), path(points, stroke)];
}

export interface LineLook {
  stroke: string;
  width: number;
  dashes?: string;
}

/** The line times are read from, with its ticks. */
export function timeAxis(from: Instant, to: Instant, zone: string, y: number): Shape[] {
  const x = timeScale(from, to);
  const label = { size: 9.5, anchor: "middle", fill: colours.subtle } as const;
  return [
    line(left, y, right, y, { stroke: colours.subtle }),
    ...timeTicks(from, to, zone, 7).flatMap((tick) => [
      line(x(tick.at), y, x(tick.at), y + 4, { stroke: colours.subtle }),
      text(x(tick.at), y + 16, tick.label, label),
    ]),
  ];
}

function timeScale(from: Instant, to: Instant): Chart["x"] {
  return scale(from, to, left, right);
}
