import type { ImapResponse } from "imapflow";
import { FolderError, UserError } from "../../domain/errors.ts";
import type { Folder } from "../../domain/item.ts";
import type { Survey } from "../../domain/provider.ts";
import { beyondLimits, delimiterOf, standIn } from "./beyond.ts";
import { words } from "./errors.ts";
import { canonical, decodeName, roleByAttribute, roleByName, segmentsOf } from "./names.ts";
import { isOwn, namespaces, type Spaces } from "./namespaces.ts";
import type { Session } from "./session.ts";
import { type Status, stateOf, statusFields, statusItems, statusOf, textOf } from "./status.ts";
import { type Argument, atom, quoted } from "./wire.ts";

/** A folder with what only this provider needs of it. */
export interface Listed extends Folder {
  /** Its name as the server wrote it. */
  wire: string;
  /** Bytes; null where the server does not sum them. */
  size: number | null;
  /** Why it is not taken; null where it is. */
  beyond: string | null;
}

/** The user's own folders and how names are put together. */
export interface Directory {
  folders: Listed[];
  /** Of the personal namespace: what stands before every name but INBOX. */
  prefix: string;
  delimiter: string | null;
}

/**
 * Lists the folders of the user's own namespace that can hold messages, parents first. `states`: where each
 * stands, by LIST-STATUS where the server has it, else by asking for each. One beyond the limits stands there under
 * a short name, and is not asked for.
 */
export async function listFolders(session: Session, states: boolean): Promise<Directory> {
  const spaces = await namespaces(session);
  const items = states ? statusItems(session) : [];
  const inOne = states && session.has("LIST-STATUS");
  const before = session.unreadable();
  const { rows: own, statuses } = await list(session, spaces, inOne ? items : []);
  const delimiter = spaces.delimiter ?? own[0]?.delimiter ?? null;
  const folders: Listed[] = [];
  for (const row of uniquePaths(own)) {
    if (row.beyond !== null) {
      folders.push({ ...notTaken(row), beyond: row.beyond });
      continue;
    }
    if (row.attributes.some((one) => /^\\(noselect|nonexistent)$/i.test(one))) continue;
    const status = inOne ? statuses.get(row.path) : undefined;
    folders.push({
      path: row.path,
      wire: row.wire,
      segments:
        row.path === "INBOX" ? ["INBOX"] : segmentsOf(row.path, spaces.prefix, row.delimiter),
      role: row.path === "INBOX" ? "inbox" : roleByAttribute(row.attributes),
      ...stateOf(
        status ?? (states ? await statusOf(session, row.wire, items) : new Map()),
        session,
      ),
      beyond: null,
    });
  }
  const unread = session.unreadable() - before;
  if (unread > 0) folders.push({ ...notTaken(unreadable), beyond: unreadFolders(unread) });
  setRoles(folders);
  folders.sort(inOrder);
  return { folders, prefix: spaces.prefix, delimiter };
}

/** A folder that is listed for its name alone. */
function notTaken({ path, wire }: Pick<Row, "path" | "wire">) {
  return { path, wire, segments: [path], role: null, state: null, size: null };
}

const unreadable = { path: "[unreadable]", wire: "" };

function unreadFolders(count: number): string {
  return `the server told of ${count} folders in words that cannot be read; none of them was carried`;
}

/** The folders without what only this provider needs of them. */
export function plain({ folders }: Directory): Folder[] {
  return folders.map(({ path, segments, role, state, beyond }) => ({
    path,
    segments,
    role,
    state,
    ...(beyond !== null && { refused: beyond }),
  }));
}

/** Counts a mailbox without opening a folder. */
export async function surveyOf(session: Session): Promise<Survey> {
  const { folders } = await listFolders(session, true);
  const sizes = folders.map((folder) => folder.size);
  return {
    folders: folders.length,
    items: folders.reduce((total, { state }) => total + (state?.count ?? 0), 0),
    bytes: sizes.includes(null)
      ? null
      : sizes.reduce((total: number, size) => total + (size ?? 0), 0),
    types: ["mail"],
    free: await freeBytes(session),
  };
}

interface Row {
  path: string;
  wire: string;
  delimiter: string | null;
  attributes: string[];
  beyond: string | null;
}

