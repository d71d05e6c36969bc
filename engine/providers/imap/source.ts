import type { Item, ListedItem } from "../../domain/item.ts";
import type { OpenSource, Source } from "../../domain/provider.ts";
import { parseDate } from "./dates.ts";
import {
  bodyOf,
  type Fetched,
  fetchAll,
  fetchEach,
  flagsOf,
  listingItems,
  numberOf,
  uidSets,
  wholeBody,
} from "./fetch.ts";
import { type Directory, listFolders, modseqOf, surveyOf } from "./folders.ts";
import { encodeName } from "./names.ts";
import { select } from "./selected.ts";
import type { Session } from "./session.ts";

const pageLength = 1000;

/** The mailbox as a source: EXAMINE and BODY.PEEK are the only ways it is touched. */
export function imapSource(session: Session): Source {
  let directory: Directory | null = null;
  let opened = 0;

  return {
    async folders() {
      directory = await listFolders(session, true);
      return directory.folders.map(({ path, segments, role, state }) => ({
        path,
        segments,
        role,
        state,
      }));
    },
    async open(path) {
      const wire = directory?.folders.find((folder) => folder.path === path)?.wire;
      opened += 1;
      const mine = opened;
      const { state } = await select(session, "EXAMINE", path, wire ?? encodeName(path));
      return openSource(session, state, () => {
        if (mine !== opened) throw new Error(`${path} is no longer open: another folder is.`);
      });
    },
    survey: () => surveyOf(session),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function openSource(session: Session, state: OpenSource["state"], check: () => void): OpenSource {
  const modseq = state.highestModseq !== null && session.has("CONDSTORE");
  return {
    state,
    async *list(uids) {
      check();
      // Read to the end before the first page goes out: a listing left half read would hold the connection
      // against whatever its reader wants next.
      const found = new Map<number, ListedItem>();
      const sets = uids !== undefined ? uidSets(uids) : state.count === 0 ? [] : ["1:*"];
      for (const set of sets) {
        await fetchAll(session, set, listingItems(modseq), (fetched) => {
          const item = listed(fetched);
          if (item !== null) found.set(item.uid, item);
        });
      }
      const wanted = uids === undefined ? null : new Set(uids);
      const items = [...found.values()].filter(({ uid }) => wanted?.has(uid) ?? true);
      items.sort((a, b) => a.uid - b.uid);
      for (let start = 0; start < items.length; start += pageLength) {
        yield items.slice(start, start + pageLength);
      }
    },
    async *read(uids) {
      const wanted = new Set(uids);
      const items = [...listingItems(modseq), wholeBody];
      for (const set of uidSets(uids)) {
        check();
        yield* fetchEach(session, set, items, (fetched) => {
          const item = read(fetched);
          // Each once, whatever a server says twice.
          return item !== null && wanted.delete(item.uid) ? item : null;
        });
      }
    },
  };
}

/** Null for what a server tells unasked of other messages. */
function listed(fetched: Fetched): ListedItem | null {
  const [uid, size] = [numberOf(fetched, "UID"), numberOf(fetched, "RFC822.SIZE")];
  if (uid === null || size === null) return null;
  return {
    uid,
    createdAt: dateOf(fetched),
    size,
    deleted: flagsOf(fetched).some((flag) => flag.toLowerCase() === "\\deleted"),
    modseq: modseqOf(numberOf(fetched, "MODSEQ")),
  };
}

function read(fetched: Fetched): Item | null {
  const uid = numberOf(fetched, "UID");
  if (uid === null || !fetched.has("BODY[]")) return null;
  const bytes = bodyOf(fetched);
  // What was expunged meanwhile, Dovecot still answers for, with no bytes and the size it had.
  if (bytes.length === 0 && numberOf(fetched, "RFC822.SIZE") !== 0) return null;
  return {
    uid,
    createdAt: dateOf(fetched),
    flags: flagsOf(fetched),
    modseq: modseqOf(numberOf(fetched, "MODSEQ")),
    size: bytes.length,
    body: once(bytes),
  };
}

function dateOf(fetched: Fetched): number {
  return parseDate(String(fetched.get("INTERNALDATE")?.value ?? ""));
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
