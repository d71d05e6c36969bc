import { FolderError, harmless } from "../domain/errors.ts";
import type { Item } from "../domain/item.ts";
import type { OpenSource } from "../domain/provider.ts";

/**
 * Reads every message the source hands over and gives each to `take`: where it refuses a set, the rest is asked
 * for one by one, so that a message nobody can read holds up no other. Answers those that were refused alone,
 * with the server's words.
 */
export async function readAll(
  open: OpenSource,
  uids: readonly number[],
  take: (item: Item) => Promise<void>,
): Promise<{ uid: number; reason: string }[]> {
  const taken = new Set<number>();
  try {
    for await (const item of open.read([...uids])) {
      await take(item);
      taken.add(item.uid);
    }
    return [];
  } catch (error) {
    if (!(error instanceof FolderError)) throw error;
    const [only] = uids;
    if (uids.length === 1 && only !== undefined) {
      return [{ uid: only, reason: harmless(error.message) }];
    }
  }
  const refused: { uid: number; reason: string }[] = [];
  for (const uid of uids) if (!taken.has(uid)) refused.push(...(await readAll(open, [uid], take)));
  return refused;
}