/** The folders of the user's own; what others share may be many more, and does not count. */
async function list(
  session: Session,
  spaces: Spaces,
  items: string[],
): Promise<{ rows: Row[]; statuses: Map<string, Status> }> {
  const rows: Row[] = [];
  const statuses = new Map<string, Status>();
  const wanted: Argument[] = [
    ...(session.has("SPECIAL-USE") && session.has("LIST-EXTENDED") ? [atom("SPECIAL-USE")] : []),
    ...(items.length === 0 ? [] : [atom("STATUS"), items.map(atom)]),
  ];
  const { folders: most } = session.limits;
  const untagged = {
    LIST: (answer: ImapResponse) => {
      const row = rowOf(answer, session);
      if (isOwn(row.path, spaces)) rows.push(row);
      if (rows.length > most) throw tooMany(session);
      return folderBytes;
    },
    STATUS: (answer: ImapResponse) => {
      const wire = textOf(answer.attributes?.[0]);
      if (statuses.size < most && wire.length <= session.limits.name) {
        statuses.set(canonical(decodeName(wire)), statusFields(answer));
      }
      return undefined;
    },
  };
  const all = [quoted(""), quoted("*")];
  const extended = wanted.length === 0 ? [] : [atom("RETURN"), wanted];
  const send = (args: Argument[]) => session.send("LIST", args, untagged, undefined, 2 * most);
  let reply = await send([...all, ...extended]);
  if (reply.status !== "OK" && wanted.length > 0) {
    rows.length = 0;
    reply = await send(all);
  }
  if (reply.status !== "OK") throw new FolderError(words(reply.text, session.who));
  return { rows, statuses };
}

/** What one answer to LIST is worth: about its length, with that of its state. */
const folderBytes = 200;

function tooMany({ who, limits }: Session): UserError {
  return new UserError(
    `${who.endpoint} lists more than ${limits.folders} folders for ${who.mailbox}, more than are taken. Nothing was carried. Have a look at them there, then type \`verify ${who.mailbox}\`.`,
  );
}

function rowOf(
  { attributes = [] as unknown as NonNullable<ImapResponse["attributes"]> }: ImapResponse,
  { limits }: Session,
): Row {
  const [flags, between, name] = attributes;
  const full = textOf(name);
  const delimiter = delimiterOf(between == null ? null : textOf(between));
  const beyond = beyondLimits(full, delimiter, limits);
  const wire = beyond === null ? full : standIn(full);
  return {
    path: beyond === null ? canonical(decodeName(wire)) : wire,
    wire,
    delimiter,
    attributes: Array.isArray(flags) ? flags.slice(0, limits.flags).map(textOf) : [],
    beyond,
  };
}

/** Each folder once. Two whose names are one when decoded keep the name they have on the wire, all but the first. */
function uniquePaths(rows: Row[]): Row[] {
  const paths = new Map<string, Row>();
  for (const row of new Map(rows.map((one) => [one.wire, one])).values()) {
    paths.set(paths.has(row.path) ? row.wire : row.path, {
      ...row,
      ...(paths.has(row.path) && { path: row.wire }),
    });
  }
  return [...paths.values()];
}

/** INBOX, then parents before children, then by name: the same order each time. */
function inOrder(a: Listed, b: Listed): number {
  const rank = ({ path, segments }: Listed) => (path === "INBOX" ? 0 : segments.length);
  return rank(a) - rank(b) || (a.path < b.path ? -1 : 1);
}

/** One folder a role: the attribute says it, else the first whose name does. */
function setRoles(folders: Listed[]): void {
  const held = new Set<string>();
  for (const folder of folders) {
    if (folder.role === null) continue;
    if (held.has(folder.role)) folder.role = null;
    else held.add(folder.role);
  }
  for (const folder of folders) {
    const role = folder.role === null ? roleByName(folder.segments) : null;
    if (role === null || held.has(role)) continue;
    folder.role = role;
    held.add(role);
  }
}

async function freeBytes(session: Session): Promise<number | null> {
  if (!session.has("QUOTA")) return null;
  let free = Number.POSITIVE_INFINITY;
  await session.send("GETQUOTAROOT", [quoted("INBOX")], {
    QUOTA: ({ attributes }) => {
      const limits = attributes?.[1];
      if (!Array.isArray(limits)) return;
      for (let at = 0; at + 2 < limits.length; at += 3) {
        if (textOf(limits[at]).toUpperCase() !== "STORAGE") continue;
        // In units of 1,024 bytes (RFC 9208).
        const left = (Number(textOf(limits[at + 2])) - Number(textOf(limits[at + 1]))) * 1024;
        if (Number.isFinite(left)) free = Math.min(free, left);
      }
    },
  });
  return Number.isFinite(free) ? Math.max(0, free) : null;
}
