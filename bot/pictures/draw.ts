import { drawable, family, fitted, type Weight, widthOf } from "./font.ts";

/** A piece of an SVG picture. Made by the functions here alone, which escape what they are given. */
export type Shape = string & { readonly brand: "Shape" };

/** A picture as SVG. */
export interface Drawing {
  svg: string;
  width: number;
  height: number;
}

/** Colours that people tell apart who do not see all of them, by their lightness too; `ink` is read on each. */
export const colours = {
  ink: "#14202b",
  subtle: "#4f5965",
  paper: "#ffffff",
  line: "#d5d9de",
  faint: "#eef0f2",
  blue: "#0f5f94",
  blues: ["#e3eff8", "#b9d8ee", "#7fb6dd"],
  amber: "#f6cf7a",
  red: "#a33a0a",
  grey: "#c3c8ce",
} as const;

export interface TextLook {
  size?: number;
  weight?: Weight;
  fill?: string;
  anchor?: "start" | "middle" | "end";
  /** The text is cut to it. */
  width?: number;
}

const normal = 12;
/** Around a picture. */
export const margin = 18;

/** A line of text whose base line is at `y`. */
export function text(x: number, y: number, content: string, look: TextLook = {}): Shape {
  const { size = normal, weight = "normal", fill = colours.ink, anchor = "start", width } = look;
  const shown =
    width === undefined ? drawable(content) : fitted(content, Math.max(0, width), size, weight);
  const attributes = {
    x,
    y,
    fill,
    "font-size": size,
    ...(weight === "bold" ? { "font-weight": "bold" } : {}),
    ...(anchor === "start" ? {} : { "text-anchor": anchor }),
    "xml:space": "preserve",
  };
  return `<text${attributesOf(attributes)}>${escaped(shown)}</text>` as Shape;
}

export interface Look {
  fill?: string;
  stroke?: string;
  width?: number;
  dashes?: string;
  rounded?: number;
}

export function rect(x: number, y: number, width: number, height: number, look: Look): Shape {
  const size = { x, y, width: Math.max(0, width), height: Math.max(0, height) };
  const rounded = look.rounded === undefined ? {} : { rx: look.rounded };
  return `<rect${attributesOf({ ...size, ...rounded, ...looksOf(look) })}/>` as Shape;
}

/** Points joined by straight lines. */
export function path(points: [number, number][], look: Look, closed = false): Shape {
  const d = points.map(([x, y], n) => `${n === 0 ? "M" : "L"}${rounded(x)} ${rounded(y)}`);
  const end = closed ? "Z" : "";
  return `<path${attributesOf({ d: `${d.join("")}${end}`, "stroke-linejoin": "round", ...looksOf(look) })}/>` as Shape;
}

export function line(x: number, y: number, toX: number, toY: number, look: Look): Shape {
  return path(
    [
      [x, y],
      [toX, toY],
    ],
    look,
  );
}

/** What a picture is about, and a line that explains it. */
export function heading(title: string, hint: string, width: number): Shape[] {
  const room = width - margin * 2;
  return [
    text(margin, 30, title, { size: 15, weight: "bold", width: room }),
    text(margin, 49, hint, { size: 10.5, fill: colours.subtle, width: room }),
  ];
}

/** Stripes of a colour on white, to be filled with. */
export const striped = "url(#stripes)";

const stripes = [
  '<defs><pattern id="stripes" width="8" height="8" patternUnits="userSpaceOnUse">',
  `<rect width="8" height="8" fill="${colours.paper}"/>`,
  `<path d="M-2 2L2 -2M-2 10L10 -2M6 10L10 6" stroke="${colours.blues[1]}" stroke-width="3"/>`,
  "</pattern></defs>",
].join("");

/** Puts a picture together, on white. */
export function drawing(width: number, height: number, shapes: Shape[]): Drawing {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  const head = attributesOf({
    xmlns: "http://www.w3.org/2000/svg",
    width: w,
    height: h,
    viewBox: `0 0 ${w} ${h}`,
    "font-family": family,
  });
  const ground = rect(0, 0, w, h, { fill: colours.paper });
  return { svg: `<svg${head}>${stripes}${ground}${shapes.join("")}</svg>`, width: w, height: h };
}

/** What a sign or a colour means. */
export interface Sample {
  /** Drawn in a box 18 wide and 12 high whose upper left corner is given. */
  mark(x: number, y: number): Shape[];
  words: string;
}

/** Samples side by side from `y` down, in as many lines as they need; `height` is what they took. */
export function legend(
  y: number,
  width: number,
  samples: Sample[],
): { shapes: Shape[]; height: number } {
  const size = 10.5;
  const shapes: Shape[] = [];
  let [across, down] = [margin, y];
  for (const { mark, words } of samples) {
    const needs = 24 + widthOf(words, size);
    if (across > margin && across + needs > width - margin) [across, down] = [margin, down + 19];
    shapes.push(...mark(across, down), text(across + 24, down + 10, words, { size }));
    across += needs + 18;
  }
  return { shapes, height: down - y + 16 };
}

/** A sample of a line. */
export function lineSample(look: Look, words: string): Sample {
  return { mark: (x, y) => [line(x, y + 6, x + 18, y + 6, look)], words };
}

/** Lines no wider than this, broken between words. */
export function wrapped(content: string, width: number, size: number): string[] {
  const lines: string[] = [];
  for (const word of drawable(content).split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && widthOf(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(fitted(word, width, size));
  }
  return lines;
}

function looksOf({ fill = "none", stroke, width = 1, dashes }: Look): Record<string, unknown> {
  const drawn = stroke === undefined ? {} : { stroke, "stroke-width": width };
  return { fill, ...drawn, ...(dashes === undefined ? {} : { "stroke-dasharray": dashes }) };
}

function attributesOf(all: Record<string, unknown>): string {
  return Object.entries(all)
    .map(([name, value]) => {
      const shown = typeof value === "number" ? rounded(value) : escaped(String(value));
      return ` ${name}="${shown}"`;
    })
    .join("");
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(words: string): string {
  return words.replace(/[&<>"']/g, (sign) => entities[sign] ?? "");
}
