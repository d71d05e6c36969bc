import { setTimeout as delay } from "node:timers/promises";
import type { Item } from "../../engine/domain/item.ts";
import type { Owned } from "../../engine/domain/owner.ts";
import type { Entry, EntryId } from "../../engine/domain/project.ts";
import type { Provider, Target } from "../../engine/domain/provider.ts";
import type { Works } from "../../engine/works.ts";

export interface Watch {
  /** How long the new system takes for a letter, in ms: the faults come in the middle of batches. */
  letterMs: number;
  appended(): void;
  wrong(words: string): void;
}

/**
 * One engine's works, watched for what it may never do: send a letter with no intent that was written, or after its
 * lock was lost.
 */
export function watched(works: Works, entries: readonly Entry[], watch: Watch): Works {
  const intended = new Set<EntryId>();
  const owned = new Map<EntryId, Owned>();
  const leaving = (mailbox: string) => {
    const entry = entries.find(({ target }) => target === mailbox)!.id;
    if (!intended.has(entry)) watch.wrong(`${mailbox} was sent a letter without an intent`);
    if (owned.get(entry)?.lost.aborted !== false) {
      watch.wrong(`${mailbox} was sent a letter after its lock was lost`);
    }
  };
  const provider: Provider = {
    source: (address) => works.providers.memory.source(address),
    async target(address) {
      const target = await works.providers.memory.target(address);
      return told(target, watch, () => leaving(address.mailbox));
    },
  };
  return {
    ...works,
    ledger: {
      ...works.ledger,
      async intend(intent, fence) {
        intended.delete(fence.entry);
        const id = await works.ledger.intend(intent, fence);
        intended.add(fence.entry);
        return id;
      },
      settle(settlement, fence) {
        intended.delete(fence.entry);
        return works.ledger.settle(settlement, fence);
      },
    },
    owners: {
      async take(entry) {
        intended.delete(entry);
        const taken = await works.owners.take(entry);
        if (taken !== null) owned.set(entry, taken);
        return taken;
      },
    },
    providers: { imap: provider, memory: provider },
  };
}

function told(target: Target, watch: Watch, leaving: () => void): Target {
  return {
    ...target,
    async open(path) {
      const open = await target.open(path);
      return {
        ...open,
        async *add(items) {
          for await (const receipt of open.add(seen(items, leaving))) {
            watch.appended();
            await delay(watch.letterMs);
            yield receipt;
          }
        },
      };
    },
  };
}

async function* seen(items: AsyncIterable<Item>, leaving: () => void): AsyncGenerator<Item> {
  for await (const item of items) yield { ...item, body: toItsEnd(item.body, leaving) };
}

/** The new system keeps what it was given to the last byte. */
async function* toItsEnd(
  body: AsyncIterable<Uint8Array>,
  leaving: () => void,
): AsyncGenerator<Uint8Array> {
  yield* body;
  leaving();
}
