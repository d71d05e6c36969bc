import { FolderError } from "../../engine/domain/errors.ts";
import type { Item } from "../../engine/domain/item.ts";
import type {
  OpenSource,
  OpenTarget,
  Receipt,
  Source,
  Target,
} from "../../engine/domain/provider.ts";
import { gone, one } from "../doubles/twisted.ts";

/** What may go wrong, and how likely that is each time it can. */
export const faults = {
  "the source is lost while it lists its folders": 0.04,
  "the source is lost while it opens a folder": 0.06,
  "the source refuses a folder": 0.06,
  "the source is lost while it lists a folder": 0.04,
  "the source leaves a letter out of a listing": 0.04,
  "the source is lost before a letter": 0.03,
  "the source refuses a letter": 0.03,
  "the source leaves a letter out": 0.03,
  "a letter breaks off with its connection": 0.015,
  "a letter breaks off and is refused": 0.015,
  "the target is lost while it lists its folders": 0.03,
  "the target refuses to make a folder": 0.04,
  "the target is lost while it opens a folder": 0.06,
  "the target refuses a folder": 0.03,
  "the target is lost before it stores a letter": 0.1,
  "the target is lost and stores a letter some time later": 0.03,
  "the target is lost and stores a letter out of sight": 0.04,
  "the target stores a letter and is lost before it says so": 0.1,
  "the target refuses a letter": 0.04,
  "the target is full": 0.02,
  "the target is lost before it is looked at": 0.1,
  "the target refuses to be looked at": 0.04,
  "the target leaves a letter out of a look": 0.05,
  "the target is lost before it tells its UIDs": 0.04,
  "the target refuses to tell its UIDs": 0.03,
  "the database is lost before a result is written": 0.02,
  "the database is lost after a result was written": 0.02,
  "the engine shuts down": 0.02,
  "somebody pauses the pass": 0.02,
  "a letter comes during a pass": 0.1,
  "the source is numbered anew between passes": 0.3,
  "the target is numbered anew between passes": 0.15,
  "the source is numbered anew during a pass": 0.04,
  "the target is numbered anew during a pass": 0.06,
} as const satisfies Record<string, number>;

export type Fault = keyof typeof faults;

/** Decides what goes wrong. */
export interface Trouble {
  /** Whether it happens now: then it is told, with where. */
  strikes(fault: Fault, where?: string): boolean;
  /** From now on nothing happens. */
  end(): void;
  /** How often each has happened. */
  readonly struck: ReadonlyMap<Fault, number>;
}

/** By the dice. */
export function troubleBy(random: () => number, tell: (line: string) => void): Trouble {
  const struck = new Map<Fault, number>();
  let over = false;
  return {
    strikes(fault, where) {
      if (over || random() >= faults[fault]) return false;
      struck.set(fault, (struck.get(fault) ?? 0) + 1);
      tell(where === undefined ? fault : `${where}: ${fault}`);
      return true;
    },
    end() {
      over = true;
    },
    struck,
  };
}

/** The error of a connection that is lost now. */
export type Loss = () => Error;

/** By the dice: every fifth is lost without a word. */
export function lossBy(random: () => number): Loss {
  return () => gone(random() < 0.2);
}

export function troubledSource(source: Source, trouble: Trouble, lost: Loss): Source {
  return {
    ...source,
    async folders() {
      if (trouble.strikes("the source is lost while it lists its folders")) throw lost();
      return source.folders();
    },
    async open(path) {
      if (trouble.strikes("the source is lost while it opens a folder", path)) throw lost();
      if (trouble.strikes("the source refuses a folder", path)) throw new FolderError("NO");
      return openSource(await source.open(path), path, trouble, lost);
    },
  };
}

function openSource(open: OpenSource, path: string, trouble: Trouble, lost: Loss): OpenSource {
  return {
    ...open,
    async *list(uids) {
      if (trouble.strikes("the source is lost while it lists a folder", path)) throw lost();
      for await (const page of open.list(uids)) {
        // Of a listing of parts nothing shows what is left out.
        const mayBe = uids === undefined && page.length > 0;
        const short = mayBe && trouble.strikes("the source leaves a letter out of a listing", path);
        yield short ? page.slice(1) : page;
      }
    },
    async *read(uids) {
      for await (const item of open.read(uids)) {
        const where = `${path}/${item.uid}`;
        if (trouble.strikes("the source is lost before a letter", where)) throw lost();
        if (trouble.strikes("the source refuses a letter", where)) throw new FolderError("NO");
        if (trouble.strikes("the source leaves a letter out", where)) continue;
        if (trouble.strikes("a letter breaks off with its connection", where)) {
          yield { ...item, body: brokenOff(lost()) };
        } else if (trouble.strikes("a letter breaks off and is refused", where)) {
          yield { ...item, body: brokenOff(new FolderError("NO")) };
        } else yield item;
      }
    },
  };
}

