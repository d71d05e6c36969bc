import { setTimeout as delay } from "node:timers/promises";
import type { Item } from "../../engine/domain/item.ts";
import type { Fence, Owned } from "../../engine/domain/owner.ts";
import type { Entry, EntryId } from "../../engine/domain/project.ts";
import type { Provider, Target } from "../../engine/domain/provider.ts";
import type { Works } from "../../engine/works.ts";

export interface Watch {
  /** How long the new system takes for a letter, in ms: the faults come in the middle of batches. */
  letterMs: number;
  appended(): void;
  wrong(words: string): void;
}

/** An entry this engine owns, and what its intents stand for, by their ids: UIDs of its one folder. */
interface Hold {
  owned: Owned;
  intended: Map<number, readonly number[]>;
}

/**
 * One engine's works, watched for what it may never do: send a letter with no intent that was written, or after its
 * lock was lost.
 */
export function watched(works: Works, entries: readonly Entry[], watch: Watch): Works {
  const holds = new Map<EntryId, Hold>();
  const ofFence = (fence: Fence): Hold | undefined => {
    const hold = holds.get(fence.entry);
    return hold?.owned.fence.token === fence.token ? hold : undefined;
  };
  const provider: Provider = {
    source: (address) => works.providers.memory.source(address),
    async target(address) {
      const target = await works.providers.memory.target(address);
      const { mailbox } = address;
      const entry = entries.find((one) => one.target === mailbox)!.id;
      // Whoever owns the entry now opens it: another may own it before this one has noticed.
      const hold = holds.get(entry);
      return told(target, watch, (uid) => {
        const intents = [...(hold?.intended.values() ?? [])];
        if (!intents.some((uids) => uids.includes(uid))) {
          watch.wrong(`${mailbox} was sent a letter without an intent`);
        }
        if (hold?.owned.lost.aborted !== false) {
          watch.wrong(`${mailbox} was sent a letter after its lock was lost`);
        }
      });
    },
  };
  return {
    ...works,
    ledger: {
      ...works.ledger,
      async intend(intent, fence) {
        const id = await works.ledger.intend(intent, fence);
        ofFence(fence)?.intended.set(id, intent.uids);
        return id;
      },
      settle(settlement, fence) {
        const { intent, stays = [] } = settlement;
        if (intent !== null) ofFence(fence)?.intended.set(intent, stays);
        return works.ledger.settle(settlement, fence);
      },
    },
    owners: {
      async take(entry) {
        const owned = await works.owners.take(entry);
        if (owned !== null) holds.set(entry, { owned, intended: new Map() });
        return owned;
      },
    },
    providers: { imap: provider, memory: provider },
  };
}

function told(target: Target, watch: Watch, leaving: (uid: number) => void): Target {
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

async function* seen(
  items: AsyncIterable<Item>,
  leaving: (uid: number) => void,
): AsyncGenerator<Item> {
  for await (const item of items) {
    yield { ...item, body: toItsEnd(item.body, () => leaving(item.uid)) };
  }
}

/** The new system keeps what it was given to the last byte. */
async function* toItsEnd(
  body: AsyncIterable<Uint8Array>,
  leaving: () => void,
): AsyncGenerator<Uint8Array> {
  yield* body;
  leaving();
}
