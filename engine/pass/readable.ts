import { FolderError, harmless } from "../domain/errors.ts";
import type { Item } from "../domain/item.ts";
import type { FailedItem } from "../domain/ledger.ts";
import type { OpenSource } from "../domain/provider.ts";
import { type FolderCare, givenUp } from "./care.ts";

/** For people: why a message failed that the source lists and leaves out of what it hands over. */
export const notHandedOver = "the old system lists it but does not hand it over";

/**
 * Reads every message the source hands over and gives each to `take`: where it refuses a set, the rest is asked
 * for one by one, so that a message nobody can read holds up no other. Answers those that were refused alone,
 * with the server's words, and those that were given up.
 */
export async function readAll(
  open: OpenSource,
  uids: readonly number[],
  care: FolderCare,
  take: (item: Item) => Promise<void>,
): Promise<FailedItem[]> {
  const refused: FailedItem[] = [];
  const together: number[] = [];
  for (const uid of uids) {
    if (care.isGivenUp(uid)) refused.push({ uid, reason: givenUp });
    else if (care.isAlone(uid)) refused.push(...(await readSome(open, [uid], care, take)));
    else together.push(uid);
  }
  if (together.length > 0) refused.push(...(await readSome(open, together, care, take)));
  return refused;
}

async function readSome(
  open: OpenSource,
  uids: readonly number[],
  care: FolderCare,
  take: (item: Item) => Promise<void>,
): Promise<FailedItem[]> {
  const taken = new Set<number>();
  try {
    await care.during(uids, async () => {
      for await (const item of open.read([...uids])) {
        await take(item);
        taken.add(item.uid);
      }
    });
    return [];
  } catch (error) {
    if (!(error instanceof FolderError)) throw error;
    const [only] = uids;
    if (uids.length === 1 && only !== undefined) {
      return [{ uid: only, reason: harmless(error.message) }];
    }
  }
  const refused: FailedItem[] = [];
  for (const uid of uids) {
    if (!taken.has(uid)) refused.push(...(await readSome(open, [uid], care, take)));
  }
  return refused;
}
