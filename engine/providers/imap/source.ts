import { domainName } from "../../domain/dns.ts";
import { FolderError } from "../../domain/errors.ts";
import { type Identity, identityOf, type ListedItem } from "../../domain/item.ts";
import type { OpenSource, Source } from "../../domain/provider.ts";
import { parseDate } from "./dates.ts";
import {
  type Fetched,
  fetchAll,
  flagsOf,
  isDeleted,
  listingItems,
  numberOf,
  uidOf,
  uidSets,
} from "./fetch.ts";
import { type Directory, listFolders, plain, surveyOf } from "./folders.ts";
import { sized } from "./limits.ts";
import { listing } from "./listing.ts";
import { fetchMessages } from "./messages.ts";
import { encodeName } from "./names.ts";
import { select } from "./selected.ts";
import type { Session } from "./session.ts";
import { modseqOf } from "./status.ts";
import { atom } from "./wire.ts";

/** The mailbox as a source: EXAMINE and BODY.PEEK are the only ways it is touched. */
export function imapSource(session: Session): Source {
  let directory: Directory | null = null;
  let opened = 0;

  return {
    async folders() {
      directory = await listFolders(session, true);
      return plain(directory);
    },
    async open(path) {
      const known = directory?.folders.find((folder) => folder.path === path);
      if (known?.beyond != null) throw new FolderError(known.beyond);
      opened += 1;
      const mine = opened;
      const { state } = await select(session, "EXAMINE", path, known?.wire ?? encodeName(path));
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
      const rows = listing();
      const sets = uids !== undefined ? uidSets(uids) : state.count === 0 ? [] : ["1:*"];
      const asked = uids === undefined ? null : new Set(uids);
      let room = asked?.size ?? session.limits.items;
      const take = (fetched: Fetched) => {
        const item = listed(fetched);
        if (item === null || asked?.has(item.uid) === false || room <= 0) return;
        room -= 1;
        rows.add(item);
      };
      for (const set of sets) {
        const items = listingItems(modseq).map(atom);
        const whole = await fetchAll(session, set, items, take, asked?.size ?? state.count);
        // Who asks for some takes what is not told of for gone; a whole listing is counted.
        if (asked !== null && !whole) {
          throw new FolderError("the old system tells of messages in words that cannot be read");
        }
      }
      yield* rows.pages(asked);
    },
    async *read(uids) {
      const wanted = new Set(uids);
      for (const set of uidSets(uids)) {
        check();
        for await (const { uid, fetched, size, body } of fetchMessages(
          session,
          set,
          session.identity === null
            ? listingItems(modseq)
            : [...listingItems(modseq), session.identity],
          (one) => wanted.has(one),
        )) {
          yield {
            uid,
            createdAt: dateOf(fetched),
            flags: flagsOf(fetched, session),
            modseq: modseqOf(numberOf(fetched, "MODSEQ")),
            identity: identity(fetched, session),
            size,
            body,
          };
        }
      }
    },
    async identities(uids) {
      check();
      if (session.identity === null) return null;
      const wanted = new Set(uids);
      const found = new Map<number, Identity>();
      for (const set of uidSets(uids)) {
        await fetchAll(session, set, [atom("UID"), atom(session.identity)], (fetched) => {
          const [uid, own] = [uidOf(fetched), identity(fetched, session)];
          if (uid !== null && own !== null && wanted.has(uid)) found.set(uid, own);
        });
      }
      return found;
    },
    async senders(uids) {
      check();
      const wanted = new Set(uids);
      const found = new Map<number, string | null>();
      for (const set of uidSets(uids)) {
        await fetchAll(session, set, [atom("UID"), atom("ENVELOPE")], (fetched) => {
          const uid = uidOf(fetched);
          if (uid !== null && wanted.has(uid)) found.set(uid, senderOf(fetched));
        });
      }
      return found;
    },
  };
}

/** Of the third field of an envelope, the addresses of From: the host of the first that has one (RFC 9051, 7.5.2). */
function senderOf(fetched: Fetched): string | null {
  const envelope = fetched.get("ENVELOPE");
  const from = Array.isArray(envelope) ? envelope[2] : null;
  for (const address of Array.isArray(from) ? from : []) {
    const host = Array.isArray(address) ? address[3]?.value : null;
    // A group has none.
    if (host != null) return domainName(String(host));
  }
  return null;
}

/** Null for what a server tells unasked of other messages. */
function listed(fetched: Fetched): ListedItem | null {
  const [uid, size] = [uidOf(fetched), sized(numberOf(fetched, "RFC822.SIZE"))];
  if (uid === null || size === null) return null;
  return {
    uid,
    createdAt: dateOf(fetched),
    size,
    deleted: isDeleted(fetched),
    modseq: modseqOf(numberOf(fetched, "MODSEQ")),
  };
}

function identity(fetched: Fetched, session: Session): Identity | null {
  if (session.identity === null) return null;
  const field = fetched.get(session.identity);
  const name = (Array.isArray(field) ? field[0] : field)?.value;
  return name == null || String(name) === "" ? null : identityOf(String(name));
}

function dateOf(fetched: Fetched): number {
  return parseDate(String(fetched.get("INTERNALDATE")?.value ?? ""));
}
