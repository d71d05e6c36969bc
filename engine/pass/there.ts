import { FolderError } from "../domain/errors.ts";

/** A folder opened; null where it is neither listed nor can be opened, and so was deleted. */
export async function there<Opened>(
  listed: boolean,
  open: () => Promise<Opened>,
): Promise<Opened | null> {
  try {
    return await open();
  } catch (error) {
    // Servers spell names in ways of their own, and may leave one out of a listing.
    if (listed || !(error instanceof FolderError)) throw error;
    return null;
  }
}
