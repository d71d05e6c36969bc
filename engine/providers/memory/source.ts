import { domainName } from "../../domain/dns.ts";
import { type Item, identityOf, type ListedItem } from "../../domain/item.ts";
import type { OpenSource, Source } from "../../domain/provider.ts";
import { type Box, type Boxes, boxAt, folders, type Letter, state, stream, survey } from "./box.ts";

export function memorySource(boxes: Boxes): Source {
  return {
    folders: () => Promise.resolve(folders(boxes)),
    survey: () => Promise.resolve(survey(boxes)),
    open: async (path) => openSource(boxAt(boxes, path)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function openSource(box: Box): OpenSource {
  const opened = state(box);
  return {
    state: opened,
    async *list(uids) {
      const wanted = uids === undefined ? null : new Set(uids);
      const all = box.letters.filter((letter) => wanted?.has(letter.uid) ?? true);
      for (let start = 0; start < all.length; start += 1000) {
        yield all.slice(start, start + 1000).map(
          (letter): ListedItem => ({
            uid: letter.uid,
            createdAt: letter.createdAt,
            size: letter.bytes.length,
            deleted: letter.flags.includes("\\Deleted"),
            modseq: letter.modseq,
          }),
        );
      }
    },
    async *read(uids) {
      for (const uid of uids) {
        const letter = box.letters.find((one) => one.uid === uid);
        if (letter !== undefined) yield asItem(letter);
      }
    },
    async identities(uids) {
      const wanted = new Set(uids);
      const all = box.letters.filter((letter) => wanted.has(letter.uid));
      return new Map(all.map((letter) => [letter.uid, identityOf(letter.name)]));
    },
    async senders(uids) {
      const wanted = new Set(uids);
      const all = box.letters.filter((letter) => wanted.has(letter.uid));
      return new Map(all.map(({ uid, bytes }) => [uid, senderOf(bytes)]));
    },
  };
}

function senderOf(bytes: Buffer): string | null {
  const [head = ""] = bytes.toString("latin1").split(/\r?\n\r?\n/, 1);
  const address = /^From:.*?@([^\s>,;]+)/im.exec(head)?.[1];
  return address === undefined ? null : domainName(address);
}

function asItem(letter: Letter): Item {
  const { uid, createdAt, flags, modseq, name, bytes } = letter;
  const identity = identityOf(name);
  return { uid, createdAt, flags, modseq, identity, size: bytes.length, body: stream(bytes) };
}
