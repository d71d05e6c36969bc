import * as words from "../wording/pictures.ts";
import {
  colours,
  type Drawing,
  drawing,
  heading,
  legend,
  line,
  margin,
  rect,
  type Sample,
  type Shape,
  striped,
  text,
} from "./draw.ts";
import { widthOf } from "./font.ts";
import type { HeatCell, HeatMap, HeatRow, HeatState } from "./heat-rows.ts";

const cell = { width: 55, height: 19 };
/** Names are cut to the one, and the picture is no narrower than the other. */
const most = { name: 190, least: 560 };
/** Where the cells begin. */
const top = 98;

/** Signs as well as colours, for whoever does not see the colours or prints the picture. */
const looks: Record<HeatState, { sign: string; fill: string; ink: string }> = {
  completed: { sign: "✓", fill: colours.blues[1], ink: colours.ink },
  failures: { sign: "!", fill: colours.amber, ink: colours.ink },
  failed: { sign: "✗", fill: colours.red, ink: colours.paper },
  stopped: { sign: "■", fill: colours.grey, ink: colours.ink },
  running: { sign: "…", fill: striped, ink: colours.ink },
};

/** Passes by mailbox: a row a mailbox, a column a pass. Pure. */
export function drawHeatMap(map: HeatMap): Drawing {
  const { columns, rest } = map;
  const summed = rest === null ? [] : [{ name: words.more(rest.count), cells: rest.cells }];
  const rows: Pick<HeatRow, "name" | "cells">[] = [...map.rows, ...summed];
  const longest = Math.max(90, ...rows.map(({ name }) => widthOf(name, 11)));
  // Whole pixels: edges between them would double the size of the file.
  const named = Math.ceil(Math.min(most.name, longest));
  const left = margin + named + 10;
  const width = Math.max(most.least, left + columns.length * cell.width + margin);
  const bottom = top + rows.length * cell.height;
  const key = legend(bottom + 14, width, samples);
  return drawing(width, bottom + 26 + key.height, [
    ...heading(words.heatMapTitle(map.project), words.heatMapHint(map), width),
    ...columns.flatMap((column, n) => headOf(left + n * cell.width, column, map.zone)),
    ...rows.flatMap(({ name, cells }, n) => {
      const y = top + n * cell.height;
      return [
        text(margin, y + 14, name, { size: 11, width: named + 2 }),
        ...cells.flatMap((one, at) => cellOf(left + at * cell.width, y, one)),
      ];
    }),
    ...frames(map, left, rows.length),
    ...key.shapes,
  ]);
}

function headOf(
  x: number,
  { pass, kind, at, asked }: HeatMap["columns"][number],
  zone: string,
): Shape[] {
  const middle = x + cell.width / 2;
  const look = { anchor: "middle", width: cell.width - 2, size: 9.5 } as const;
  const weight = asked ? "bold" : "normal";
  return [
    text(middle, top - 28, words.passWord(pass), { ...look, weight }),
    text(middle, top - 17, words.kindWord(kind), look),
    text(middle, top - 6, words.day(at, zone), { ...look, fill: colours.subtle }),
  ];
}

function cellOf(x: number, y: number, one: HeatCell | null): Shape[] {
  const [width, height] = [cell.width - 2, cell.height - 2];
  if (one === null) return [ground(x + 1, y + 1, width, height, colours.faint)];
  const { sign, ink } = looks[one.state];
  const figure = words.figures(one.migrated).find((all) => widthOf(all, 11) <= width - 19) ?? "";
  // Figures of this size are seven pixels wide: on whole pixels equal ones are drawn equal, and packed well.
  const at = Math.round(x + cell.width - 5 - widthOf(figure, 11));
  return [
    ground(x + 1, y + 1, width, height, fillOf(one)),
    ...(one.state === "running" ? progress(x + 1, y + height + 1, width, one.share) : []),
    text(x + 4, y + 14, sign, { size: 10, weight: "bold", fill: ink }),
    text(at, y + 14, figure, { size: 11, fill: ink }),
  ];
}

function ground(x: number, y: number, width: number, height: number, fill: string): Shape {
  return rect(x, y, width, height, { fill, rounded: 2 });
}

/** How far a mailbox is, along the foot of its cell. */
function progress(x: number, foot: number, width: number, share: number): Shape[] {
  return [rect(x, foot - 3, share * width, 3, { fill: colours.blue })];
}

/** What completed is the darker the more of it was new. */
function fillOf({ state, share }: HeatCell): string {
  if (state !== "completed") return looks[state].fill;
  return colours.blues[share > 0.5 ? 2 : share > 0.05 ? 1 : 0];
}

/** Around the pass that was asked for, and above what is summed. */
function frames({ columns, rest }: HeatMap, left: number, rows: number): Shape[] {
  const asked = columns.findIndex((column) => column.asked);
  const height = rows * cell.height;
  const look = { stroke: colours.ink, width: 1.5, rounded: 3 };
  const around = rect(left + asked * cell.width, top - 0.5, cell.width, height + 1, look);
  const y = top + height - cell.height;
  const end = left + columns.length * cell.width;
  return [
    ...(asked === -1 || columns.length === 1 ? [] : [around]),
    ...(rest === null ? [] : [line(margin, y, end, y, { stroke: colours.subtle })]),
  ];
}

const sampleOf = (state: HeatState): Sample => ({
  mark: (x, y) => [
    ...(state === "completed"
      ? colours.blues.map((fill, n) => rect(x + n * 6, y, 6, 12, { fill }))
      : [ground(x, y, 18, 12, looks[state].fill)]),
    ...(state === "running" ? progress(x, y + 12, 18, 0.6) : []),
    text(x + 9, y + (state === "running" ? 7.5 : 9.5), looks[state].sign, {
      ...{ size: 9, weight: "bold", anchor: "middle", fill: looks[state].ink },
    }),
  ],
  words: words.heatStates[state],
});

const samples: Sample[] = [
  ...(["completed", "failures", "failed", "stopped", "running"] as const).map(sampleOf),
  { mark: (x, y) => [ground(x, y, 18, 12, colours.faint)], words: words.notIn },
];
