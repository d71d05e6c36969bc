import { TransientError } from "../../domain/errors.ts";
import type { Who } from "./errors.ts";
import { Late } from "./patience.ts";
import { Excess } from "./screen.ts";

/** Why we closed a connection, as an error of ours; null where it was not for a limit. */
export function overLimit(
  error: unknown,
  { endpoint, mailbox }: Who,
  server?: number,
): TransientError | null {
  if (error instanceof Excess) {
    return new TransientError(
      `${endpoint} sent ${error.message} for ${mailbox}: more than is taken from a server.`,
      "connection",
    );
  }
  if (error instanceof Late) {
    return new TransientError(
      `${endpoint} did not come to the end of an answer for ${mailbox} in time.`,
      "connection",
      { silent: true, server },
    );
  }
  return null;
}
