import { harmless } from "../domain/errors.ts";
import { scrub } from "../domain/secret.ts";

/** Structured log lines. */
export interface Log {
  info(facts: Record<string, unknown>, text: string): void;
  warn(facts: Record<string, unknown>, text: string): void;
}

/** A line to a store, and how it is opened, asked and closed. */
export interface Lines<Line> {
  /** Throws where the store does not answer, or when the signal aborts; then nothing of it stays open. */
  open(broke: (error: unknown) => void, signal: AbortSignal): Promise<Line>;
  /** Throws where the store does not take what is written, or when the signal aborts. */
  ask(line: Line, signal: AbortSignal): Promise<void>;
  /** At once, whatever is under way. */
  close(line: Line): Promise<void>;
}

/** A line that is opened anew whenever it has to be. Disposing closes it. */
export interface Kept<Line> extends AsyncDisposable {
  /** What is open at this moment, in trouble or not. */
  open(): Line | null;
  /** The line to use; null while there is trouble with it. Waits for the first opening alone. */
  use(): Promise<Line | null>;
  /** Whether it is open, and no trouble is known. */
  serves(): boolean;
  /** Tells of trouble that was met in using it. */
  broke(error: unknown): void;
}

/** Errors since it was last asked that make an end of a line: something is tried again and again without a pause. */
const tooMany = 20;

/**
 * Keeps a line to a store that may not be there yet, die, freeze or come back empty. After an error the store is
 * asked; where it does not answer, the line is closed and opened anew until it does. Each outage is logged once.
 */
export function keepLine<Line>(lines: Lines<Line>, retryMs: number, log: Log): Kept<Line> {
  const closing = new AbortController();
  let line: Line | null = null;
  let trouble = false;
  let faults = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = Promise.resolve();

  const broke = (error: unknown) => {
    if (closing.signal.aborted) return;
    faults += 1;
    if (!trouble) {
      trouble = true;
      log.warn(
        { reason: reasonOf(error) },
        "the queue between processes fails; rings may be lost, and engines look for runs by themselves",
      );
    }
    if (faults > tooMany) drop();
    timer ??= setTimeout(round, retryMs).unref();
  };
  const drop = () => {
    if (line === null) return;
    const old = line;
    line = null;
    closed = Promise.all([closed, lines.close(old).catch(() => undefined)]).then(() => undefined);
  };
  const step = async () => {
    const before = faults;
    faults = 0;
    try {
      if (line === null) {
        const opened = await lines.open(broke, closing.signal);
        line = opened;
        // Trusted again only when it was quiet for a while.
        return;
      }
      await lines.ask(line, closing.signal);
    } catch (error) {
      drop();
      broke(error);
      return;
    }
    if (trouble && before === 0 && faults === 0) {
      trouble = false;
      log.info({}, "the queue between processes works again");
    }
  };
  let running: Promise<void> | null = null;
  const round = () => {
    timer = undefined;
    // Trouble that is met while one is under way is seen by the next.
    running ??= step().finally(() => {
      running = null;
      if (trouble && !closing.signal.aborted) timer ??= setTimeout(round, retryMs).unref();
    });
  };
  round();
  const first = running;

  return {
    open: () => line,
    async use() {
      await first;
      return trouble ? null : line;
    },
    serves: () => line !== null && !trouble,
    broke,
    async [Symbol.asyncDispose]() {
      closing.abort();
      clearTimeout(timer);
      await running;
      drop();
      await closed;
    },
  };
}

/** Its message alone: an SDK's error carries the command it sent, and with it the password. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return harmless(scrub(String(error)));
  const { code } = error as NodeJS.ErrnoException;
  return harmless(scrub(error.message === "" ? String(code ?? error.name) : error.message));
}
