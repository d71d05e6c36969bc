import { promisify } from "node:util";
import { crc32, deflate } from "node:zlib";

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Colours a palette holds. */
const most = 256;
/** Four bits of each of three colours. */
const shades = 16 * 16 * 16;

/**
 * A PNG (ISO/IEC 15948) of opaque RGBA pixels with a palette: a fifth of what a PNG in full colour takes.
 * Colours of which no more than a palette is used come out within a shade of what they were.
 */
export async function png(pixels: Uint8Array, width: number, height: number): Promise<Buffer> {
  const { palette, places } = paletteOf(pixels);
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y += 1) {
    const start = y * (width + 1) + 1;
    for (let x = 0; x < width; x += 1) {
      rows[start + x] = places[shadeAt(pixels, (y * width + x) * 4)] ?? 0;
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // Eight bits a pixel, each a place in the palette; neither filtered nor interlaced.
  head.set([8, 3, 0, 0, 0], 8);
  const packed = await promisify(deflate)(rows, { level: 9 });
  return Buffer.concat([
    signature,
    chunk("IHDR", head),
    chunk("PLTE", palette),
    chunk("IDAT", packed),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The colours used most, and for each shade its place among them. */
function paletteOf(pixels: Uint8Array): { palette: Buffer; places: Uint8Array } {
  const count = new Uint32Array(shades);
  const sums = new Float64Array(shades * 3);
  for (let at = 0; at < pixels.length; at += 4) {
    const shade = shadeAt(pixels, at);
    count[shade]! += 1;
    for (let c = 0; c < 3; c += 1) sums[shade * 3 + c]! += pixels[at + c]!;
  }
  const used = [...count.keys()]
    .filter((shade) => count[shade]! > 0)
    .sort((a, b) => count[b]! - count[a]!);
  const kept = used.slice(0, most);
  const palette = Buffer.from(
    kept.flatMap((shade) => [0, 1, 2].map((c) => Math.round(sums[shade * 3 + c]! / count[shade]!))),
  );
  const places = new Uint8Array(shades);
  used.forEach((shade, n) => {
    places[shade] = n < most ? n : nearest(shade, kept);
  });
  return { palette, places };
}

function shadeAt(pixels: Uint8Array, at: number): number {
  return ((pixels[at]! & 0xf0) << 4) | (pixels[at + 1]! & 0xf0) | (pixels[at + 2]! >> 4);
}

function nearest(shade: number, kept: number[]): number {
  const parts = (one: number) => [one >> 8, (one >> 4) & 15, one & 15];
  const own = parts(shade);
  const far = (one: number) =>
    parts(one).reduce((sum, part, c) => sum + (part - own[c]!) * (part - own[c]!), 0);
  let best = 0;
  for (const n of kept.keys()) if (far(kept[n]!) < far(kept[best]!)) best = n;
  return best;
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([frame.subarray(0, 4), named, frame.subarray(4)]);
}
