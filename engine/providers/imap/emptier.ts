import type { Emptier, Emptiers, OpenEmptier } from "../../domain/emptying.ts";
import { FolderError, UserError } from "../../domain/errors.ts";
import { connect, type ImapOptions } from "./connect.ts";
import { words } from "./errors.ts";
import { fetchAll, flagsOf, numberOf, uidSets } from "./fetch.ts";
import { type Directory, listFolders, modseqOf, plain } from "./folders.ts";
import { fetchMessages } from "./messages.ts";
import { encodeName } from "./names.ts";
import { select } from "./selected.ts";
import type { Session } from "./session.ts";
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
      const { state } = await select(session, "SELECT", path, wire ?? encodeName(path));
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
          yield { uid, flags: flagsOf(fetched), modseq, body };
        }
      }
    },
    async remove(items) {
      const known = items.map(({ modseq }) => modseq ?? 0);
      const unchanged = modseqs && !known.includes(0) ? Math.max(...known) : null;
      const gone = new Set<number>();
      for (const set of uidSets(items.map(({ uid }) => uid))) {
        for (const uid of await removeSet(session, set, unchanged)) gone.add(uid);
      }
      return gone;
    },
  };
}

/**
 * Marks and expunges these and no other. With mod-sequences, what changed after the newest of them was read is
 * left as it is by the server itself: whatever is changed later counts higher.
 */
async function removeSet(
  session: Session,
  set: string,
  unchanged: number | null,
): Promise<number[]> {
  const condition: Argument[] =
    unchanged === null ? [] : [[atom("UNCHANGEDSINCE"), atom(String(unchanged))]];
  const mark = [atom("+FLAGS.SILENT"), [atom("\\Deleted")]];
  accept(await session.send("UID STORE", [sequence(set), ...condition, ...mark]), session);
  const marked: number[] = [];
  await fetchAll(session, set, [atom("UID"), atom("FLAGS")], (fetched) => {
    const uid = numberOf(fetched, "UID");
    const flags = fetched.get("FLAGS");
    const deleted =
      Array.isArray(flags) && flags.some((flag) => /^\\deleted$/i.test(String(flag?.value ?? "")));
    if (uid !== null && deleted) marked.push(uid);
  });
  for (const some of uidSets(marked)) {
    accept(await session.send("UID EXPUNGE", [sequence(some)]), session);
  }
  const left = new Set<number>();
  await fetchAll(session, set, [atom("UID")], (fetched) => {
    const uid = numberOf(fetched, "UID");
    if (uid !== null) left.add(uid);
  });
  return marked.filter((uid) => !left.has(uid));
}

function accept(reply: Awaited<ReturnType<Session["send"]>>, session: Session): void {
  // Some changed meanwhile (RFC 7162 §3.1.3): those are left.
  if (reply.status === "NO" && reply.code[0] === "MODIFIED") return;
  if (reply.status !== "OK") throw new FolderError(words(reply.text, session.who));
}
