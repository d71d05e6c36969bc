import pino from "pino";
import { UserError } from "../engine/domain/errors.ts";
import { scrub } from "../engine/domain/secret.ts";
import { redact, redactFacts } from "./redact.ts";
import { redactText } from "./redact-text.ts";

/** What the parts of the bot need of a log. */
export type Log = Pick<pino.Logger, "debug" | "info" | "warn" | "error">;

/** The log of a process, and the only door to its standard error from now on. */
export function logOfProcess(part: string, level: string): pino.Logger {
  const log = openLog(level, part);
  logTheRest(log);
  return log;
}

/**
 * JSON lines to standard error, so that standard output stays what a verb prints: the time, the level, which process
 * it is (`part`, `pid`), and the facts. What goes into a line is redacted and bounded, and no line leaves with a secret
 * this process has held.
 */
function openLog(level: string, part: string): pino.Logger {
  return pino(
    { ...shape, level, base: { part, pid: process.pid } },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** How a line is made, wherever it goes. */
export const shape: pino.LoggerOptions = {
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }), log: redactFacts },
  // Errors are redacted with everything else.
  serializers: { err: (shown) => shown },
  hooks: {
    streamWrite: scrub,
    logMethod(given, method) {
      const [first, ...rest] = given as [unknown, ...unknown[]];
      // Facts are redacted as facts; a text that is the first is redacted as one.
      const opening = typeof first === "string" ? redactText(first) : first;
      method.apply(this, [opening, ...rest.map(redact)] as Parameters<typeof method>);
    },
  },
};

/**
 * What would write to the terminal without asking goes into the log: the console of packages, warnings of Node, and what
 * nobody caught. Of the last the process ends, with 1, as it does anyway.
 */
function logTheRest(log: pino.Logger): void {
  const levels = {
    error: "error",
    warn: "warn",
    info: "info",
    log: "info",
    debug: "debug",
  } as const;
  for (const [name, level] of Object.entries(levels)) {
    console[name as keyof typeof levels] = (...said: unknown[]) =>
      log[level]({ said: said.map(shownAsFact) }, "a package says");
  }
  process.removeAllListeners("warning");
  process.on("warning", (err) => log.warn({ err }, "Node warns"));
  process.on("uncaughtException", (err, origin) => {
    log.fatal({ err, origin }, "nobody caught this; the process ends");
    process.exit(1);
  });
}

/** `%s` and colours are the console's own. */
function shownAsFact(said: unknown): unknown {
  return typeof said === "string" ? said.replace(/\x1b\[[\d;]*m/g, "") : said;
}

/** What a person is told at the terminal of an error that ends a verb. */
export function lastWords(error: unknown): string {
  if (error instanceof UserError) return scrub(error.message);
  const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return redactText(said, { limit: 6_000, lines: 40 });
}
