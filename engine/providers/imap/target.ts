import { FolderError } from "../../domain/errors.ts";
import type { OpenTarget, Target } from "../../domain/provider.ts";
import { append, type Told } from "./append.ts";
import { ensureFolder } from "./ensure.ts";
import { type Fetched, fetchAll, uidOf, uidSets } from "./fetch.ts";
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
      return openTarget(session, { ...selected, path, wire, told: mineTold }, now, () => {
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
  into: Selected & { path: string; wire: string; told: Told },
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
    async uids(fromUid = 1) {
      check();
      const asked = () => allUids(session, into, fromUid);
      // Once more where some were expunged meanwhile: the NOOP lets the server tell which.
      return (await asked()) ?? (await asked()) ?? untold(into.path);
    },
  };
}

/** The UIDs of the selected folder; null where not all that stands there was told. */
async function allUids(
  session: Session,
  { state }: Selected,
  from: number,
): Promise<Set<number> | null> {
  await session.send("NOOP", []);
  const found = new Set<number>();
  const take = (fetched: Fetched) => {
    const uid = uidOf(fetched);
    // `*` is the last message, however low its UID.
    if (uid !== null && uid >= from) found.add(uid);
  };
  const most = Math.min(state.count, session.limits.items);
  // FETCH, not SEARCH: some servers answer a long SEARCH in a line that is too long for them.
  const whole = await fetchAll(session, `${from}:*`, [atom("UID")], take, most);
  return whole ? found : null;
}

/** What was not told of may stand there: nothing is taken for missing. */
function untold(path: string): never {
  throw new FolderError(
    `the new system does not tell all that stands in ${path}, or in words that cannot be read`,
  );
}
