import type { Emptier, Emptiers, OpenEmptier } from "../../domain/emptying.ts";
import { FolderError, UserError } from "../../domain/errors.ts";
import { connect, type ImapOptions } from "./connect.ts";
import { words } from "./errors.ts";
import { fetchAll, flagsOf, isDeleted, numberOf, uidOf, uidSets } from "./fetch.ts";
import { type Directory, listFolders, plain } from "./folders.ts";
import { fetchMessages } from "./messages.ts";
import { encodeName } from "./names.ts";
import { select } from "./selected.ts";
import type { Reply, Session } from "./session.ts";
import { modseqOf } from "./status.ts";
import { type Argument, atom, sequence } from "./wire.ts";

/** Opens mailboxes over IMAP to remove single messages from them. */
export function imapEmptiers(options: ImapOptions = {}): Emptiers {
  return {
    async emptier(address) {
      const session = await connect(address, options);
      if (session.has("UIDPLUS")) return imapEmptier(session);
      await session[Symbol.asyncDispose]();
      throw new UserError(
        `${address.endpoint.name} cannot remove single messages (it has no UIDPLUS): emptying would take away what others have marked as deleted too. Nothing was removed. Empty the mailbox by hand.`,
      );
    },
  };
}

function imapEmptier(session: Session): Emptier {
  let directory: Directory | null = null;
  return {
    async folders() {
      directory = await listFolders(session, false);
      return plain(directory);
    },
    async open(path) {
      const wire = directory?.folders.find((folder) => folder.path === path)?.wire;
      const { state } = await select(session, "SELECT", path, wire ?? encodeName(path), true);
      return openEmptier(session, state);
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function openEmptier(session: Session, state: OpenEmptier["state"]): OpenEmptier {
  const modseqs = state.highestModseq !== null && session.has("CONDSTORE");
  return {
    state,
    async *read(uids) {
      const wanted = new Set(uids);
      const items = ["FLAGS", ...(modseqs ? ["MODSEQ"] : [])];
      for (const set of uidSets(uids)) {
        const messages = fetchMessages(session, set, items, (uid) => wanted.has(uid));
        for await (const { uid, fetched, body } of messages) {
          const modseq = modseqOf(numberOf(fetched, "MODSEQ"));
          yield { uid, flags: flagsOf(fetched, session), modseq, body };
        }
      }
    },
    async remove(items) {
      const gone = new Set<number>();
      const known = new Map(items.map(({ uid, modseq }) => [uid, modseq]));
      const counted = modseqs && !known.values().some((modseq) => modseq === null);
      for (const set of uidSets([...known.keys()])) {
        const same = counted ? await unchanged(session, set, known) : null;
        const sets = same === null ? [set] : uidSets(same.uids);
        for (const one of sets) {
          for (const uid of await removeSet(session, one, same?.highest ?? null)) gone.add(uid);
        }
      }
      return gone;
    },
  };
}

/**
 * Those that still count what they did when they were read. Whatever is changed from here on counts higher than the
 * highest of them.
 */
async function unchanged(
  session: Session,
  set: string,
  known: Map<number, number | null>,
): Promise<{ uids: number[]; highest: number }> {
  const uids: number[] = [];
  let highest = 0;
  await fetchAll(session, set, [atom("UID"), atom("MODSEQ")], (fetched) => {
    const [uid, modseq] = [uidOf(fetched), modseqOf(numberOf(fetched, "MODSEQ"))];
    if (uid === null || modseq === null || known.get(uid) !== modseq) return;
    uids.push(uid);
    highest = Math.max(highest, modseq);
  });
  return { uids, highest };
}

/** Marks and expunges these and no other; with mod-sequences none that counts higher than `highest`. */
async function removeSet(session: Session, set: string, highest: number | null): Promise<number[]> {
  const condition: Argument[] =
    highest === null ? [] : [[atom("UNCHANGEDSINCE"), atom(String(highest))]];
  const mark = [atom("+FLAGS.SILENT"), [atom("\\Deleted")]];
  const reply = await session.send("UID STORE", [sequence(set), ...condition, ...mark]);
  accept(reply, session);
  const refused = modified(reply);
  const marked: number[] = [];
  await fetchAll(session, set, [atom("UID"), atom("FLAGS")], (fetched) => {
    const uid = uidOf(fetched);
    // What was changed meanwhile may bear somebody else's mark.
    if (uid !== null && isDeleted(fetched) && !refused(uid)) marked.push(uid);
  });
  for (const some of uidSets(marked)) {
    accept(await session.send("UID EXPUNGE", [sequence(some)]), session);
  }
  const left = new Set<number>();
  const whole = await fetchAll(session, set, [atom("UID")], (fetched) => {
    const uid = uidOf(fetched);
    if (uid !== null) left.add(uid);
  });
  // What is not told of may stand there.
  return whole ? marked.filter((uid) => !left.has(uid)) : [];
}

/** Which UIDs a conditional STORE left as they are (RFC 7162 §3.1.3): `[MODIFIED 7,9:11]`. */
function modified({ code }: Reply): (uid: number) => boolean {
  if (code[0] !== "MODIFIED") return () => false;
  const ranges = (code[1] ?? "").split(",").map((part) => part.split(":").map(Number));
  return (uid) =>
    ranges.some(
      ([first = 0, last = first]) => uid >= Math.min(first, last) && uid <= Math.max(first, last),
    );
}

function accept(reply: Reply, session: Session): void {
  // Some changed meanwhile (RFC 7162 §3.1.3): those are left.
  if (reply.status === "NO" && reply.code[0] === "MODIFIED") return;
  if (reply.status !== "OK") throw new FolderError(words(reply.text, session.who));
}
