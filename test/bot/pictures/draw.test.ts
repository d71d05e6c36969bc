import { Resvg } from "@resvg/resvg-js";
import { expect, test } from "vitest";
import { type Drawing, drawing, text } from "../../../bot/pictures/draw.ts";
import { fitted, fontFiles, widthOf } from "../../../bot/pictures/font.ts";
import { drawHeatMap } from "../../../bot/pictures/heat-map.ts";
import { heatMap } from "../../../bot/pictures/heat-rows.ts";
import { drawLicenseUse, stepsOf } from "../../../bot/pictures/license-use.ts";
import { drawOverTime, pointsOf } from "../../../bot/pictures/over-time.ts";
import { render } from "../../../bot/pictures/render.ts";
import { hostile } from "../../doubles/hostile.ts";
import { bigProject, hostileProject, type MadeUp } from "./made-up.ts";

/** Where the ink of a text is; null where there is none. */
function inkOf(shape: string, fonts: string[] = Object.values(fontFiles)) {
  const ground = '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="1100"';
  const svg = `${ground} font-family="DejaVu Sans">${shape}</svg>`;
  const options = { font: { loadSystemFonts: false, fontFiles: fonts } };
  const ink = new Resvg(svg, options).getBBox();
  return ink !== undefined && ink.width > 0 ? ink : null;
}

function all({
  project,
  entries,
  passes,
  sums,
  balance,
  history,
  outlook,
  now,
}: MadeUp): Drawing[] {
  const about = { project: project.name, zone: project.zone, now };
  return [
    drawHeatMap(heatMap(project, entries, passes, 1)),
    drawOverTime({ ...about, points: pointsOf(sums, now), outlook }),
    drawLicenseUse({ ...about, balance, steps: stepsOf(balance, history, now) }),
  ];
}

test("letters are drawn as wide as they were measured, and none is missing", () => {
  for (const words of [
    "igor.okafor118@old.example",
    "12 939 990 carried",
    "✓ ! ✗ ■ … □",
    "Größe",
  ]) {
    for (const weight of ["normal", "bold"] as const) {
      const ink = inkOf(text(100, 100, words, { size: 20, weight }));
      expect(ink?.width).toBeGreaterThan(widthOf(words, 20, weight) * 0.9);
      expect(ink?.width).toBeLessThan(widthOf(words, 20, weight) * 1.05);
    }
  }
  // Without its font a text vanishes without a word: this test would see it.
  expect(inkOf(text(100, 100, "igor"), [])).toBeNull();
});

test.each(hostile.map((name) => [name.slice(0, 40), name]))("no name overflows: %s", (_, name) => {
  const shown = fitted(name, 200, 11);
  expect(widthOf(shown, 11)).toBeLessThanOrEqual(200);
  const shape = text(100, 100, name, { size: 11, width: 200 });
  expect(shape.match(/<[^>]*>/g)).toHaveLength(2);
  const ink = inkOf(shape);
  if (ink === null) expect(shown.trim()).toBe("");
  else {
    expect(ink.x).toBeGreaterThan(98);
    expect(ink.x + ink.width).toBeLessThan(303);
    expect(ink.y).toBeGreaterThan(85);
    expect(ink.y + ink.height).toBeLessThan(106);
  }
});

test.each([
  ["of right to left", "א".repeat(80)],
  ["whose letters are joined", "مرحبا بالعالم".repeat(9)],
  ["of one wide letter", "W".repeat(200)],
  ["of pictures", "🛫".repeat(90)],
  ["with a hundred marks on a letter", `Z${"\u0301\u0316\u030b".repeat(40)}algo`],
])("names %s stay where they belong", (_, name) => {
  const ink = inkOf(text(100, 100, name, { size: 11, width: 200 }))!;
  expect(ink.x).toBeGreaterThan(98);
  expect(ink.x + ink.width).toBeLessThan(303);
  expect(ink.y).toBeGreaterThan(85);
  expect(ink.y + ink.height).toBeLessThan(106);
});

test.each([
  ["one mailbox", bigProject(1, 1)],
  ["three", bigProject(3, 4)],
  ["forty", bigProject(40, 12)],
  ["a thousand", bigProject(1000, 12)],
  ["names nobody wants", hostileProject()],
])("every text stands inside its picture, none on the margin: %s", (_, made) => {
  for (const { svg, width, height } of all(made)) {
    expect(width).toBeLessThanOrEqual(900);
    expect(height).toBeLessThanOrEqual(1024);
    const texts = svg.match(/<text[^>]*>[^<]*<\/text>/g) ?? [];
    expect(texts.length).toBeGreaterThan(10);
    const ink = inkOf(texts.join(""))!;
    expect(ink.x).toBeGreaterThanOrEqual(8);
    expect(ink.y).toBeGreaterThanOrEqual(8);
    expect(ink.x + ink.width).toBeLessThanOrEqual(width - 8);
    expect(ink.y + ink.height).toBeLessThanOrEqual(height - 4);
    // All of it is text: no name became anything else.
    const made = new Set([...svg.matchAll(/<\/?([^\s>/]*)/g)].map(([, name]) => name));
    expect([...made].sort()).toEqual(["defs", "path", "pattern", "rect", "svg", "text"]);
  }
});

test("a picture is a PNG that every platform takes, with its words in it", async () => {
  for (const made of [bigProject(3, 4), bigProject(1000, 12)]) {
    for (const picture of all(made)) {
      const file = await render(picture);
      const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
      expect(Math.max(width, height)).toBeLessThanOrEqual(1024);
      expect(width).toBeGreaterThanOrEqual(picture.width);
      expect(file.length).toBeLessThan(72 * 1024);
      const wordless = { ...picture, svg: picture.svg.replace(/<text.*?<\/text>/g, "") };
      expect((await render(wordless)).length).toBeLessThan(file.length * 0.7);
    }
  }
});

test("an empty picture is drawn as well", async () => {
  expect((await render(drawing(10, 10, []))).subarray(1, 4).toString()).toBe("PNG");
});
