import type { ImapAttribute, ImapResponse } from "imapflow";
import { FolderError } from "../../domain/errors.ts";
import type { Folder, FolderState } from "../../domain/item.ts";
import type { Survey } from "../../domain/provider.ts";
import { words } from "./errors.ts";
import { canonical, decodeName, roleByAttribute, roleByName, segmentsOf } from "./names.ts";
import type { Session } from "./session.ts";
import { type Argument, atom, quoted } from "./wire.ts";

/** A folder with what only this provider needs of it. */
export interface Listed extends Folder {
  /** Its name as the server wrote it. */
  wire: string;
  /** Bytes; null where the server does not sum them. */
  size: number | null;
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
 * stands, by LIST-STATUS where the server has it, else by asking for each.
 */
export async function listFolders(session: Session, states: boolean): Promise<Directory> {
  const spaces = await namespaces(session);
  const items = states ? statusItems(session) : [];
  const inOne = states && session.has("LIST-STATUS");
  const { rows, statuses } = await list(session, inOne ? items : []);
  const own = rows.filter(({ path }) => isOwn(path, spaces));
  const delimiter = spaces.delimiter ?? own[0]?.delimiter ?? null;
  const folders: Listed[] = [];
  for (const row of uniquePaths(own)) {
    if (row.attributes.some((one) => /^\\(noselect|nonexistent)$/i.test(one))) continue;
    const status = inOne ? statuses.get(row.path) : undefined;
    folders.push({
      path: row.path,
      wire: row.wire,
      segments:
        row.path === "INBOX" ? ["INBOX"] : segmentsOf(row.path, spaces.prefix, row.delimiter),
      role: row.path === "INBOX" ? "inbox" : roleByAttribute(row.attributes),
      ...stateOf(status ?? (states ? await statusOf(session, row.wire, items) : new Map())),
    });
  }
  setRoles(folders);
  folders.sort(inOrder);
  return { folders, prefix: spaces.prefix, delimiter };
}

/** The folders without what only this provider needs of them. */
export function plain({ folders }: Directory): Folder[] {
  return folders.map(({ path, segments, role, state }) => ({ path, segments, role, state }));
}

/** Where one folder stands, without opening it; null where the server does not tell. */
export async function folderState(session: Session, wire: string): Promise<FolderState | null> {
  return stateOf(await statusOf(session, wire, statusItems(session))).state;
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

/** A mod-sequence as a number; null for none and for what is past 2^53. */
export function modseqOf(value: unknown): number | null {
  const number = Number(value ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}

interface Row {
  path: string;
  wire: string;
  delimiter: string | null;
  attributes: string[];
}

type Status = Map<string, string>;

interface Spaces {
  prefix: string;
  delimiter: string | null;
  /** Prefixes of the user's own folders. */
  own: string[];
  /** Prefixes of other users' and shared folders. */
  others: string[];
}

function statusItems(session: Session): string[] {
  return [
    "MESSAGES",
    "UIDNEXT",
    "UIDVALIDITY",
    ...(session.has("CONDSTORE") ? ["HIGHESTMODSEQ"] : []),
    ...(session.has("STATUS=SIZE") ? ["SIZE"] : []),
  ];
}

async function namespaces(session: Session): Promise<Spaces> {
  const found: ImapAttribute[] = [];
  if (session.has("NAMESPACE")) {
    await session.send("NAMESPACE", [], {
      NAMESPACE: ({ attributes }) => void found.push(...(attributes ?? [])),
    });
  }
  const [own, ...others] = [found[0], found[1], found[2]].map(pairs);
  const [first] = own ?? [];
  return {
    prefix: first?.prefix ?? "",
    delimiter: first?.delimiter ?? null,
    own: (own ?? []).map(({ prefix }) => prefix),
    others: others.flat().map(({ prefix }) => prefix),
  };
}

function pairs(space: ImapAttribute | undefined): { prefix: string; delimiter: string | null }[] {
  if (!Array.isArray(space)) return [];
  return space.filter(Array.isArray).map(([prefix, delimiter]) => ({
    prefix: decodeName(text(prefix)),
    delimiter: delimiter == null ? null : text(delimiter),
  }));
}

async function list(
  session: Session,
  items: string[],
): Promise<{ rows: Row[]; statuses: Map<string, Status> }> {
  const rows: Row[] = [];
  const statuses = new Map<string, Status>();
  const wanted: Argument[] = [
    ...(session.has("SPECIAL-USE") && session.has("LIST-EXTENDED") ? [atom("SPECIAL-USE")] : []),
    ...(items.length === 0 ? [] : [atom("STATUS"), items.map(atom)]),
  ];
  const untagged = {
    LIST: (answer: ImapResponse) => void rows.push(rowOf(answer)),
    STATUS: (answer: ImapResponse) => {
      statuses.set(canonical(decodeName(text(answer.attributes?.[0]))), statusFields(answer));
    },
  };
  const all = [quoted(""), quoted("*")];
  const extended = wanted.length === 0 ? [] : [atom("RETURN"), wanted];
  let reply = await session.send("LIST", [...all, ...extended], untagged);
  if (reply.status !== "OK" && wanted.length > 0) {
    rows.length = 0;
    reply = await session.send("LIST", all, untagged);
  }
  if (reply.status !== "OK") throw new FolderError(words(reply.text, session.who));
  return { rows, statuses };
}

function rowOf({
  attributes = [] as unknown as NonNullable<ImapResponse["attributes"]>,
}: ImapResponse): Row {
  const [flags, delimiter, name] = attributes;
  const wire = text(name);
  return {
    path: canonical(decodeName(wire)),
    wire,
    delimiter: delimiter == null ? null : text(delimiter),
    attributes: Array.isArray(flags) ? flags.map(text) : [],
  };
}

function isOwn(path: string, { own, others }: Spaces): boolean {
  if (path === "INBOX") return true;
  const under = (prefix: string) =>
    prefix !== "" && (path.startsWith(prefix) || `${path}/` === prefix);
  if (others.some((prefix) => under(prefix) || (prefix !== "" && path === prefix.slice(0, -1)))) {
    return false;
  }
  return own.length === 0 || own.includes("") || own.some(under);
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

async function statusOf(session: Session, wire: string, items: string[]): Promise<Status> {
  let status: Status = new Map();
  await session.send("STATUS", [quoted(wire), items.map(atom)], {
    STATUS: (answer) => {
      status = statusFields(answer);
    },
  });
  return status;
}

function statusFields({ attributes }: ImapResponse): Status {
  const fields = attributes?.[1];
  const status: Status = new Map();
  if (!Array.isArray(fields)) return status;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    status.set(text(fields[at]).toUpperCase(), text(fields[at + 1]));
  }
  return status;
}

function stateOf(status: Status): { state: FolderState | null; size: number | null } {
  const number = (item: string) => {
    const value = Number(status.get(item) ?? Number.NaN);
    return Number.isSafeInteger(value) ? value : null;
  };
  const [uidValidity, uidNext, count] = [
    number("UIDVALIDITY"),
    number("UIDNEXT"),
    number("MESSAGES"),
  ];
  const known = uidValidity !== null && uidValidity > 0 && uidNext !== null && count !== null;
  return {
    state: known
      ? { uidValidity, uidNext, count, highestModseq: modseqOf(status.get("HIGHESTMODSEQ")) }
      : null,
    size: number("SIZE"),
  };
}

async function freeBytes(session: Session): Promise<number | null> {
  if (!session.has("QUOTA")) return null;
  const free: number[] = [];
  await session.send("GETQUOTAROOT", [quoted("INBOX")], {
    QUOTA: ({ attributes }) => {
      const limits = attributes?.[1];
      if (!Array.isArray(limits)) return;
      for (let at = 0; at + 2 < limits.length; at += 3) {
        if (text(limits[at]).toUpperCase() !== "STORAGE") continue;
        // In units of 1,024 bytes (RFC 9208).
        free.push((Number(text(limits[at + 2])) - Number(text(limits[at + 1]))) * 1024);
      }
    },
  });
  const known = free.filter(Number.isFinite);
  return known.length === 0 ? null : Math.max(0, Math.min(...known));
}

function text(attribute: ImapAttribute | undefined): string {
  return String(attribute?.value ?? "");
}
