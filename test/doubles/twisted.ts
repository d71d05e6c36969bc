import { FolderError, TransientError } from "../../engine/domain/errors.ts";
import type { Item } from "../../engine/domain/item.ts";
import type { Owners } from "../../engine/domain/owner.ts";
import type { PassKind } from "../../engine/domain/pass.ts";
import type {
  OpenSource,
  OpenTarget,
  Receipt,
  Source,
  Target,
} from "../../engine/domain/provider.ts";
import type { Refusal } from "../../engine/pass/send.ts";
import type { Works } from "../../engine/works.ts";
import { type MemoryWorld, memoryWorld } from "./memory-world.ts";

// Mail systems that behave badly, in front of those in memory.

export const letter = (n: number | string) => Buffer.from(`Subject: ${n}\r\n\r\nletter ${n}\r\n`);
export const gone = (silent = false) => new TransientError("gone", "connection", { silent });

interface Twist {
  source?: (source: Source) => Source;
  target?: (target: Target) => Target;
  owners?: Owners;
}

/** The world's works with something in front of its mail systems. */
export function twisted({ works, system }: MemoryWorld, { source, target, owners }: Twist): Works {
  const memory = {
    source: async (...at: Parameters<typeof system.source>) => {
      const one = await system.source(...at);
      return source?.(one) ?? one;
    },
    target: async (...at: Parameters<typeof system.target>) => {
      const one = await system.target(...at);
      return target?.(one) ?? one;
    },
  };
  return { ...works, owners: owners ?? works.owners, providers: { ...works.providers, memory } };
}

/** A source whose opened folders are changed. */
export function opening(change: (open: OpenSource, path: string) => OpenSource) {
  return (source: Source): Source => ({
    ...source,
    open: async (path) => change(await source.open(path), path),
  });
}

/**
 * A source that does not hand over this UID at those readings of it; the first is 1. What it refuses among others is
 * asked for alone, which is the next.
 */
export function withholding(
  uid: number,
  how: "refuses it" | "leaves it out",
  when: (reading: number) => boolean,
) {
  let reading = 0;
  return opening((open) => ({
    ...open,
    async *read(uids) {
      if (uids.includes(uid)) reading += 1;
      const withheld = when(reading);
      for await (const item of open.read(uids)) {
        if (item.uid !== uid || !withheld) yield item;
        else if (how === "refuses it") throw new FolderError("NO [SERVERBUG] Internal error");
      }
    },
  }));
}

/** A source that hangs up, or goes silent, whenever this message is handed over. */
export function hangingUp(uid: number, silent = false) {
  return opening((open) => ({
    ...open,
    async *read(uids) {
      for await (const item of open.read(uids)) {
        if (item.uid === uid) throw gone(silent);
        yield item;
      }
    },
  }));
}

/** A target that takes items another way. */
export function adding(
  add: (into: OpenTarget, items: AsyncIterable<Item>) => ReturnType<OpenTarget["add"]>,
) {
  return (target: Target): Target => ({
    ...target,
    open: async (path) => {
      const into = await target.open(path);
      return { ...into, add: (items) => add(into, items) };
    },
  });
}

/** The target stores so many and is lost before it says so, once. */
export function cutAfter(stored: number, error = gone()) {
  let cut = true;
  return adding(async function* (into, items) {
    let n = 0;
    for await (const receipt of into.add(items)) {
      n += 1;
      if (cut && n === stored) {
        cut = false;
        throw error;
      }
      yield receipt;
    }
  });
}

/** The target takes in what it is given and is lost before it says a word of it, each time. */
export function losing(then = () => {}) {
  return adding(async function* (_, items) {
    for await (const item of items) for await (const _ of item.body);
    then();
    yield* [];
    throw gone();
  });
}

/** What a target says that refuses an item. */
export const refused = (uid: number, reason = "NO", full = false): Refusal => ({
  outcome: "refused",
  uid,
  reason,
  full,
});

/** The same, once it has taken the item in. */
export async function refusedWhole(item: Item, reason?: string, full?: boolean): Promise<Receipt> {
  for await (const _ of item.body);
  return refused(item.uid, reason, full);
}

/** A target that refuses items while it is told to, in these words. */
export function refusing(
  when: (uid: number) => boolean,
  words: (uid: number) => Receipt = (uid) => refused(uid),
) {
  return adding(async function* (into, items) {
    for await (const item of items) {
      if (!when(item.uid)) {
        yield* into.add(one(item));
        continue;
      }
      for await (const _ of item.body);
      yield words(item.uid);
    }
  });
}

/** This alone: an item as a target is given it, the bytes of a body. */
export async function* one<T>(only: T): AsyncGenerator<T> {
  yield only;
}

/** Anna's world, with so many letters in a folder. */
export async function annas(count: number, folder = "INBOX"): Promise<MemoryWorld> {
  const world = await memoryWorld();
  await world.add("anna");
  for (let n = 1; n <= count; n += 1) world.system.deliver("anna@old", folder, letter(n));
  return world;
}

export const there = ({ system }: MemoryWorld, folder = "INBOX") =>
  system.letters("anna@new", folder).length;

export async function passes(world: MemoryWorld, works: Works, kinds: PassKind[]) {
  const states: string[] = [];
  for (const kind of kinds) states.push((await world.pass(kind, { works })).state);
  return states;
}
