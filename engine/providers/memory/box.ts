import { randomUUID } from "node:crypto";
import type { Instant } from "../../domain/clock.ts";
import { FolderError } from "../../domain/errors.ts";
import type { Folder, FolderRole, FolderState } from "../../domain/item.ts";
import type { Survey } from "../../domain/provider.ts";

/** A message as the memory server keeps it. */
export interface Letter {
  uid: number;
  createdAt: Instant;
  flags: string[];
  modseq: number;
  /** The same wherever it is moved. */
  name: string;
  bytes: Buffer;
}

/** A folder as the memory server keeps it. */
export interface Box {
  segments: string[];
  role: FolderRole | null;
  uidValidity: number;
  uidNext: number;
  modseq: number;
  letters: Letter[];
}

/** The folders of a mailbox, by path. */
export type Boxes = Map<string, Box>;

export function emptyBox(segments: string[], role: FolderRole | null, uidValidity: number): Box {
  return { segments, role, uidValidity, uidNext: 1, modseq: 1, letters: [] };
}

export function put(box: Box, bytes: Buffer, createdAt: Instant, flags: string[]): Letter {
  const name = randomUUID();
  const letter = { uid: box.uidNext++, createdAt, flags, modseq: ++box.modseq, name, bytes };
  box.letters.push(letter);
  return letter;
}

export function state(box: Box): FolderState {
  const { uidValidity, uidNext, modseq } = box;
  return { uidValidity, uidNext, count: box.letters.length, highestModseq: modseq };
}

export function folders(boxes: Boxes): Folder[] {
  return [...boxes]
    .map(([path, box]) => ({ path, segments: box.segments, role: box.role, state: state(box) }))
    .sort((a, b) => a.segments.length - b.segments.length);
}

export function survey(boxes: Boxes): Survey {
  const all = [...boxes.values()].flatMap((box) => box.letters);
  const bytes = all.reduce((total, letter) => total + letter.bytes.length, 0);
  return { folders: boxes.size, items: all.length, bytes, types: ["mail"], free: null };
}

/** The folder of this path, or a `FolderError`. */
export function boxAt(boxes: Boxes, path: string): Box {
  const box = boxes.get(path);
  if (box === undefined) throw new FolderError(`there is no folder ${path}`);
  return box;
}

export async function* stream(bytes: Buffer): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
