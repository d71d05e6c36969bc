import type { Drawing } from "./draw.ts";
import { family, fontFiles } from "./font.ts";
import { png } from "./png.ts";

/** What Teams takes of a picture at most, in pixels each way, and what leaves room in its message, in bytes. */
const most = { side: 1024, bytes: 70 * 1024 };

/** Draws a picture as a PNG, up to twice as large as it is shown, for screens that can show that. */
export async function render({ svg, width, height }: Drawing): Promise<Buffer> {
  const large = Math.min(2, most.side / width, most.side / height);
  // A little larger is less sharp than as it is.
  if (large >= 1.25) {
    const bytes = await rendered(svg, large);
    if (bytes.length <= most.bytes) return bytes;
  }
  return rendered(svg, 1);
}

async function rendered(svg: string, zoom: number): Promise<Buffer> {
  // Where there is no such library for the machine, all but pictures works.
  const { renderAsync } = await import("@resvg/resvg-js");
  const image = await renderAsync(svg, {
    fitTo: { mode: "zoom", value: zoom },
    font: {
      loadSystemFonts: false,
      fontFiles: Object.values(fontFiles),
      defaultFontFamily: family,
    },
    logLevel: "off",
  });
  return png(image.pixels, image.width, image.height);
}
