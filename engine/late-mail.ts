import { FolderError } from "./domain/errors.ts";
import type { Folder, FolderRole, ListedItem } from "./domain/item.ts";
import type { LateFound, LateMail, LateMark, LateWatch } from "./domain/late-mail.ts";
import type { EntryId, Projects } from "./domain/project.ts";
import type { Address, OpenSource, Provider } from "./domain/provider.ts";
import { problemOf } from "./problem.ts";

/** What late mail is looked for with. */
export interface LateWatchParts {
  projects: Pick<Projects, "addresses">;
  providers: Record<Address["endpoint"]["provider"], Provider>;
  log: { error(facts: Record<string, unknown>, text: string): void };
}

/** What comes to these was sent from there, or is nobody's to wait for. */
const noDeliveries = new Set<FolderRole>(["sent", "drafts", "junk", "trash"]);

/** How far back a folder is looked at that has no mark, and at most, in UIDs. */
const back = { first: 1_000, most: 10_000 };

/** Looks for mail that came to old mailboxes late. Reads envelopes, no bodies. */
export function makeLateWatch(parts: LateWatchParts): LateWatch {
  return {
    async look(entry, marks, since) {
      try {
        return await lookThrough(entry, marks, since, parts);
      } catch (error) {
        return { mails: [], marks, problem: problemOf(error, entry, parts.log) };
      }
    },
  };
}

async function lookThrough(
  entry: EntryId,
  marks: LateMark[],
  since: number,
  { projects, providers }: LateWatchParts,
): Promise<LateFound> {
  const { source: address } = await projects.addresses(entry);
  await using source = await providers[address.endpoint.provider].source(address);
  const found: LateFound = { mails: [], marks: [], problem: null };
  for (const folder of await source.folders()) {
    if (folder.role !== null && noDeliveries.has(folder.role)) continue;
    if (folder.path.includes("\0")) throw new FolderError("a folder has a name nobody can keep");
    const before = marks.find((mark) => mark.folder === folder.path);
    if (before !== undefined && standsAt(folder, before)) {
      found.marks.push(before);
      continue;
    }
    const open = await source.open(folder.path);
    const { uidValidity, uidNext } = open.state;
    found.marks.push({ folder: folder.path, uidValidity, uidNext });
    for (const mail of await arrived(open, before, since)) {
      found.mails.push({ entry, folder: folder.path, uidValidity, ...mail });
    }
  }
  return found;
}

function standsAt({ state }: Folder, mark: LateMark): boolean {
  return state?.uidValidity === mark.uidValidity && state.uidNext === mark.uidNext;
}

async function arrived(
  open: OpenSource,
  before: LateMark | undefined,
  since: number,
): Promise<Pick<LateMail, "uid" | "at" | "from">[]> {
  const { uidValidity, uidNext } = open.state;
  const from =
    before?.uidValidity === uidValidity
      ? Math.max(before.uidNext, uidNext - back.most)
      : Math.max(1, uidNext - back.first);
  if (from >= uidNext) return [];
  const uids = Array.from({ length: uidNext - from }, (_, at) => from + at);
  const late: ListedItem[] = [];
  for await (const page of open.list(uids)) {
    // Servers tell whole seconds.
    late.push(...page.filter(({ createdAt }) => createdAt + 1000 > since));
  }
  if (late.length === 0) return [];
  const senders = await open.senders(late.map(({ uid }) => uid));
  return late.map(({ uid, createdAt }) => ({ uid, at: createdAt, from: senders.get(uid) ?? null }));
}
