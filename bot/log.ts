import pino from "pino";
import { scrub } from "../engine/domain/secret.ts";

/** What the parts of the bot need of a log. */
export type Log = Pick<pino.Logger, "debug" | "info" | "warn" | "error">;

/**
 * JSON lines to standard error, so that standard output stays what a verb prints. Errors are cut down to
 * name, message, code and stack, and no line leaves with a secret this process has held.
 */
export function openLog(level: string): pino.Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      serializers: { err: plain },
      hooks: { streamWrite: scrub },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

function plain(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const code = "code" in error ? error.code : undefined;
  return { name, message, code, stack, ...(cause === undefined ? {} : { cause: plain(cause) }) };
}
