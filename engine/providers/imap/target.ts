import type { OpenTarget, Target } from "../../domain/provider.ts";
import { append, type Told } from "./append.ts";
import { ensureFolder } from "./ensure.ts";
import { fetchAll, uidOf, uidSets } from "./fetch.ts";
import { type Directory, listFolders, plain, surveyOf } from "./folders.ts";
import { fetchMessages } from "./messages.ts";
import { encodeName } from "./names.ts";
import { type Selected, select } from "./selected.ts";
import type { Session } from "./session.ts";
import { atom } from "./wire.ts";

/** The mailbox as a target: APPEND and CREATE are the only ways it is changed. */
export function imapTarget(session: Session, now: () => number): Target {
  let directory: Directory | null = null;
  let opened = 0;
  const told = new Map<string, Told>();

  return {
    maxItemSize: session.number("APPENDLIMIT"),
    tellsUids: session.has("UIDPLUS"),
    async folders() {
      directory = await standing(session);
      return plain(directory);
    },
    async ensure(wanted, taken) {
      directory ??= await standing(session);
      return ensureFolder(session, directory, wanted, taken);
    },
    async open(path) {
      const known = directory?.folders.find((folder) => folder.path === path)?.wire;
      const wire = known ?? encodeName(path);
      opened += 1;
      const mine = opened;
      const selected = await select(session, "SELECT", path, wire);
      const key = `${selected.state.uidValidity} ${path}`;
      const mineTold = told.get(key) ?? { highest: 0 };
      told.set(key, mineTold);
      return openTarget(session, { ...selected, wire, told: mineTold }, now, () => {
        if (mine !== opened) throw new Error(`${path} is no longer open: another folder is.`);
      });
    },
    survey: () => surveyOf(session),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** The folders something can be put into. */
async function standing(session: Session): Promise<Directory> {
  const all = await listFolders(session, false);
  return { ...all, folders: all.folders.filter(({ beyond }) => beyond === null) };
}

function openTarget(
  session: Session,
  into: Selected & { wire: string; told: Told },
  now: () => number,
  check: () => void,
): OpenTarget {
  return {
    state: into.state,
    async *add(items) {
      for await (const item of items) {
        check();
        yield await append(session, into, item, now());
      }
    },
    async *look(fromUid, only) {
      check();
      // Lets the server show what another connection has stored meanwhile.
      await session.send("NOOP", []);
      const wanted = (uid: number) => uid >= fromUid && only?.has(uid) !== false;
      // `*` is the last message, however low its UID.
      const sets = only === undefined ? [`${fromUid}:*`] : uidSets([...only].filter(wanted));
      for (const set of sets) yield* fetchMessages(session, set, [], wanted);
    },
    async uids() {
      check();
      await session.send("NOOP", []);
      const found = new Set<number>();
      // FETCH, not SEARCH: some servers answer a long SEARCH in a line that is too long for them.
      await fetchAll(session, "1:*", [atom("UID")], (fetched) => {
        const uid = uidOf(fetched);
        if (uid !== null) found.add(uid);
      });
      return found;
    },
  };
}