async function* brokenOff(error: Error): AsyncGenerator<Uint8Array> {
  yield Buffer.from("Subj");
  throw error;
}

/** How a target is, whatever goes wrong with it. */
export interface Ways {
  tellsUids: boolean;
  /** The item will stand in this folder before the quiet time is over. */
  comesLater(path: string, item: Item, bytes: Buffer): void;
  /** It will stand there as soon as the target is given anything more for this folder, and refuses that. */
  hide(path: string, item: Item, bytes: Buffer): void;
  /** Whether anything came into sight by that. */
  stumbles(path: string): boolean;
}

export function troubledTarget(target: Target, ways: Ways, trouble: Trouble, lost: Loss): Target {
  return {
    ...target,
    tellsUids: ways.tellsUids,
    async folders() {
      if (trouble.strikes("the target is lost while it lists its folders")) throw lost();
      return target.folders();
    },
    async ensure(wanted, taken) {
      const where = wanted.segments.join("/");
      if (trouble.strikes("the target refuses to make a folder", where))
        throw new FolderError("NO");
      return target.ensure(wanted, taken);
    },
    async open(path) {
      if (trouble.strikes("the target is lost while it opens a folder", path)) throw lost();
      if (trouble.strikes("the target refuses a folder", path)) throw new FolderError("NO");
      return openTarget(await target.open(path), path, ways, trouble, lost);
    },
  };
}

function openTarget(
  open: OpenTarget,
  path: string,
  ways: Ways,
  trouble: Trouble,
  lost: Loss,
): OpenTarget {
  return {
    ...open,
    async *add(items) {
      for await (const item of items) {
        const bytes = Buffer.concat(await Array.fromAsync(item.body));
        yield* await answer(open, { ...item, body: one(bytes) }, bytes, path, ways, trouble, lost);
      }
    },
    async *look(fromUid, only) {
      if (trouble.strikes("the target is lost before it is looked at", path)) throw lost();
      if (trouble.strikes("the target refuses to be looked at", path)) throw new FolderError("NO");
      for await (const one of open.look(fromUid, only)) {
        const where = `${path}/${one.uid}`;
        if (!trouble.strikes("the target leaves a letter out of a look", where)) yield one;
      }
    },
    async uids(...asked) {
      if (trouble.strikes("the target is lost before it tells its UIDs", path)) throw lost();
      if (trouble.strikes("the target refuses to tell its UIDs", path)) throw new FolderError("NO");
      return open.uids(...asked);
    },
  };
}

/** What the target says of one item that was given to it to its end. */
async function answer(
  open: OpenTarget,
  item: Item,
  bytes: Buffer,
  path: string,
  { tellsUids, comesLater, hide, stumbles }: Ways,
  trouble: Trouble,
  lost: Loss,
): Promise<Receipt[]> {
  const { uid } = item;
  const where = `${path}, the source's ${uid}`;
  if (stumbles(path)) {
    return [{ outcome: "refused", uid, reason: "NO [SERVERBUG]", full: false, mayStand: true }];
  }
  if (trouble.strikes("the target is lost before it stores a letter", where)) throw lost();
  // Where no UIDs are told, that cannot be promised (docs/faults.md).
  if (tellsUids && trouble.strikes("the target is lost and stores a letter out of sight", where)) {
    hide(path, item, bytes);
    throw lost();
  }
  if (trouble.strikes("the target is lost and stores a letter some time later", where)) {
    comesLater(path, item, bytes);
    throw lost();
  }
  if (trouble.strikes("the target refuses a letter", where)) {
    return [{ outcome: "refused", uid, reason: "NO", full: false }];
  }
  if (trouble.strikes("the target is full", where)) {
    return [{ outcome: "refused", uid, reason: "NO [OVERQUOTA]", full: true }];
  }
  const receipts = await Array.fromAsync(open.add(one(item)));
  if (trouble.strikes("the target stores a letter and is lost before it says so", where)) {
    throw lost();
  }
  return receipts.map((one) =>
    one.outcome === "added" && !tellsUids ? { ...one, targetUid: null } : one,
  );
}
