import { FolderError, harmless, TransientError } from "../domain/errors.ts";
import type { FailedItem, LedgerFolder } from "../domain/ledger.ts";
import type { OpenSource } from "../domain/provider.ts";
import type { Ends } from "./ends.ts";
import { notHandedOver } from "./readable.ts";

/** What is known of items that were asked for and not given. */
interface Looked {
  /** The folder opened anew. */
  from: OpenSource;
  withheld: FailedItem[];
  /** Why nothing could be looked at any more; null where it could. */
  refused: FolderError | null;
}

/**
 * Looks again, in the folder opened anew, for items that were asked for and not given: what is still listed
 * has not vanished but is withheld by the server, and fails. Nothing is taken for gone on one word alone: where
 * the folder is refused now, all of them fail.
 */
export async function vanished(
  ends: Ends,
  row: LedgerFolder,
  open: OpenSource,
  missing: number[],
): Promise<Looked> {
  if (missing.length === 0) return { from: open, withheld: [], refused: null };
  const withheld: FailedItem[] = [];
  try {
    const from = await ends.source.open(row.source);
    if (from.state.uidValidity !== open.state.uidValidity) {
      throw new TransientError("the folder was renumbered during the pass", "connection");
    }
    for await (const page of from.list(missing)) {
      for (const { uid } of page) {
        withheld.push({ uid, reason: notHandedOver });
      }
    }
    return { from, withheld, refused: null };
  } catch (error) {
    if (!(error instanceof FolderError)) throw error;
    const reason = harmless(error.message);
    return { from: open, withheld: missing.map((uid) => ({ uid, reason })), refused: error };
  }
}
