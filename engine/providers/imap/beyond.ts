import { createHash } from "node:crypto";
import { harmless } from "../../domain/errors.ts";
import type { Limits } from "./limits.ts";

/** Why a folder is not taken, by its name as the server wrote it; null where it is. */
export function beyondLimits(
  wire: string,
  delimiter: string | null,
  { name, depth }: Limits,
): string | null {
  const bytes = Buffer.byteLength(wire);
  if (bytes > name) {
    return `its name has ${bytes} bytes, more than the ${name} that are taken; none of it was carried. Give it a shorter one at the old system`;
  }
  // Not even quoted may these stand in a name (RFC 9051 §9, CHAR), and no database keeps a NUL.
  if (/[\0\r\n]/.test(wire)) {
    return "its name has bytes that may stand in none; none of it was carried. Give it another one at the old system";
  }
  const levels = delimiter === null ? 1 : wire.split(delimiter).length;
  if (levels > depth) {
    return `it lies ${levels} levels deep, more than the ${depth} that are taken; none of it was carried. Move it up at the old system`;
  }
  return null;
}

/** A short name for such a folder, the same on every pass. */
export function standIn(wire: string): string {
  const mark = createHash("sha256").update(wire).digest("hex").slice(0, 16);
  return `${harmless(wire, 60)} [${mark}]`;
}

/** The delimiter of a hierarchy: one byte, or there is none. */
export function delimiterOf(text: string | null): string | null {
  return text !== null && /^[\x21-\x7e]$/.test(text) ? text : null;
}
