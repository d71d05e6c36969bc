import { FolderError } from "../../domain/errors.ts";
import type { WantedFolder } from "../../domain/provider.ts";
import { words } from "./errors.ts";
import type { Directory, Listed } from "./folders.ts";
import { canonical, encodeName, nearNames } from "./names.ts";
import type { Session } from "./session.ts";
import { quoted } from "./wire.ts";

/**
 * The target's path for a wanted folder; see the port. What is made is added to `directory`. Throws
 * `FolderError` with the server's words when it takes none of the names tried.
 */
export async function ensureFolder(
  session: Session,
  directory: Directory,
  wanted: WantedFolder,
  taken: ReadonlySet<string>,
): Promise<string> {
  const { role, segments } = wanted;
  const held = role === null ? undefined : directory.folders.find((one) => one.role === role);
  if (held !== undefined) return held.path;

  let refused = "";
  for (const plain of paths(wanted, directory)) {
    for (let n = 1; ; n += 1) {
      const path = canonical(n === 1 ? plain : `${plain}_${n}`);
      if (taken.has(path)) continue;
      if (directory.folders.some((one) => one.path === path)) return path;
      const reply = await session.send("CREATE", [quoted(encodeName(path))]);
      const there = reply.code[0] === "ALREADYEXISTS" || /already exists/i.test(reply.text);
      if (reply.status !== "OK" && !there) {
        refused = words(reply.text, session.who);
        break;
      }
      // This server does not tell names apart that differ in case alone.
      if (there && differsInCase(path, taken)) continue;
      const own = there ? spelling(path, directory) : null;
      if (own !== null) return own;
      await session.send("SUBSCRIBE", [quoted(encodeName(path))]);
      directory.folders.push(made(path, wanted));
      return path;
    }
  }
  throw new FolderError(`The target made no folder for ${segments.join("/")}: ${refused}`);
}

/** Paths to try, the truest first. */
function paths({ segments, parent }: WantedFolder, { prefix, delimiter }: Directory): string[] {
  const last = segments.at(-1) ?? "";
  if (parent === null && segments.length === 1 && canonical(last) === "INBOX") return ["INBOX"];
  const between = delimiter ?? "_";
  const above = parent === null ? segments.slice(0, -1) : [];
  const rows = nearNames(last, delimiter).map((name, nth) => {
    // Parents that hold nothing of their own are written into the name, as near as this row's own name is.
    const parents = above.map(
      (one) => nearNames(one, delimiter)[nth] ?? nearNames(one, delimiter).at(-1),
    );
    return [...parents, name].join(between);
  });
  // A server may want no folders under this parent: beside it is better than nowhere.
  if (parent !== null) {
    const beside = nearNames(
      `${parent.slice(parent.startsWith(prefix) ? prefix.length : 0)}_${last}`,
      delimiter,
    );
    return [
      ...rows.map((name) => `${parent}${between}${name}`),
      ...beside.map((name) => `${prefix}${name}`),
    ];
  }
  return rows.map((name) => `${prefix}${name}`);
}

function differsInCase(path: string, taken: ReadonlySet<string>): boolean {
  const lower = path.toLowerCase();
  return [...taken].some((one) => one.toLowerCase() === lower);
}

function made(path: string, { segments, role }: WantedFolder): Listed {
  return { path, wire: encodeName(path), segments, role, state: null, size: null, beyond: null };
}

/** How the server itself spells a folder it has already; null where it does not list it. */
function spelling(path: string, { folders }: Directory): string | null {
  const same = (one: string) => one.normalize("NFC").toLowerCase();
  return folders.find((one) => same(one.path) === same(path))?.path ?? null;
}
