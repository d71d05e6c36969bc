import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** The font of every picture: what stands in one is measured by it, and drawn with it alone. */
export const family = "DejaVu Sans";

const require = createRequire(import.meta.url);
export const fontFiles = {
  normal: require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"),
  bold: require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf"),
} as const;
export type Weight = keyof typeof fontFiles;

/** For a letter the font has not. */
const unknown = "□";

const fonts = new Map<Weight, (letter: number) => number | null>();

/** How wide a text is drawn, in pixels; a little less where letters are set closer together. */
export function widthOf(text: string, size: number, weight: Weight = "normal"): number {
  let width = 0;
  for (const letter of text) width += advance(letter.codePointAt(0) ?? 0, weight) ?? 0;
  return width * size;
}

/** A text from outside as it may stand in a picture: only letters the font has, each beside the one before. */
export function drawable(text: string): string {
  const plain = text
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]+/gu, "")
    .normalize("NFC")
    // What is set above and below a letter can be set there a hundred times.
    .replace(/\p{M}+/gu, "");
  return [...plain]
    .map((letter) => (advance(letter.codePointAt(0) ?? 0, "normal") === null ? unknown : letter))
    .join("");
}

/** The same, cut to a width with `…` at its end. */
export function fitted(
  text: string,
  width: number,
  size: number,
  weight: Weight = "normal",
): string {
  const letters = [...drawable(text)];
  if (widthOf(letters.join(""), size, weight) <= width) return letters.join("");
  let left = width - widthOf("…", size, weight);
  const kept = letters.findIndex((letter) => {
    left -= widthOf(letter, size, weight);
    return left < 0;
  });
  return `${letters.slice(0, Math.max(0, kept)).join("").trimEnd()}…`;
}

/** Of one letter, in parts of the font's size; null where the font has none. */
function advance(letter: number, weight: Weight): number | null {
  const known = fonts.get(weight) ?? advances(readFileSync(fontFiles[weight]));
  fonts.set(weight, known);
  return known(letter);
}

/** Reads a TrueType font's `cmap` (format 12) and `hmtx` (OpenType 1.9). */
function advances(file: Buffer): (letter: number) => number | null {
  const unit = file.readUInt16BE(table(file, "head") + 18);
  const metrics = file.readUInt16BE(table(file, "hhea") + 34);
  const widths = table(file, "hmtx");
  const groups = groupsOf(file, table(file, "cmap"));
  return (letter) => {
    const group = groups.find(({ from, to }) => from <= letter && letter <= to);
    if (group === undefined) return null;
    const glyph = Math.min(group.glyph + letter - group.from, metrics - 1);
    return file.readUInt16BE(widths + glyph * 4) / unit;
  };
}

function table(file: Buffer, name: string): number {
  const count = file.readUInt16BE(4);
  for (let at = 12; at < 12 + count * 16; at += 16) {
    if (file.toString("latin1", at, at + 4) === name) return file.readUInt32BE(at + 8);
  }
  throw new Error(`The font has no table ${name}.`);
}

/** Runs of letters that have glyphs one after the other. */
function groupsOf(file: Buffer, cmap: number): { from: number; to: number; glyph: number }[] {
  const count = file.readUInt16BE(cmap + 2);
  for (let n = 0; n < count; n += 1) {
    const at = cmap + file.readUInt32BE(cmap + 8 + n * 8);
    if (file.readUInt16BE(at) !== 12) continue;
    return Array.from({ length: file.readUInt32BE(at + 12) }, (_, group) => {
      const row = at + 16 + group * 12;
      return {
        from: file.readUInt32BE(row),
        to: file.readUInt32BE(row + 4),
        glyph: file.readUInt32BE(row + 8),
      };
    });
  }
  throw new Error("The font does not say which letters it has.");
}
