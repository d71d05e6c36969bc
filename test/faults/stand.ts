import type { MemorySystem } from "../../engine/providers/memory/provider.ts";

/** What stands in the new mailboxes beside what lies in the old ones, as multisets of bodies. */
export interface Stand {
  carried: number;
  lost: number;
  duplicated: number;
  foreign: number;
}

/** Of `name@old.example` and `name@new.example`, INBOX. */
export function standOf(system: MemorySystem, names: readonly string[]): Stand {
  const stand: Stand = { carried: 0, lost: 0, duplicated: 0, foreign: 0 };
  for (const name of names) {
    const wanted = bodies(system, `${name}@old.example`);
    const there = bodies(system, `${name}@new.example`);
    for (const body of new Set([...wanted.keys(), ...there.keys()])) {
      const [should, does] = [wanted.get(body) ?? 0, there.get(body) ?? 0];
      stand.carried += Math.min(should, does);
      stand.lost += Math.max(0, should - does);
      stand[should === 0 ? "foreign" : "duplicated"] += Math.max(0, does - should);
    }
  }
  return stand;
}

function bodies(system: MemorySystem, mailbox: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const { bytes } of system.letters(mailbox, "INBOX")) {
    const body = bytes.toString("latin1");
    found.set(body, (found.get(body) ?? 0) + 1);
  }
  return found;
}
