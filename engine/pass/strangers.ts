import { exactFingerprinter, type Item, tolerantFingerprinter } from "../domain/item.ts";
import type { Job } from "../domain/pass.ts";
import type { Ends } from "./ends.ts";
import type { Lost } from "./lost.ts";

/** A message of a target mailbox that no carried row claims. */
interface Stranger {
  folder: string;
  /** Base64 of the exact fingerprint. */
  exact: string;
  taken: boolean;
}

/** What stands in a target mailbox and is nobody's by the ledger: what its owner moved is among it. */
export interface Strangers {
  /**
   * Whether the item stands there; each stranger is found once. `untold`: something there may be it, and nothing
   * tells.
   */
  find(item: Item): Promise<"there" | "missing" | "untold">;
  /** Those that were not found to be anything. */
  rest(): { folder: string; exact: string }[];
}

/** Reads every message that no row claims. */
export async function strangersOf(job: Job, ends: Ends, all: Lost[]): Promise<Strangers> {
  const list: Stranger[] = [];
  let unread = 0;
  const byContent = new Map<string, Stranger[]>();
  const byName = new Map<string, Stranger[]>();
  for (const { path } of await ends.target.folders()) {
    const open = await ends.target.open(path);
    const claimed = await ends.ledger.claimed(job.entry, path, open.state.uidValidity, 1);
    const others = new Set([...(await open.uids())].filter((uid) => !claimed.has(uid)));
    if (others.size === 0) continue;
    const left = new Set(others);
    for await (const { uid, body } of open.look(1, others)) {
      left.delete(uid);
      const { content, exact, name } = await looksOf(body);
      const one = { folder: path, exact, taken: false };
      list.push(one);
      add(byContent, content, one);
      if (name !== null) add(byName, name, one);
    }
    // Some may have been removed there meanwhile.
    if (left.size > 0) unread += (await open.uids()).intersection(left).size;
  }
  const faithful = list.length === 0 || (await keepsBytes(ends, all));
  return {
    async find({ body }) {
      const { content, name } = await looksOf(body);
      if (take(byContent.get(content))) return "there";
      if (unread > 0) return "untold";
      if (faithful) return "missing";
      // The new system rewrites what it stores, or nothing shows that it does not: names must do.
      if (name === null) return "untold";
      return take(byName.get(name)) ? "there" : "missing";
    },
    rest: () => list.filter(({ taken }) => !taken),
  };
}

/** Whether something that stands where it was put still has the bytes it was sent with. */
async function keepsBytes(ends: Ends, all: Lost[]): Promise<boolean> {
  for (const { row, sample } of all) {
    if (sample?.targetUid == null) continue;
    const source = await ends.source.open(row.source);
    if (source.state.uidValidity !== sample.uidValidity) continue;
    let sent: string | null = null;
    for await (const { body } of source.read([sample.uid])) sent = (await looksOf(body)).content;
    if (sent === null) continue;
    const target = await ends.target.open(sample.target);
    const only = new Set([sample.targetUid]);
    for await (const { body } of target.look(sample.targetUid, only)) {
      return (await looksOf(body)).content === sent;
    }
  }
  return false;
}

/** How much of a message is looked at for its header. */
const headerBytes = 64 * 1024;

async function looksOf(
  body: AsyncIterable<Uint8Array>,
): Promise<{ content: string; exact: string; name: string | null }> {
  const [exact, tolerant] = [exactFingerprinter(), tolerantFingerprinter()];
  const start: Uint8Array[] = [];
  let kept = 0;
  for await (const bytes of body) {
    exact.update(bytes);
    tolerant.update(bytes);
    if (kept < headerBytes) start.push(bytes.slice(0, headerBytes - kept));
    kept += bytes.length;
  }
  return {
    content: tolerant.end().toString("base64"),
    exact: exact.end().toString("base64"),
    name: nameOf(Buffer.concat(start).toString("latin1")),
  };
}

/** Message-ID and Date, which servers leave as they are; null without the first. */
function nameOf(text: string): string | null {
  const header = (text.split(/\r?\n\r?\n/, 1)[0] ?? "").replace(/\r?\n[ \t]+/g, " ");
  const id = /^message-id:\s*(\S.*)$/im.exec(header)?.[1]?.trim();
  if (id === undefined) return null;
  return `${id}\n${/^date:\s*(\S.*)$/im.exec(header)?.[1]?.trim() ?? ""}`;
}

function take(some: Stranger[] | undefined): boolean {
  const one = some?.find(({ taken }) => !taken);
  if (one !== undefined) one.taken = true;
  return one !== undefined;
}

function add(to: Map<string, Stranger[]>, key: string, one: Stranger): void {
  const same = to.get(key);
  if (same === undefined) to.set(key, [one]);
  else same.push(one);
}
