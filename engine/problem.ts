import { FolderError, harmless, TransientError, UserError } from "./domain/errors.ts";
import type { EntryId } from "./domain/project.ts";

/** Why a mailbox could not be asked, for people. What nobody there can mend is logged. */
export function problemOf(
  error: unknown,
  entry: EntryId,
  log: { error(facts: Record<string, unknown>, text: string): void },
): string {
  const told =
    error instanceof UserError || error instanceof TransientError || error instanceof FolderError;
  if (told) return harmless(error.message, 300);
  log.error({ entry, err: error }, "a mailbox could not be asked for a fault of ours");
  return "an error of Godwit's own";
}
