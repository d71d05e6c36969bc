import type { Emptier, OpenEmptier } from "../../domain/emptying.ts";
import { type Box, type Boxes, boxAt, folders, state, stream } from "./box.ts";

export function memoryEmptier(boxes: Boxes): Emptier {
  return {
    folders: () => Promise.resolve(folders(boxes)),
    open: async (path) => openEmptier(boxAt(boxes, path)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function openEmptier(box: Box): OpenEmptier {
  return {
    state: state(box),
    async *read(uids) {
      for (const { uid, flags, modseq, bytes } of box.letters) {
        if (uids.includes(uid)) yield { uid, flags, modseq, body: stream(bytes) };
      }
    },
    async remove(items) {
      const gone = new Set<number>();
      box.letters = box.letters.filter((letter) => {
        const wanted = items.some(
          ({ uid, modseq }) =>
            uid === letter.uid && letter.modseq <= (modseq ?? Number.POSITIVE_INFINITY),
        );
        if (wanted) gone.add(letter.uid);
        return !wanted;
      });
      box.modseq += 1;
      return gone;
    },
  };
}
