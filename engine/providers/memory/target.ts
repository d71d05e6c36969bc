import type { FolderRole, Item } from "../../domain/item.ts";
import type { OpenTarget, Receipt, Target, WantedFolder } from "../../domain/provider.ts";
import { type Box, type Boxes, boxAt, folders, put, state, stream, survey } from "./box.ts";

export function memoryTarget(
  boxes: Boxes,
  maxItemSize: number | null,
  make: (path: string, role: FolderRole | null) => Box,
): Target {
  return {
    maxItemSize,
    tellsUids: true,
    folders: () => Promise.resolve(folders(boxes)),
    survey: () => Promise.resolve(survey(boxes)),
    ensure: (wanted, taken) => Promise.resolve(ensure(wanted, taken, boxes, make)),
    open: async (path) => openTarget(boxAt(boxes, path)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function ensure(
  wanted: WantedFolder,
  taken: ReadonlySet<string>,
  boxes: Boxes,
  make: (path: string, role: FolderRole | null) => Box,
): string {
  if (wanted.role !== null) {
    for (const [path, box] of boxes) if (box.role === wanted.role) return path;
  }
  const last = wanted.segments.at(-1) ?? "";
  const plain = wanted.parent === null ? wanted.segments.join("/") : `${wanted.parent}/${last}`;
  let path = plain;
  for (let n = 2; taken.has(path); n += 1) path = `${plain}_${n}`;
  make(path, wanted.role);
  return path;
}

function openTarget(box: Box): OpenTarget {
  return {
    state: state(box),
    async *add(items) {
      for await (const item of items) {
        const parts: Uint8Array[] = [];
        for await (const bytes of item.body) parts.push(bytes);
        yield store(box, item, Buffer.concat(parts));
      }
    },
    async *look(fromUid, only) {
      for (const { uid, bytes } of box.letters) {
        if (uid >= fromUid && only?.has(uid) !== false) yield { uid, body: stream(bytes) };
      }
    },
    uids: async (fromUid = 1) =>
      new Set(box.letters.map(({ uid }) => uid).filter((uid) => uid >= fromUid)),
  };
}

function store(box: Box, item: Item, bytes: Buffer): Receipt {
  if (bytes.length === 0) {
    return { outcome: "refused", uid: item.uid, reason: "an empty message", full: false };
  }
  const letter = put(box, bytes, item.createdAt, item.flags);
  return { outcome: "added", uid: item.uid, targetUid: letter.uid, notes: [] };
}
