import type { Dump, StoredMail } from "./imap-client.ts";

/** What the witness saw. Folders are the target's; `sha` is of the body with CRLF line ends. */
export interface Verdict {
  /** Messages the target has too few of, each as often as it is missing. */
  lost: { folder: string; sha: string }[];
  /** Messages the target has too many of, each as often as it is surplus. */
  duplicated: { folder: string; sha: string }[];
  /** Messages the target has and the source never had. */
  foreign: { folder: string; sha: string }[];
  /** Messages whose flags or date at the target are none of those at the source. */
  differences: { folder: string; sha: string; source: string; target: string }[];
  /** Messages that should be there and are. */
  present: number;
}

/**
 * Compares mailboxes as multisets of (folder, body). `folder` says where the source's folder went, null
 * for one that was not carried; `carried` which of its messages should be there (all but \Deleted ones).
 */
export function compare(
  source: Dump,
  target: Dump,
  options: {
    folder?: (path: string) => string | null;
    carried?: (mail: StoredMail, path: string) => boolean;
  } = {},
): Verdict {
  const place = options.folder ?? ((path: string) => path);
  const carried = options.carried ?? ((mail) => !mail.flags.includes("\\Deleted"));
  const expected = new Map<string, StoredMail[]>();
  for (const [path, { messages }] of source) {
    const to = place(path);
    if (to === null) continue;
    for (const mail of messages) if (carried(mail, path)) add(expected, key(to, mail), mail);
  }
  const found = new Map<string, StoredMail[]>();
  for (const [path, { messages }] of target) {
    for (const mail of messages) add(found, key(path, mail), mail);
  }

  const verdict: Verdict = { lost: [], duplicated: [], foreign: [], differences: [], present: 0 };
  for (const at of new Set([...expected.keys(), ...found.keys()])) {
    const [wanted, there] = [expected.get(at) ?? [], found.get(at) ?? []];
    const [folder = "", sha = ""] = at.split("\n");
    const surplus = wanted.length === 0 ? verdict.foreign : verdict.duplicated;
    for (let n = wanted.length; n < there.length; n += 1) surplus.push({ folder, sha });
    for (let n = there.length; n < wanted.length; n += 1) verdict.lost.push({ folder, sha });
    verdict.present += Math.min(wanted.length, there.length);
    verdict.differences.push(...unlike(wanted, there).map((pair) => ({ folder, sha, ...pair })));
  }
  return verdict;
}

/** Everything that is not as it was, in words; empty for a mailbox nobody touched. */
export function touched(before: Dump, after: Dump): string[] {
  const changes: string[] = [];
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === undefined || is === undefined) {
      changes.push(`${path}: ${was === undefined ? "made" : "gone"}`);
      continue;
    }
    for (const what of ["uidValidity", "uidNext", "highestModseq"] as const) {
      if (was[what] !== is[what]) changes.push(`${path}: ${what} ${was[what]} → ${is[what]}`);
    }
    const now = new Map(is.messages.map((mail) => [mail.uid, JSON.stringify(mail)]));
    for (const mail of was.messages) {
      const line = JSON.stringify(mail);
      if (now.get(mail.uid) !== line)
        changes.push(`${path}/${mail.uid}: ${line} → ${now.get(mail.uid)}`);
      now.delete(mail.uid);
    }
    for (const [uid] of now) changes.push(`${path}/${uid}: new`);
  }
  return changes;
}

function unlike(wanted: StoredMail[], there: StoredMail[]): { source: string; target: string }[] {
  // Twins may have come in any order: only what finds no partner differs.
  const left = wanted.slice(0, there.length).map(facts).sort();
  const right = there.slice(0, wanted.length).map(facts).sort();
  return left
    .map((source, index) => ({ source, target: right[index] ?? "" }))
    .filter(({ source, target }) => source !== target);
}

function facts(mail: StoredMail): string {
  return `${new Date(mail.date).toISOString()} ${mail.flags.join(" ")}`;
}

function key(folder: string, mail: StoredMail): string {
  return `${folder}\n${mail.sha}`;
}

function add<Key, One>(map: Map<Key, One[]>, at: Key, one: One): void {
  const list = map.get(at);
  if (list === undefined) map.set(at, [one]);
  else list.push(one);
}
