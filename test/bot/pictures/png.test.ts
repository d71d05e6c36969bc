import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { png } from "../../../bot/pictures/png.ts";

/** The colours of a PNG with a palette, pixel by pixel. */
function pixelsOf(file: Buffer): { width: number; height: number; pixels: number[][] } {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    chunks.set(type, file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const [width, height] = [0, 4].map((at) => chunks.get("IHDR")!.readUInt32BE(at)) as [
    number,
    number,
  ];
  const palette = chunks.get("PLTE")!;
  const rows = inflateSync(chunks.get("IDAT")!);
  const pixels = Array.from({ length: width * height }, (_, n) => {
    const place = rows[Math.floor(n / width) * (width + 1) + 1 + (n % width)]!;
    return [...palette.subarray(place * 3, place * 3 + 3)];
  });
  return { width, height, pixels };
}

test("few colours come out as they went in, wherever they stand", async () => {
  const given = [
    [255, 255, 255],
    [20, 32, 43],
    [163, 58, 10],
    [246, 207, 122],
    [20, 32, 43],
    [255, 255, 255],
  ];
  const file = await png(Uint8Array.from(given.flatMap((one) => [...one, 255])), 3, 2);
  expect(pixelsOf(file)).toEqual({ width: 3, height: 2, pixels: given });
});

test("more colours than a palette holds come out close to what they were", async () => {
  const side = 40;
  const given = Array.from({ length: side * side }, (_, n) => [
    Math.floor(n / side) * 6,
    (n % side) * 6,
    (n * 7) % 256,
  ]);
  const file = await png(Uint8Array.from(given.flatMap((one) => [...one, 255])), side, side);
  const far = pixelsOf(file).pixels.map((pixel, n) =>
    Math.max(...pixel.map((part, c) => Math.abs(part - given[n]![c]!))),
  );
  expect(Math.max(...far)).toBeLessThan(64);
  // All one colour would not be.
  expect(Math.max(...given.map(([red = 0]) => red))).toBeGreaterThan(64);
});
